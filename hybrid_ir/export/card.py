"""The model card of an exported encoder: usage, training, results and language bias."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.evaluation.benchmarks.benchmark import MULTILINGUAL
from hybrid_ir.evaluation.results.console import Metrics, format_value, headline_rows, markdown_table
from hybrid_ir.evaluation.results.result import Row
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


HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")

Table = list[list[str]]  # the first row has the columns' names


def training_table(origin: Origin) -> Table:
    """A row for each training setting; only the steps if the run's configuration is unknown."""
    config, lines = origin.config, [["what", "how"]]
    if config:
        model, loss, optim = config["model"], config["loss"], config["optim"]
        learned = " at first, then learned" if loss["learn_temperature"] else ""
        lines += [
            ["backbone", _backbone(origin)],
            ["training data", "; ".join(_corpus(name, facts) for name, facts in corpora(origin).items())],
            ["batches", _batches(config["sampler"])],
            ["batch size", for_markdown(f"{config['data']['batch_size']} pairs over all processes")],
            ["loss", for_markdown(f"{_class(loss)}, temperature {loss['temperature']}{learned}")],
            [
                "learning rate",
                for_markdown(f"{optim['learning_rate']} at most, warm-up {optim['warmup']}, {optim['schedule']}"),
            ],
            ["seed", for_markdown(str(config["seed"]))],
        ]
        if (lora := model.get("lora") or {}).get("rank"):
            lora_said = f"rank {lora['rank']}, alpha {lora['alpha']}; merged into the weights"
            lines.append(["LoRA", for_markdown(lora_said)])
    return [*lines, ["optimiser steps", f"{origin.step:,}"]]


def corpora(origin: Origin) -> dict[str, Mapping[str, Any]]:
    """Training corpora by name, with `languages`, `examples` and `notes` as recorded by the run.

    If the run recorded nothing, they are taken from its configuration, and `examples` is None.
    """
    counted = (origin.results.provenance.get("corpora") if origin.results else None) or {}
    readers: Mapping[str, Any] = origin.config.get("data", {}).get("corpora", {})
    return {
        name: counted.get(name) or {"languages": reader.get("languages") or [], "examples": None, "notes": []}
        for name, reader in readers.items()
    }


def result_tables(metrics: Metrics, before: Metrics) -> dict[str, Table]:
    """Benchmark -> table with measures as rows, settings as columns, values before training in brackets."""
    tables: dict[str, Table] = {}
    rows = headline_rows(metrics)
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        named = {row.setting: row.names for row in rows if row.benchmark == benchmark}
        measures = dict.fromkeys(measure for names in named.values() for measure in names)
        tables[benchmark] = [["measure", *map(for_markdown, named)]] + [
            [for_markdown(measure), *(_cell(names.get(measure), metrics, before) for names in named.values())]
            for measure in measures
        ]
    return tables


def bias_tables(rows: Sequence[Row]) -> dict[str, Table]:
    """Benchmark -> table with query languages as rows, measures in the pool of all languages as columns.

    Benchmarks without a measure of language bias are left out, and so are shares of single languages.
    """
    tables: dict[str, Table] = {}
    for benchmark in dict.fromkeys(row.benchmark for row in rows):
        mixed = [
            row
            for row in rows
            if row.benchmark == benchmark and row.setting.kind == MULTILINGUAL and row.measure.language is None
        ]
        if not any(row.measure.compares_languages for row in mixed):
            continue
        measures = list(dict.fromkeys(row.measure.name for row in mixed))
        values = {(row.setting.query_language, row.measure.name): format_value(row.name, row.value) for row in mixed}
        tables[benchmark] = [["queries in", *map(for_markdown, measures)]] + [
            [for_markdown(language), *(values.get((language, measure), "-") for measure in measures)]
            for language in dict.fromkeys(row.setting.query_language for row in mixed)
        ]
    return tables


def markdown(table: Table) -> str:
    """The table in Markdown; columns of numbers after the first are aligned right."""
    titles, *rows = table
    numbers = all(cell[:1] in "-0123456789" for row in rows for cell in row[1:])
    return markdown_table(titles, rows, [False, *(numbers for _ in titles[1:])])


def backbone_on_hub(origin: Origin) -> str | None:
    """The backbone's name on the hub, if it came from there."""
    name = origin.config.get("model", {}).get("name_or_path")
    return name if name is not None and HUB_NAME.fullmatch(name) and not Path(name).is_dir() else None


def _backbone(origin: Origin) -> str:
    """The backbone's name; for a local folder only its last part, so that no path of the machine is published."""
    name, revision = (origin.config["model"][key] for key in ("name_or_path", "revision"))
    if name is None:
        return "trained from scratch"
    if backbone_on_hub(origin) is None:
        return f"a local folder, {for_code(Path(str(name)).name)}"
    return for_code(name) + (f", revision {for_markdown(str(revision))}" if revision else "")


def _cell(name: str | None, metrics: Metrics, before: Metrics) -> str:
    if name is None:
        return "-"
    value = format_value(name, metrics[name])
    return f"{value} ({format_value(name, before[name])})" if name in before else value


def _corpus(name: str, facts: Mapping[str, Any]) -> str:
    examples = "" if facts["examples"] is None else f", {facts['examples']:,} examples"
    languages = f" in {for_markdown(', '.join(facts['languages']))}" if facts["languages"] else ""
    return f"{for_code(name)}{examples}{languages}"


def _batches(sampler: Mapping[str, Any]) -> str:
    if "alpha" not in sampler:
        return f"{for_code(sampler['name'])}: all {for_markdown(str(sampler['kind']))}"
    schedule = sampler.get("schedule")
    course = "" if schedule is None else f" in the end (schedule: {for_markdown(_class(schedule))})"
    alpha = for_markdown(str(sampler["alpha"]))
    return f"{for_code(sampler['name'])}: monolingual with probability alpha = {alpha}{course}, else cross-lingual"


def _class(node: Mapping[str, Any]) -> str:
    return str(node["_target_"]).rpartition(".")[2]
