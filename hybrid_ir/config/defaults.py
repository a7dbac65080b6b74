"""Upgrade of old configurations: maps renamed keys and classes, and fills in defaults of newer fields."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, get_args

from hybrid_ir.config.programs import EvaluateConfig, TrainConfig
from hybrid_ir.config.signatures import OURS, REQUIRED, Parameter, signature, signature_of
from hybrid_ir.config.stored_names import KEYS, KNOWN_TARGETS, current_target

Group = type | None  # the dataclass of a group


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with current names, and with defaults for the fields that it lacks, at any depth.

    Defaults come from the classes in `hybrid_ir.config.programs` and, for a `_target_` of this package, from its
    signature. Targets that no longer exist or belong to other packages get no defaults.

    Args:
        config: a resolved configuration, as stored in results: of `train.py` if it has a sampler, else of
            `evaluate.py`.
    """
    renamed = {KEYS.get(key, key): value for key, value in config.items()}
    filled = _filled(renamed, TrainConfig if config.get("sampler") else EvaluateConfig)
    assert isinstance(filled, dict)
    return filled


def _filled(value: Any, group: Group) -> Any:
    if isinstance(value, list):
        return [_filled(entry, None) for entry in value]
    if not isinstance(value, Mapping):
        return value
    target, nested = value.get("_target_"), dict[str, Group]()
    if isinstance(target, str) and target.startswith(OURS):
        target = current_target(target)
        value = {**_of_target(target), **value, "_target_": target}
    elif group is not None:
        parameters = signature(group).parameters
        nested = {name: _dataclass(parameter.annotation) for name, parameter in parameters.items()}
        value = {**_defaults(parameters, built=False), **value}
    return {key: _filled(entry, nested.get(key)) for key, entry in value.items()}


def _of_target(target: str) -> dict[str, Any]:
    if target not in KNOWN_TARGETS:  # results are untrusted: other names are not imported
        return {}
    try:
        return _defaults(signature_of(target).parameters, built=True)
    except ValueError:  # the code no longer exists
        return {}


def _defaults(parameters: Mapping[str, Parameter], built: bool) -> dict[str, Any]:
    """Defaults as a configuration writes them; objects that are `built` by a `_target_` name it."""
    defaults = {}
    for name, parameter in parameters.items():
        default = parameter.default
        if is_dataclass(default) and not isinstance(default, type):
            kind = type(default)
            default = ({"_target_": f"{kind.__module__}.{kind.__name__}"} if built else {}) | asdict(default)
        if default is not REQUIRED and isinstance(default, str | int | float | list | tuple | dict | None):
            defaults[name] = _lists(default)
    return defaults


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(entry) for key, entry in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _dataclass(hint: Any) -> Group:
    """The dataclass of a field such as `ScratchConfig | None`."""
    return next((kind for kind in (hint, *get_args(hint)) if isinstance(kind, type) and is_dataclass(kind)), None)
