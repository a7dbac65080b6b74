"""What a configuration of older code would say of fields that came later: a field that is absent had its default."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

import omegaconf
from hydra.utils import get_object

from hybrid_ir.config.known_targets import KNOWN_TARGETS
from hybrid_ir.config.renamed import current_target
from hybrid_ir.config.schemas import losses, samplers
from hybrid_ir.config.schemas.programs import EvaluateSchema, TrainSchema

OURS = "hybrid_ir."


def with_defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with the defaults of the fields that it lacks, at any depth.

    Defaults are those of the schemas in `hybrid_ir.config.schemas` and, of what this package builds by `_target_`, of
    the signature. A target that is gone, or is not of this package, gets none.

    Args:
        config: resolved, as a results file has it: of `train.py` where it names a sampler, otherwise of `evaluate.py`.
    """
    filled = _filled(config, TrainSchema if config.get("sampler") else EvaluateSchema)
    assert isinstance(filled, dict)
    return filled


def _filled(value: Any, schema: type | None) -> Any:
    if isinstance(value, list):
        return [_filled(entry, None) for entry in value]
    if not isinstance(value, Mapping):
        return value
    target = value.get("_target_")
    if isinstance(target, str) and target.startswith(OURS):
        target = current_target(target)
        value = {**_of_signature(target), **value, "_target_": target}
        schema = _built().get(target, schema)
    nested: dict[str, type | None] = {}
    if schema is not None:
        nested = {name: _schema_within(hint) for name, hint in get_type_hints(schema).items()}
        value = {**_of_schema(schema), **value}
    return {key: _filled(entry, nested.get(key)) for key, entry in value.items()}


@cache
def _built() -> dict[str, type]:
    """Target -> the schema of what it is built from."""
    choices = (*vars(losses).values(), *vars(samplers).values())
    known = (kind for kind in choices if isinstance(kind, type) and is_dataclass(kind))
    return {str(entry.default): kind for kind in known for entry in fields(kind) if entry.name == "_target_"}


@cache
def _of_schema(schema: type) -> dict[str, Any]:
    return dict(_defaults(fields(schema)))


def _defaults(declared: tuple[Field[Any], ...]) -> Iterator[tuple[str, Any]]:
    for entry in declared:
        value = entry.default if entry.default_factory is MISSING else entry.default_factory()
        if value is not MISSING and value != omegaconf.MISSING:
            yield entry.name, asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


@cache
def _of_signature(target: str) -> dict[str, Any]:
    if target not in KNOWN_TARGETS:  # results may be anybody's: what they name is not imported
        return {}
    try:
        parameters = inspect.signature(get_object(target)).parameters.values()
    except (ImportError, ValueError, TypeError):  # results outlive code
        return {}
    return {each.name: each.default for each in parameters if isinstance(each.default, str | int | float | None)}


def _schema_within(hint: Any) -> type | None:
    """The dataclass of a field such as `ScratchConfig | None`."""
    kinds = (hint, *get_args(hint))
    return next((kind for kind in kinds if isinstance(kind, type) and is_dataclass(kind)), None)
