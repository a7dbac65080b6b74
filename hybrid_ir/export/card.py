"""The model card of an exported encoder: usage, training and results."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.export.card_tables import backbone_on_hub, bias_tables, corpora, markdown, result_tables, training_table
from hybrid_ir.export.onnx import GRAPH
from hybrid_ir.export.origin import Origin
from hybrid_ir.sources.untrusted import for_code, for_json, for_markdown

TEMPLATES = Path(__file__).parent / "templates"
TAGS = ["sentence-transformers", "dense-retrieval", "multilingual", "cross-lingual", "hybrid_ir"]
POOLINGS = {
    "mean": "the mean of its token states",
    "cls": "the state of its first token",
    "pooler": "tanh(W h + b) of the state h of its first token",
}


def model_card(
    name: str, encoder: TextEncoder, origin: Origin, facts: Mapping[str, Any], license_name: str | None, onnx: bool
) -> str:
    """The text of `README.md`: YAML front matter and Markdown.

    Args:
        name: name of the model, which the examples load.
        encoder: the encoder, without adapters.
        origin: origin of its weights.
        facts: `weights`, `hybrid_ir`, `commit` and `libraries` of the export.
        license_name: licence of the weights; None if unknown, which the card states.
        onnx: whether the folder has an ONNX graph.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"markdown": markdown, "quoted": _quoted, "plain": for_markdown, "code": for_code}
    metrics, rows = (origin.results.metrics, origin.results.rows) if origin.results else ({}, ())
    text: str = environment.get_template("card.md").render(
        front_matter=_front_matter(name, origin, license_name).to_yaml(),
        name=name,
        width=encoder.backbone.config.hidden_size,
        pooling=encoder.pooling,
        pooled=POOLINGS[encoder.pooling],
        prefixes=encoder.tokenizer.prefixes,
        limits={kind: int(limit) for kind, limit in encoder.tokenizer.max_lengths.items()},
        training=training_table(origin),
        corpora=corpora(origin),
        origin=origin,
        results=result_tables(metrics, origin.before),
        bias=bias_tables(rows),
        facts=facts,
        license=license_name,
        graph=GRAPH if onnx else None,
    )
    return text


def _quoted(text: str) -> str:
    """A Python string literal with invisible characters and backticks escaped, for code blocks."""
    return for_json(json.dumps(text, ensure_ascii=False)).replace("`", "\\u0060")


def _front_matter(name: str, origin: Origin, license_name: str | None) -> ModelCardData:
    languages = {language for corpus in corpora(origin).values() for language in corpus["languages"]}
    return ModelCardData(
        model_name=name,
        base_model=backbone_on_hub(origin),
        language=sorted(languages) or None,
        license=license_name,
        library_name="sentence-transformers",
        pipeline_tag="sentence-similarity",
        tags=TAGS,
    )
