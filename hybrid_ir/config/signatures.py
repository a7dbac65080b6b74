"""Signatures of `_target_` functions and classes: their parameters with annotations and defaults."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

from hydra.utils import get_object

OURS = "hybrid_ir."
REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Signature:
    """The parameters of a function or class.

    Attributes:
        parameters: name -> parameter, including those that a class of this package passes to its base classes by `**`.
            Annotations are types, `Any` if there is none; defaults are `REQUIRED` if there is none.
        takes_more: whether further keys are accepted.
    """

    parameters: Mapping[str, inspect.Parameter]
    takes_more: bool


@cache
def signature_of(target: str) -> Signature:
    """The signature of the function or class that `_target_` names.

    Raises:
        ValueError: it does not exist.
    """
    try:
        return signature(get_object(target))
    except (ImportError, ValueError) as error:
        raise ValueError(f"_target_ {target} does not exist: {error}".splitlines()[0]) from error


@cache
def signature(target: Callable[..., Any]) -> Signature:
    """The signature of a function or class. One that cannot be inspected accepts anything."""
    parameters: dict[str, inspect.Parameter] = {}
    for function in _called(target):
        try:
            declared = _declared(function)
        except (ValueError, TypeError):  # written in C
            return Signature(parameters, takes_more=True)
        for each in declared:
            if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY) and each.name != "self":
                parameters.setdefault(each.name, each)
        handed_on = any(each.kind == each.VAR_KEYWORD for each in declared)
        if not handed_on or not target.__module__.startswith(OURS):
            break
    if is_dataclass(target):
        made = {field.name: field.default_factory() for field in fields(target) if callable(field.default_factory)}
        parameters |= {name: parameters[name].replace(default=default) for name, default in made.items()}
    return Signature(parameters, handed_on)


def _called(target: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The function itself, or the constructors of a class and its bases, in that order."""
    if not inspect.isclass(target):
        return [target]
    return [vars(kind)["__init__"] for kind in target.__mro__[:-1] if "__init__" in vars(kind)] or [target]


def _declared(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        found = inspect.signature(function, eval_str=True).parameters.values()
    except (NameError, AttributeError):  # names that are only imported for type checkers
        found = inspect.signature(function).parameters.values()
    return [
        each.replace(annotation=Any) if isinstance(each.annotation, str) or each.annotation is each.empty else each
        for each in found
    ]
