"""Small corpora of passages, and indexes of them by an encoder without a model."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hybrid_ir.evaluation.vectors.encoder import Encoder
from hybrid_ir.search.index.build_index import IndexOptions, build_index
from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.search.index.reference import Reference
from tests.evaluation.benchmarks.miracl_files import write_lines
from tests.evaluation.samples import HashEncoder

LANGUAGES = ("de", "en", "sw")


def rows(count: int = 47, languages: Sequence[str] = LANGUAGES) -> list[dict[str, Any]]:
    """Passages whose languages alternate; every fifth has a title."""
    return [
        {"id": f"p{number}", "text": f"passage {number}", "language": languages[number % len(languages)]}
        | ({"title": f"Title {number}"} if number % 5 == 0 else {})
        for number in range(count)
    ]


def write_jsonl(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    write_lines(path, [json.dumps(record, ensure_ascii=False) for record in records])
    return path


def write_parquet(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist([dict(record) for record in records]), path)
    return path


def make(folder: Path, *files: Path, encoder: Encoder | None = None, **options: Any) -> Index:
    """An index in blocks of ten passages."""
    encoder = encoder or HashEncoder()
    reference = Reference("model", {"name_or_path": "none"}, dict(encoder.describe()))  # type: ignore[attr-defined]
    return build_index(folder, files, encoder, reference, IndexOptions(**{"block_size": 10, **options}))


def content(folder: Path, leave_out: Callable[[Path], bool] = lambda path: False) -> dict[str, bytes]:
    """All files of an index, drafts left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if not leave_out(path)}
