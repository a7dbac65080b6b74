"""What a sentence-transformers folder states about its model: pooling, prompts and length limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers.utils import cached_file

from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.hub.fetch import UnreachableError
from hybrid_ir.sources.hub.repository import hub_source
from hybrid_ir.sources.json_file import read_json_value

MODULES, SETTINGS, TRANSFORMER = "modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"
OWN = "hybrid_ir.json"  # our file for what the layout has no field for: separate limits of queries and passages
QUERY, PASSAGES = "query", ("document", "passage", "corpus")  # prompt names, the preferred first
NO_LIMIT = 10**6  # tokenizers without a limit state a huge number
MODES = {  # pooling modes: the flags of older versions -> the names of newer ones
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}

Read = Callable[[str], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Usage:
    """The fields of `ModelConfig` that decide what a backbone's vectors are; None for a limit that is not stated."""

    pooling: str
    query_prefix: str
    passage_prefix: str
    max_query_length: int | None
    max_passage_length: int | None


def read_usage(name_or_path: str, revision: str | None = None) -> Usage | None:
    """Pooling, prompts and length limits of a folder or hub model; None if it is not a sentence-transformers model.

    For a hub model, only these small files are read, at the commit of the weights; from the hub's cache if the hub
    cannot be reached.

    Raises:
        UnreachableError: it is not a folder, and neither the hub nor its cache has it.
        ValueError: a `TextEncoder` cannot represent the model, or a file is damaged; the message names the cause.
    """
    source = hub_source(name_or_path, revision)

    def read(filename: str) -> Any:
        path = cached_file(
            name_or_path,
            filename,
            **source,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
            _raise_exceptions_for_gated_repo=False,
        )
        if path is None:
            return None
        content = read_json_value(path)
        if filename != MODULES and not isinstance(content, dict):
            raise InputError(path, f"holds a {type(content).__name__}; expected a JSON object")
        return content

    if not Path(name_or_path).is_dir() and read("config.json") is None:
        raise UnreachableError(
            f"the model {name_or_path}", "it is not a folder, and neither the hub nor its cache has it"
        )
    modules = read(MODULES)
    if modules is None:
        return None
    settings = read(SETTINGS) or {}
    try:
        paths = _paths(modules)
        pooling = _pooling(paths, read)
        _check_similarity(paths, settings)
        prompts = _prompts(settings)
        limit = _limit(read, TRANSFORMER, "max_seq_length") or _limit(read, "tokenizer_config.json", "model_max_length")
        limits = [_limit(read, OWN, f"max_{kind}_length") or limit for kind in ("query", "passage")]
    except InputError:
        raise
    except ValueError as error:
        raise ValueError(
            f"{name_or_path} {error}, which this encoder cannot represent; evaluate it with "
            f"baseline=sentence_transformers baseline.name_or_path={name_or_path}"
        ) from None
    default = prompts.get(str(settings.get("default_prompt_name")), "")
    return Usage(
        pooling,
        prompts.get(QUERY, default),
        next((prompts[name] for name in PASSAGES if name in prompts), default),
        *limits,
    )


def _paths(modules: Any) -> dict[str, str]:
    """Kind of module -> folder with its files."""
    try:
        paths = {module["type"].rpartition(".")[2]: module["path"] for module in modules}
    except (TypeError, KeyError, AttributeError):
        raise ValueError(f"has a {MODULES} that is not a list of modules") from None
    if len(paths) < len(modules):
        raise ValueError("has several modules of one kind")
    return paths


def _pooling(paths: Mapping[str, str], read: Read) -> str:
    """The name in `POOLINGS` of what the modules compute."""
    if unknown := sorted(paths.keys() - {"Transformer", "Pooling", "Dense", "Normalize"}):
        raise ValueError(f"has a module {unknown[0]}")
    if paths.get("Transformer") != "" or "Pooling" not in paths:
        raise ValueError("has no transformer in its folder itself, or no pooling")
    if (read(TRANSFORMER) or {}).get("do_lower_case"):
        raise ValueError("lower-cases texts outside its tokenizer")
    config = read(f"{paths['Pooling']}/config.json") or {}
    mode = config.get("pooling_mode")  # newer versions write a name, or a list of them
    modes = [mode] if isinstance(mode, str) else mode or [key for key in config if config[key] is True and key in MODES]
    pooling = " and ".join(MODES.get(name, name) for name in map(str, modes))
    if pooling not in ("mean", "cls"):
        raise ValueError(f"pools token states by {pooling or 'nothing known'}")
    if config.get("include_prompt") is False:
        raise ValueError("leaves the prompt out of its pooling")
    if "Dense" not in paths:
        return pooling
    dense = read(f"{paths['Dense']}/config.json") or {}
    activation = str(dense.get("activation_function")).rpartition(".")[2]
    square = dense.get("in_features") == dense.get("out_features")
    if pooling != "cls" or activation != "Tanh" or not square or not dense.get("bias", True):
        raise ValueError(f"has a dense layer ({activation}, after {pooling}) other than tanh(W h_cls + b)")
    return "pooler"


def _check_similarity(paths: Mapping[str, str], settings: Mapping[str, Any]) -> None:
    similarity = settings.get("similarity_fn_name") or "cosine"
    if "Normalize" not in paths and similarity != "cosine":
        raise ValueError(f"compares vectors of any length by {similarity}")


def _prompts(settings: Mapping[str, Any]) -> dict[str, str]:
    prompts = settings.get("prompts") or {}
    if not isinstance(prompts, dict) or not all(isinstance(text, str | None) for text in prompts.values()):
        raise ValueError(f"has prompts in its {SETTINGS} that are not texts by name")
    return {name: text for name, text in prompts.items() if text is not None}


def _limit(read: Read, filename: str, key: str) -> int | None:
    """The length limit in tokens that a file states; None if it states none."""
    limit = (read(filename) or {}).get(key)
    if limit is None:
        return None
    if not isinstance(limit, int | float) or limit < 1:
        raise ValueError(f"has {key} = {limit!r} in its {filename}")
    return int(limit) if limit < NO_LIMIT else None
