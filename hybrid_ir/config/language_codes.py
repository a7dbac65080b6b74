"""Language codes of a configuration in one spelling, so that they match those of data, benchmarks and indexes."""

from typing import Any

from omegaconf import Container, DictConfig, ListConfig, OmegaConf, open_dict, read_write

from hybrid_ir.sources.bcp47 import by_canonical, canonical

NAMED = ("languages", "language", "reference")  # settings that hold codes
WEIGHTS = ("question", "passage", "pairs")  # settings of LanguageWeights that map codes to something


def normalise_languages(cfg: DictConfig) -> None:
    """Write every language code in `cfg` as BCP 47 does (`EN` becomes `en`), in place.

    Raises:
        ValueError: a setting of weights names one language twice.
    """
    with read_write(cfg), open_dict(cfg):
        _normalise(cfg)


def _normalise(node: Container) -> None:
    keys: list[Any] = list(node.keys()) if isinstance(node, DictConfig) else list(range(len(node._content)))
    for key in keys:
        if OmegaConf.is_interpolation(node, key) or OmegaConf.is_missing(node, key):
            continue
        value = node[key]
        if key in NAMED and isinstance(node, DictConfig):
            node[key] = _codes(value)
        elif isinstance(value, DictConfig) and str(value.get("_target_", "")).endswith(".LanguageWeights"):
            for side in WEIGHTS:
                if isinstance(value.get(side), DictConfig):
                    value[side] = _weights(f"{key}.{side}", OmegaConf.to_container(value[side]))
        elif isinstance(value, DictConfig | ListConfig):
            _normalise(value)


def _codes(value: Any) -> Any:
    if isinstance(value, ListConfig):
        return list(dict.fromkeys(_code(code) for code in value))
    return _code(value)


def _code(value: Any) -> Any:
    return canonical(value) if isinstance(value, str) else value


def _weights(key: str, value: Any) -> Any:
    if not isinstance(value, dict) or not all(isinstance(code, str) for code in value):
        return value  # for the validator to refuse, as `no: 2`, which YAML reads as false
    try:
        entries = by_canonical(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    return {code: _weights(key, entry) for code, entry in entries.items()}
