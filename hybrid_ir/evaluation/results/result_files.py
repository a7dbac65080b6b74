"""Results as files: `results.json` for programs and people, CSV for spreadsheets, TREC runs. Complete or absent."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_ir.evaluation.measures.measures import Measure
from hybrid_ir.evaluation.results.result import COLUMNS, Result, Row
from hybrid_ir.evaluation.results.settings import Setting
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.trec_run import write_run

VERSION = 1


@dataclass(frozen=True)
class StoredResults:
    """What a results file holds.

    Attributes:
        metrics: all metrics of all benchmarks, by name.
        rows: the same by setting, with the number of queries.
        benchmarks: name -> `languages`, `queries` and `passages` (counts by language), `fingerprint`, `seconds`,
            `notes`.
        provenance: what was evaluated and by which code, as it was handed in.
    """

    metrics: Mapping[str, float]
    rows: tuple[Row, ...]
    benchmarks: Mapping[str, Any]
    provenance: Mapping[str, Any]


def write_results(path: str | Path, results: Sequence[Result], provenance: Mapping[str, Any]) -> None:
    """Write one JSON file for the results of one model.

    Raises:
        ValueError: two results are of the same benchmark, so their metrics would have the same names.
    """
    names = [result.benchmark for result in results]
    if len(set(names)) < len(names):
        raise ValueError(f"one file holds one result a benchmark, not {', '.join(names)}")
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
    """Read what `write_results` wrote.

    Raises:
        InputError: the file cannot be read, is not JSON, or is of another version or form.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(path, f"not JSON: {error.msg}", line=error.lineno) from None
    except OSError as error:
        raise InputError(path, f"cannot be read: {error.strerror}") from None
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise InputError(path, f"results of version {version!r}; this code reads version {VERSION}")
    try:
        return StoredResults(
            metrics=content["metrics"],
            rows=tuple(_row(entry) for entry in content["settings"]),
            benchmarks=_with_notes(content["benchmarks"]),
            provenance=_with_notes_of_corpora(content["provenance"]),
        )
    except KeyError as error:
        raise InputError(path, f"results of version {VERSION} without {error}") from None


def write_runs(folder: Path, result: Result) -> None:
    """Write the best passages that a result has: `xquad_r.multilingual.trec`, `xquad_r.monolingual.trec`.

    The former ranks passages of all languages, the latter those of the query's own.
    """
    for pool, top in result.top.items():
        rows = zip(top.queries, top.passages.tolist(), top.scores.tolist(), strict=True)
        lists = (
            (query, [(key.decode(), score) for key, score in zip(passages, scores, strict=True) if key])
            for query, passages, scores in rows
        )
        write_run(folder / f"{result.benchmark}.{pool}.trec", lists, tag="hybrid_ir")


def _with_notes(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Name -> facts, with `notes` if version 0.1 wrote `remarks`."""
    return {
        name: {"notes" if key == "remarks" else key: value for key, value in each.items()}
        for name, each in facts.items()
    }


def _with_notes_of_corpora(provenance: Mapping[str, Any]) -> Mapping[str, Any]:
    corpora = provenance.get("corpora")
    return {**provenance, "corpora": _with_notes(corpora)} if corpora else provenance


def write_table(path: str | Path, results: Sequence[Result]) -> None:
    """Write every measure of every setting as CSV with the columns `COLUMNS`."""
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(row.cells for result in results for row in result.rows)


def _row(cells: Mapping[str, Any]) -> Row:
    setting = Setting(cells["setting"], cells["query_language"], cells["pool"])
    return Row(cells["benchmark"], setting, Measure.parse(cells["measure"]), cells["value"], cells["queries"])
