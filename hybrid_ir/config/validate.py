"""Validator of configurations: checks keys and types against the code that receives them.

A node with a `_target_` must fit the signature of that function or class; other nodes must fit the dataclass that the
program declares for them, see `hybrid_ir.config.programs`. No object is built.
"""

import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from os import PathLike
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from omegaconf import DictConfig, OmegaConf, open_dict

from hybrid_ir.config.signatures import REQUIRED, Signature, signature, signature_of
from hybrid_ir.sources.errors import nearest

T = TypeVar("T")
Converted = Iterator[tuple[str, Any]]  # keys of values to convert, with their new values

TARGET = "_target_"
HYDRAS = (TARGET, "_partial_", "_convert_", "_recursive_", "_args_")
PLAIN = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", types.NoneType: "null"}
BOOLEANS = 'a YAML file reads no, off, yes and on as true or false; write a text in quotes there, such as "no"'


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
    converted = list(_fields(given, signature(program), "", program.__name__))
    with open_dict(cfg):
        for key, value in converted:
            OmegaConf.update(cfg, key, value)


def typed(node: DictConfig, kind: type[T]) -> T:
    """Convert a configuration node to its dataclass, which checks its own values.

    Raises:
        ValueError: the dataclass refuses a value.
    """
    values = OmegaConf.to_container(node, resolve=True)
    built: T = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), values))  # type: ignore[assignment]
    return built


def _fields(values: Mapping[Any, Any], declared: Signature, parent: str, owner: str) -> Converted:
    """Check a node by the parameters that it is for."""
    known = declared.parameters
    for name, value in values.items():
        key = f"{parent}.{name}".lstrip(".")
        if name in HYDRAS:
            continue
        if name in known or declared.takes_more:
            yield from _value(value, known[name].annotation if name in known else Any, key)
        else:
            near = nearest(str(name), known)
            hint = f"did you mean {f'{parent}.{near}'.lstrip('.')}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"{key} is unknown to {owner}; {hint if known else 'it takes no keys'}")
    for name, parameter in known.items():
        if parameter.default is REQUIRED and name not in values and "_args_" not in values:
            raise ValueError(f"no value for {f'{parent}.{name}'.lstrip('.')}, which {owner} requires")


def _value(value: Any, annotation: Any, key: str) -> Converted:
    """Check a value, and everything in it, by the type of its parameter."""
    target = value.get(TARGET) if isinstance(value, Mapping) else None
    if isinstance(target, str):
        try:
            declared = signature_of(target)
        except ValueError as error:
            raise ValueError(f"{key}.{error}") from error
        yield from _fields(value, declared, key, target.rpartition(".")[2])
        return
    allowed = list(_alternatives(annotation))
    if not all(get_origin(kind) is Literal or (_class(kind) and kind is not object) for kind in allowed):
        allowed = [
            dict[str, Any],
            list[Any],
            type(value),
        ]  # anything, but nodes with a `_target_` are checked
    if isinstance(value, Mapping):
        yield from _mapping(value, allowed, key)
    elif isinstance(value, list):
        yield from _list(value, allowed, key)
    elif not any(_is_a(value, kind) for kind in allowed):
        fitting = [kind for kind in (float, str) if kind in allowed] if type(value) is int else []
        if not fitting:
            raise _wrong(value, allowed, key)
        yield key, fitting[0](value)


def _mapping(value: Mapping[Any, Any], allowed: list[Any], key: str) -> Converted:
    if any(isinstance(name, bool) for name in value):
        raise ValueError(f"{key} has a key that is true or false; {BOOLEANS}")
    for kind in allowed:
        if is_dataclass(kind) and isinstance(kind, type):
            return _fields(value, signature(kind), key, kind.__name__)
        if _is_mapping(kind):
            entry = (get_args(kind) or (Any, Any))[1]
            return (each for name, child in value.items() for each in _value(child, entry, f"{key}.{name}"))
    raise _wrong(value, allowed, key)


def _list(value: list[Any], allowed: list[Any], key: str) -> Converted:
    fault = _wrong(value, allowed, key)
    for kind in filter(_is_list, allowed):
        entries = [entry for entry in get_args(kind) if entry is not Ellipsis] or [Any]
        if not (_class(kind) is tuple and Ellipsis not in get_args(kind)):
            entries = entries[:1] * len(value)
        if len(entries) == len(value):
            try:
                children = zip(value, entries, strict=True)
                return iter([each for at, child in enumerate(children) for each in _value(*child, f"{key}[{at}]")])
            except ValueError as error:
                fault = error
    raise fault


def _alternatives(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        for kind in get_args(annotation):
            yield from _alternatives(kind)
    else:
        yield types.NoneType if annotation is None else annotation


def _class(kind: Any) -> type | None:
    """The class of a type such as `list[int]`; None for Any, type variables and the like."""
    origin = get_origin(kind) or kind
    return origin if isinstance(origin, type) and origin is not Any else None


def _is_mapping(kind: Any) -> bool:
    return issubclass(_class(kind) or object, Mapping)


def _is_list(kind: Any) -> bool:
    return issubclass(_class(kind) or object, Iterable) and kind is not str and not _is_mapping(kind)


def _is_a(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(kind))
    return type(value) is kind or (isinstance(value, str) and issubclass(_class(kind) or object, PathLike))


def _wrong(value: Any, allowed: list[Any], key: str) -> ValueError:
    choices = [choice for kind in allowed if get_origin(kind) is Literal for choice in get_args(kind)]
    near = nearest(value, filter(lambda choice: isinstance(choice, str), choices)) if isinstance(value, str) else None
    hint = f"; did you mean {near!r}?" if near else ""
    if str in allowed and isinstance(value, bool | float):
        hint = f"; {BOOLEANS}" if isinstance(value, bool) else "; write a text in quotes"
    return ValueError(f"{key} must be {' or '.join(dict.fromkeys(map(_called, allowed)))}, got {value!r}{hint}")


def _called(kind: Any) -> str:
    """The name of a type in messages."""
    if get_origin(kind) is Literal:
        return ", ".join(map(repr, get_args(kind)))
    if _is_mapping(kind):
        return "a mapping"
    if kind not in PLAIN and _is_list(kind):
        return f"a list of {' and '.join(dict.fromkeys(map(_called, get_args(kind))))}"
    if issubclass(_class(kind) or object, PathLike):
        return "a path"
    return PLAIN.get(kind, f"a mapping that describes {getattr(kind, '__name__', kind)}")
