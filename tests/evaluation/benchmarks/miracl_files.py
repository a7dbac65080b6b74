"""Small made-up files in MIRACL's layout."""

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from hybrid_ir.sources.formats.miracl_files import PassageParser
from hybrid_ir.sources.formats.passages import Corpus


def write_passages(path: Path, numbers: Iterable[int], language: str = "en") -> Path:
    """A file of passages `{number}#0` with title and text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    records = [
        {"docid": f"{number}#0", "title": f"Title {number}", "text": f"{language} passage {number}"}
        for number in numbers
    ]
    write_lines(path, [json.dumps(record) for record in records])
    return path


def write_lines(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") if path.suffix == ".gz" else path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def write_miracl(folder: Path, languages: Sequence[str] = ("en", "sw"), passages: int = 40) -> Path:
    """Two files of passages a language. Query i is the title of passage i, which is relevant; i + 1 is not."""
    for language in languages:
        corpus, topics = folder / f"miracl-corpus-v1.0-{language}", folder / f"miracl-v1.0-{language}"
        write_passages(corpus / "docs-0.jsonl.gz", range(passages // 2), language)
        write_passages(corpus / "docs-1.jsonl.gz", range(passages // 2, passages), language)
        write_lines(
            topics / "topics" / f"topics.miracl-v1.0-{language}-dev.tsv",
            [f"{n}\tTitle {n}" for n in range(0, passages, 5)],
        )
        write_lines(
            topics / "qrels" / f"qrels.miracl-v1.0-{language}-dev.tsv",
            [f"{n}\tQ0\t{n + grade}#0\t{1 - grade}" for n in range(0, passages, 5) for grade in (0, 1)],
        )
    return folder


def english(*files: Path) -> Corpus:
    return Corpus("en", files, PassageParser("en"))
