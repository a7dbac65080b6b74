"""Writes the files of a model folder for transformers and sentence-transformers.

The format is that of sentence-transformers up to version 5.3, with full module names and one boolean for each pooling
mode. Newer versions read it, too, and other programs read only this format.
"""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import nn
from transformers import PreTrainedTokenizerFast

from hybrid_ir.encoder.loading.sentence_layout import MODES, MODULES, PASSAGES, QUERY, SETTINGS, TRANSFORMER
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import tokenizer_from_files

POOLING, DENSE = "1_Pooling", "2_Dense"
TRACES = ("is_local", "local_files_only", "max_length", "stride", "truncation_strategy")


def write_layout(folder: Path, encoder: TextEncoder) -> None:
    """Write all files of an encoder without adapters into an existing folder; weights are safetensors only.

    A sentence-transformers model has one length limit for all texts: the larger of those of queries and passages.

    Raises:
        ValueError: the pooler of this backbone is not a dense layer with tanh, which the layout cannot describe.
    """
    assert encoder.lora is None, "adapters are merged before an export"
    dense = _dense(encoder) if encoder.pooling == "pooler" else None
    longest = max(encoder.tokenizer.max_lengths.values())
    encoder.backbone.save_pretrained(folder)
    _write_tokenizer(folder, encoder, longest)
    prefixes, width = encoder.tokenizer.prefixes, encoder.backbone.config.hidden_size
    states = "mean" if encoder.pooling == "mean" else "cls"
    modules = {"Transformer": "", "Pooling": POOLING, "Dense": DENSE, "Normalize": "3_Normalize"}
    if dense is None:
        modules = {"Transformer": "", "Pooling": POOLING, "Normalize": "2_Normalize"}
    files: dict[str, Any] = {
        MODULES: [
            {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{name}"}
            for index, (name, path) in enumerate(modules.items())
        ],
        SETTINGS: {
            "model_type": "SentenceTransformer",
            "prompts": {QUERY: prefixes["query"], PASSAGES[0]: prefixes["passage"]},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        TRANSFORMER: {"max_seq_length": longest, "do_lower_case": False},
        f"{POOLING}/config.json": {
            "word_embedding_dimension": width,
            **{key: name == states for key, name in MODES.items()},
            "include_prompt": True,
        },
    }
    if dense is not None:
        files[f"{DENSE}/config.json"] = {
            "in_features": dense.in_features,
            "out_features": dense.out_features,
            "bias": True,
            "activation_function": "torch.nn.modules.activation.Tanh",
        }
    for path in modules.values():
        (folder / path).mkdir(exist_ok=True)
    for name, content in files.items():
        write_json(folder / name, content)
    if dense is not None:
        state = {f"linear.{key}": value.detach().cpu().contiguous() for key, value in dense.state_dict().items()}
        save_file(state, folder / DENSE / "model.safetensors", metadata={"format": "pt"})


def write_json(path: Path, content: Any) -> None:
    """Write plain containers as indented JSON."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _write_tokenizer(folder: Path, encoder: TextEncoder, longest: int) -> None:
    """Write the tokenizer without settings left over from loading and calling it."""
    tokenizer = tokenizer_from_files(encoder.tokenizer.files())
    tokenizer.model_max_length, tokenizer.padding_side = longest, "right"  # as this encoder pads
    if isinstance(tokenizer, PreTrainedTokenizerFast):
        tokenizer.backend_tokenizer.no_truncation()
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    config = {key: value for key, value in json.loads(path.read_text(encoding="utf-8")).items() if key not in TRACES}
    if config.get("tokenizer_class") == "TokenizersBackend":  # a name of transformers 5, unknown to version 4
        config["tokenizer_class"] = "PreTrainedTokenizerFast"
    write_json(path, config)


def _dense(encoder: TextEncoder) -> nn.Linear:
    """The layer W, b of the pooler tanh(W h_cls + b)."""
    layers = dict(encoder.backbone.pooler.named_children())  # type: ignore[union-attr]
    dense = layers.get("dense")
    known = layers.keys() == {"dense", "activation"} and isinstance(layers["activation"], nn.Tanh)
    if not known or not isinstance(dense, nn.Linear):
        raise ValueError(
            f"the pooler of a {type(encoder.backbone).__name__} is not tanh(W h_cls + b), the only one that the "
            "layout of sentence-transformers has; train with model.pooling=mean or cls to export"
        )
    return dense
