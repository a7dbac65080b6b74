"""Safety check of a published model: its JSON files are checked before a library loads the model.

`trust_remote_code=False` disables a model's Python files. Its JSON files can still request a lot: arguments that
sentence-transformers passes on to transformers (`weights_only`), modules of any class, and kernels and further models
from the hub. All of that is refused here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from transformers.utils import cached_file

from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.json_file import read_json_value

ATTENTION = ("sdpa", "eager", "flash_attention_2")  # built into transformers; `owner/kernel` is code from the hub
KERNELS = ("attn_implementation", "_attn_implementation", "_attn_implementation_internal")
SUBMODELS = (  # keys that name models within the model, which transformers would load from the hub
    "backbone", "backbone_config", "use_timm_backbone", "use_pretrained_backbone", "timm_model",
    "base_model_name_or_path",
    "quantization_config", "use_kernels", "kernel_config", "experts_implementation", "_experts_implementation",
)  # fmt: skip
TEXT_ENCODERS = frozenset((  # architectures that only embed text: no image towers, no kernels from the hub
    "albert", "bert", "bert-generation", "big_bird", "camembert", "convbert", "data2vec-text", "deberta",
    "deberta-v2", "distilbert", "electra", "ernie", "eurobert", "flaubert", "fnet", "funnel", "gemma", "gemma2",
    "gemma3_text", "gte", "ibert", "llama", "longformer", "luke", "megatron-bert", "mistral", "mobilebert",
    "modernbert", "mpnet", "mt5", "nomic_bert", "nystromformer", "qwen2", "qwen3", "rembert", "roberta",
    "roberta-prelayernorm", "roc_bert", "roformer", "squeezebert", "t5", "umt5", "xlm", "xlm-roberta",
    "xlm-roberta-xl", "xmod",
))  # fmt: skip

MODULES, SETTINGS, CONFIG, ADAPTER = (
    "modules.json", "config_sentence_transformers.json", "config.json", "adapter_config.json"
)  # fmt: skip
_MODULE = re.compile(
    r"sentence_transformers\.(?:models|base\.modules|sentence_transformer\.modules)(?:\.(?:transformer|pooling|dense|"
    r"normalize|Transformer|Pooling|Dense|Normalize))?\.(Transformer|Pooling|Dense|Normalize)"
)
_ACTIVATION = re.compile(r"torch\.nn\.modules\.(activation\.[A-Za-z]+|linear\.Identity)")
_ARGUMENTS = re.compile(r".*(args|kwargs)")
_SETTINGS_OF = {  # allowed module -> the settings files that sentence-transformers reads for it
    "Transformer": tuple(
        f"sentence_{name}_config.json"
        for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
    ),
    "Pooling": (CONFIG,),
    "Dense": (CONFIG,),
    "Normalize": (CONFIG,),
}
_METHODS = ("forward",)  # methods of the model that a module's settings may name


def check_backbone(name_or_path: str, source: Mapping[str, Any]) -> None:
    """Check that a backbone's configuration does not request kernels, other models or adapters.

    Args:
        name_or_path: folder, or name on the hub.
        source: `revision` and `local_files_only`, see `hub_source`.

    Raises:
        InputError: it does. Names file and key.
    """
    _check_transformer(_Model(name_or_path, source), "")


def check_sentence_model(name_or_path: str, source: Mapping[str, Any]) -> None:
    """Check that a sentence-transformers model consists only of a transformer, pooling, normalising and dense layers.

    Raises:
        InputError: it requests something else. Names the file and the request.
    """
    model = _Model(name_or_path, source)
    path, modules = model.read(MODULES)
    if path is None:
        _check_transformer(model, "")
        return
    _check_settings(model)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise InputError(path, "must hold a list of modules")
    for module in modules:
        kind = _MODULE.fullmatch(str(module.get("type")))
        if kind is None:
            raise InputError(
                path, f"the module {module.get('type')!r} is not allowed; allowed are {', '.join(_SETTINGS_OF)}"
            )
        folder = str(module.get("path", ""))
        if PurePosixPath(folder).is_absolute() or ".." in PurePosixPath(folder).parts or "\\" in folder:
            raise InputError(path, f"the module's path {folder!r} is outside the model's folder")
        if module.get("kwargs"):
            raise InputError(path, f"a module has kwargs {module['kwargs']!r}, which are not allowed")
        _check_module(model, kind[1], folder)


class _Model:
    """The small files of a model, local or on the hub."""

    def __init__(self, name_or_path: str, source: Mapping[str, Any]) -> None:
        self.name, self.source = name_or_path, source

    def path(self, filename: str) -> Path | None:
        """Local path of a file, downloaded if necessary; None if the model does not have it."""
        if Path(self.name).is_dir():
            path = Path(self.name) / filename
            return path if path.exists() else None
        found = cached_file(
            self.name,
            filename,
            **self.source,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
            _raise_exceptions_for_gated_repo=False,
        )
        return None if found is None else Path(found)

    def read(self, filename: str) -> tuple[Path | None, Any]:
        """Local path and value of a JSON file; None and None if the model does not have it."""
        path = self.path(filename)
        return path, None if path is None else read_json_value(path)

    def mapping(self, filename: str) -> tuple[Path | None, Mapping[str, Any]]:
        """Like `read`, for a file that must hold a JSON object."""
        path, value = self.read(filename)
        if path is not None and not isinstance(value, dict):
            raise InputError(path, f"holds a {type(value).__name__}; expected a JSON object")
        return path, value or {}


def _check_transformer(model: _Model, folder: str) -> None:
    prefix = f"{folder}/" if folder else ""
    if (adapter := model.path(prefix + ADAPTER)) is not None:
        raise InputError(adapter, "the folder holds an adapter, which loads another model; merge it first")
    path, config = model.mapping(prefix + CONFIG)
    if path is not None and (fault := config_fault(config)):
        raise InputError(path, fault)


def config_fault(config: Mapping[str, Any]) -> str | None:
    """The first forbidden request in a transformers configuration, at any depth; None if there is none."""
    for key, value in _entries(config):
        if key in KERNELS and not _known_attention(value):
            return f"{key} must be {' or '.join(ATTENTION)}, got {value!r}; a kernel from the hub is code"
        if key in SUBMODELS and value not in (None, False):
            return f"{key} is {value!r:.60}: a model within the model is not allowed"
    return None


def _known_attention(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_known_attention, value.values()))
    return value is None or value in ATTENTION


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield from ((str(key), entry) for key, entry in node.items())
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _check_settings(model: _Model) -> None:
    path, settings = model.mapping(SETTINGS)
    kind = settings.get("model_type", "SentenceTransformer")
    if path is not None and kind != "SentenceTransformer":
        raise InputError(path, f"model_type is {kind!r}; expected SentenceTransformer")
    if path is not None:
        _refuse_arguments(path, settings)


def _check_module(model: _Model, kind: str, folder: str) -> None:
    prefix = f"{folder}/" if folder else ""
    for name in _SETTINGS_OF[kind]:
        path, config = model.mapping(prefix + name)
        if path is None:
            continue
        _refuse_arguments(path, config)
        activation = config.get("activation_function")
        if activation is not None and not _ACTIVATION.fullmatch(str(activation)):
            raise InputError(path, f"activation_function is {activation!r}; expected one of torch.nn")
        if config.get("transformer_task", "feature-extraction") != "feature-extraction":
            raise InputError(path, f"transformer_task is {config['transformer_task']!r}; expected feature-extraction")
        methods = [value for key, value in _entries(config) if key == "method"]
        if unknown := [method for method in methods if method not in _METHODS]:
            raise InputError(path, f"the module calls the model's method {unknown[0]!r}; expected forward")
    if kind == "Transformer":
        _check_transformer(model, folder)


def _refuse_arguments(path: Path, config: Mapping[str, Any]) -> None:
    for key, value in _entries(config):
        if _ARGUMENTS.fullmatch(key) and value not in (None, {}, []):
            raise InputError(
                path,
                f"{key} is {json.dumps(value):.80}; a model must not pass arguments to the libraries that load it",
            )
