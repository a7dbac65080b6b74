"""Validator of configurations: checks keys and types against the code that receives them.

A node with a `_target_` must fit the signature of that function or class; other nodes must fit the dataclass that the
program declares for them, see `hybrid_ir.config.programs`. No object is built.
"""

import types
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import is_dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from omegaconf import DictConfig, OmegaConf, open_dict

from hybrid_ir.config.signatures import REQUIRED, Signature, signature, signature_of
from hybrid_ir.sources.errors import nearest

T = TypeVar("T")

TARGET = "_target_"
HYDRAS = (TARGET, "_partial_", "_convert_", "_recursive_", "_args_")
PLAIN = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", types.NoneType: "null"}


def validate(cfg: DictConfig, program: type) -> None:
    """Refuse unknown keys, and values of the wrong type.

    A whole number is converted where a float (`sampler.alpha=1`) or a text (`name=2024`) is expected.

    Args:
        cfg: the configuration, without missing values.
        program: the dataclass that declares the configuration.

    Raises:
        ValueError: a key or value is invalid. Names the key, what was given, and what is expected or the nearest key.
    """
    given = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(given, dict)
    fitting = _fields({str(key): value for key, value in given.items()}, signature(program), "", program.__name__)
    with open_dict(cfg):
        for key, value in _converted(given, fitting):
            OmegaConf.update(cfg, key, value)


def typed(node: DictConfig, kind: type[T]) -> T:
    """Convert a configuration node to its dataclass, which checks its own values.

    Raises:
        ValueError: the dataclass refuses a value.
    """
    values = OmegaConf.to_container(node, resolve=True)
    built: T = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), values))  # type: ignore[assignment]
    return built


def _fields(values: Mapping[str, Any], declared: Signature, place: str, owner: str) -> dict[str, Any]:
    """The values of a node, converted to the types of their parameters."""
    fitting = {}
    for name, value in values.items():
        key = f"{place}.{name}".lstrip(".")
        if name in HYDRAS:
            fitting[name] = value
        elif name in declared.parameters:
            fitting[name] = _fit(value, declared.parameters[name].annotation, key)
        elif declared.takes_more:
            fitting[name] = _fit(value, Any, key)
        else:
            raise ValueError(f"{key} is unknown to {owner}; {_hint(name, declared.parameters, place)}")
    for name, parameter in declared.parameters.items():
        if parameter.default is REQUIRED and name not in values and "_args_" not in values:
            raise ValueError(f"no value for {f'{place}.{name}'.lstrip('.')}, which {owner} requires")
    return fitting


def _fit(value: Any, annotation: Any, key: str) -> Any:
    """The value, converted to one of the allowed types."""
    if isinstance(value, Mapping) and isinstance(value.get(TARGET), str):
        try:
            declared = signature_of(value[TARGET])
        except ValueError as error:
            raise ValueError(f"{key}.{error}") from error
        return _fields(value, declared, key, value[TARGET].rpartition(".")[2])
    allowed = list(_alternatives(annotation))
    if any(not _understood(kind) for kind in allowed):
        return _inside(value, key)
    if isinstance(value, Mapping):
        return _fit_mapping(value, allowed, key)
    if isinstance(value, list):
        return _fit_list(value, allowed, key)
    if any(_is_a(value, kind) for kind in allowed):
        return value
    if type(value) is int and (kind := next((kind for kind in (float, str) if kind in allowed), None)):
        return kind(value)
    raise _wrong(value, allowed, key)


def _fit_mapping(value: Mapping[str, Any], allowed: Collection[Any], key: str) -> Any:
    for kind in allowed:
        if is_dataclass(kind) and isinstance(kind, type):
            return _fields(value, signature(kind), key, kind.__name__)
        if isinstance(get_origin(kind) or kind, type) and issubclass(get_origin(kind) or kind, Mapping):
            entry = (get_args(kind) or (Any, Any))[1]
            return {name: _fit(child, entry, f"{key}.{name}") for name, child in value.items()}
    raise _wrong(value, allowed, key)


def _fit_list(value: list[Any], allowed: Collection[Any], key: str) -> Any:
    fault = _wrong(value, allowed, key)
    for kind in filter(_is_list, allowed):
        entries = [entry for entry in get_args(kind) if entry is not Ellipsis] or [Any]
        fixed = get_origin(kind) is tuple and Ellipsis not in get_args(kind)
        if fixed and len(entries) != len(value):
            continue
        kinds = entries if fixed else entries[:1] * len(value)
        try:
            return [_fit(item, kinds[at], f"{key}[{at}]") for at, item in enumerate(value)]
        except ValueError as error:
            fault = error
    raise fault


def _inside(value: Any, key: str) -> Any:
    """A value of any type; nodes with a `_target_` inside it are checked."""
    if isinstance(value, Mapping):
        return {name: _fit(child, Any, f"{key}.{name}") for name, child in value.items()}
    return [_fit(item, Any, f"{key}[{at}]") for at, item in enumerate(value)] if isinstance(value, list) else value


def _alternatives(annotation: Any) -> Iterable[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        for kind in get_args(annotation):
            yield from _alternatives(kind)
    else:
        yield types.NoneType if annotation is None else annotation


def _understood(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return origin is Literal or (isinstance(origin, type) and origin not in (object, Any))


def _is_list(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and origin is not str and issubclass(origin, Iterable) and not _is_mapping(kind)


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_a(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(kind))
    if isinstance(value, str) and isinstance(kind, type) and issubclass(kind, Path | PathLike):
        return True
    return type(value) is kind


def _wrong(value: Any, allowed: Collection[Any], key: str) -> ValueError:
    choices = [choice for kind in allowed if get_origin(kind) is Literal for choice in get_args(kind)]
    expected = list(dict.fromkeys(_called(kind) for kind in allowed))
    near = nearest(value, [choice for choice in choices if isinstance(choice, str)]) if isinstance(value, str) else None
    hint = f"; did you mean {near!r}?" if near else ""
    if str in allowed and isinstance(value, bool | float):
        hint = "; YAML reads no, off, yes and on as true or false" if isinstance(value, bool) else ""
        hint += "; write a text in quotes"
    return ValueError(f"{key} must be {' or '.join(expected)}, got {value!r}{hint}")


def _called(kind: Any) -> str:
    """The name of a type in messages."""
    if get_origin(kind) is Literal:
        return ", ".join(map(repr, get_args(kind)))
    if _is_mapping(kind):
        return "a mapping"
    if kind not in PLAIN and _is_list(kind):
        return f"a list of {' and '.join(dict.fromkeys(str(_called(part)) for part in get_args(kind)))}"
    if isinstance(kind, type) and issubclass(kind, PathLike):
        return "a path"
    return PLAIN.get(kind, f"a mapping that describes {getattr(kind, '__name__', kind)}")


def _hint(name: str, known: Mapping[str, Any], place: str) -> str:
    near = nearest(name, known)
    where = f"{place}." if place else ""
    return f"did you mean {where}{near}?" if near else f"there are {', '.join(known) or 'no keys'}"


def _converted(before: Any, after: Any, key: str = "") -> Iterable[tuple[str, Any]]:
    """Keys of converted values, with their new values."""
    if isinstance(before, Mapping):
        for name, value in before.items():
            yield from _converted(value, after[name], f"{key}.{name}".lstrip("."))
    elif type(before) is not type(after) or (isinstance(before, Sequence) and repr(before) != repr(after)):
        yield key, after
