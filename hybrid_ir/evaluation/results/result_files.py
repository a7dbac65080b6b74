"""Result files, written atomically: `results.json`, a CSV table and TREC runs."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_ir.evaluation.benchmarks.evaluation_set import EvaluationSet
from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.results.result import COLUMNS, Result, Row, Setting
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError, first_line
from hybrid_ir.sources.formats.trec_run import check_word, write_run
from hybrid_ir.sources.json_file import kind_of, read_json_value
from hybrid_ir.sources.records import TextKind
from hybrid_ir.sources.untrusted import for_csv, printable_values

VERSION = 1


@dataclass(frozen=True)
class StoredResults:
    """The content of a `results.json`.

    Attributes:
        metrics: metric name -> value, for all benchmarks.
        rows: the metrics of single settings, with the number of queries.
        benchmarks: name -> `languages`, `queries` and `passages` (counts by language), `fingerprint`, `seconds`,
            `notes`.
        provenance: the evaluated model and the code, as passed to `write_results`.
    """

    metrics: Mapping[str, float]
    rows: tuple[Row, ...]
    benchmarks: Mapping[str, Any]
    provenance: Mapping[str, Any]


def write_results(path: str | Path, results: Sequence[Result], provenance: Mapping[str, Any]) -> None:
    """Write one JSON file for the results of one model.

    Raises:
        ValueError: two results are of the same benchmark, so names of metrics would clash.
    """
    names = [result.benchmark for result in results]
    if len(set(names)) < len(names):
        raise ValueError(f"a results file holds one result for each benchmark, got {', '.join(names)}")
    content = {
        "version": VERSION,
        "metrics": {name: value for result in results for name, value in result.metrics.items()},
        "benchmarks": {
            result.benchmark: {
                "languages": list(result.languages),
                "queries": dict(result.queries),
                "passages": dict(result.passages),
                "fingerprint": result.fingerprint,
                "seconds": dict(result.seconds),
                "notes": list(result.notes),
            }
            for result in results
        },
        "settings": [row.cells for result in results for row in result.rows],
        "provenance": dict(provenance),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    with replacing(path) as draft:
        draft.write_text(text + "\n", encoding="utf-8")


def read_results(path: str | Path) -> StoredResults:
    """Read a file of `write_results`.

    Raises:
        InputError: the file cannot be read, is not JSON, or is of another version or form.
    """
    content = printable_values(read_json_value(path))
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise InputError(path, f"results of version {version!r}; this code reads version {VERSION}")
    try:
        _check_form(content)
        return StoredResults(
            metrics=content["metrics"],
            rows=tuple(_row(entry) for entry in content["settings"]),
            benchmarks=_with_notes(content["benchmarks"]),
            provenance=_with_notes_of_corpora(content["provenance"]),
        )
    except KeyError as error:
        raise InputError(path, f"results of version {VERSION} without {error}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(path, f"results that are not of the form that is written: {first_line(error)}") from None


NUMBER = int | float
FORM: Mapping[str, Any] = {  # expected types in a results file
    "metrics": {str: NUMBER},
    "settings": [
        {"benchmark": str, "setting": str, "query_language": str, "pool": str, "measure": str, "value": NUMBER,
         "queries": int}
    ],
    "benchmarks": {
        str: {"languages": [str], "queries": {str: int}, "passages": {str: int}, "fingerprint": str,
              "seconds": {str: NUMBER}, "notes": [str], "remarks": [str]}
    },
    "provenance": {
        "step": int, "epoch": int, "libraries": {str: str}, "hybrid_ir": str, "commit": str,
        "corpora": {str: {"languages": [str], "examples": int, "notes": [str], "remarks": [str]}},
        "config": {
            "model": dict, "optim": dict, "loss": dict, "sampler": dict, "trainer": dict, "paths": dict,
            "data": {"corpora": {str: dict}}, "eval": {"benchmarks": {str: dict}}, "callbacks": dict, "logger": dict,
        },
        "trained": {
            "model": dict, "optim": dict, "loss": dict, "sampler": dict, "trainer": dict, "paths": dict,
            "data": {"corpora": {str: dict}}, "eval": {"benchmarks": {str: dict}}, "callbacks": dict, "logger": dict,
        },
    },
}  # fmt: skip


def _check_form(value: Any, form: Any = FORM, where: str = "") -> None:
    """Raises TypeError if a value's type is not that of `form`; a nested value may also be None."""
    if value is None and where.count(".") > 0:
        return
    kind: Any = type(form) if isinstance(form, dict | list) else form
    if not isinstance(value, kind) or (isinstance(value, bool) and kind in (int, NUMBER)):
        raise TypeError(f"{where or 'the file'} is {kind_of(value)}")
    if isinstance(form, list):
        for position, entry in enumerate(value):
            _check_form(entry, form[0], f"{where}[{position}]")
    elif isinstance(form, dict) and str in form:
        for name, entry in value.items():
            _check_form(entry, form[str], f"{where}.{name:.40}")
    elif isinstance(form, dict):
        for name, inner in form.items():
            if name in value:
                _check_form(value[name], inner, f"{where}.{name}" if where else name)


def check_run_ids(benchmark: EvaluationSet) -> None:
    """Check, before anything is encoded, that the best passages can be written as a TREC run.

    Passages of a benchmark on disk are not checked.

    Raises:
        ValueError: an id has white space, which separates the columns of a run.
    """
    kinds: tuple[TextKind, ...] = ("query", "passage")
    for kind in kinds:
        for text in benchmark.texts(kind):
            try:
                check_word(text.id)
            except ValueError as error:
                raise ValueError(
                    f"benchmark {benchmark.name}: the id of {kind} {text.id!r} cannot be written to a run ({error}); "
                    "rename it, or leave out eval.save_runs"
                ) from None


def write_runs(folder: Path, result: Result) -> None:
    """Write a result's lists of best passages as `xquad_r.multilingual.trec` and `xquad_r.monolingual.trec`.

    The former ranks the passages of all languages, the latter those in the query's language.
    """
    for pool, top in result.top.items():
        rows = zip(top.queries, top.passages.tolist(), top.scores.tolist(), strict=True)
        lists = (
            (query, [(key.decode(), score) for key, score in zip(passages, scores, strict=True) if key])
            for query, passages, scores in rows
        )
        write_run(folder / f"{result.benchmark}.{pool}.trec", lists, tag="hybrid_ir")


def _with_notes(facts: Mapping[str, Any]) -> dict[str, Any]:
    """A benchmark's entry with `notes`, which version 0.1 called `remarks`."""
    return {
        name: {"notes" if key == "remarks" else key: value for key, value in each.items()}
        for name, each in facts.items()
    }


def _with_notes_of_corpora(provenance: Mapping[str, Any]) -> Mapping[str, Any]:
    corpora = provenance.get("corpora")
    return {**provenance, "corpora": _with_notes(corpora)} if corpora else provenance


def write_table(path: str | Path, results: Sequence[Result]) -> None:
    """Write every measure of every setting as CSV with the columns of `COLUMNS`."""
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        lines = (row.cells for result in results for row in result.rows)
        writer.writerows({column: for_csv(cell) for column, cell in cells.items()} for cells in lines)


def _row(cells: Mapping[str, Any]) -> Row:
    setting = Setting(cells["setting"], cells["query_language"], cells["pool"])
    return Row(cells["benchmark"], setting, Measure.parse(cells["measure"]), cells["value"], cells["queries"])
