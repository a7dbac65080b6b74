"""Files of a mined corpus: the JSON lines that training reads, and the provenance next to them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.mining.negatives import Mined
from hybrid_ir.sources.atomic import replacing

PORTION = 1024  # examples read at a time
VERSION = 1


def provenance_of(path: Path) -> Path:
    """Path of a mined corpus' provenance file: `x.jsonl` -> `x.provenance.json`."""
    return path.with_suffix(".provenance.json")


def write_mined(path: Path, corpus: ParallelCorpus, mined: Mined, keep: bool, facts: Mapping[str, Any]) -> None:
    """Write the corpus with its negatives in the format of `data=parallel_jsonl`. Equal input gives equal bytes.

    Both files are written atomically, the corpus last, so a corpus always has its provenance.

    Args:
        path: the corpus, JSON lines.
        corpus: the examples.
        mined: the mined negatives of each example.
        keep: whether to append the negatives that the corpus already has.
        facts: content of the provenance file, in addition to the fingerprint and size of the corpus.
    """
    digest = hashlib.sha256()
    with replacing(path) as draft:
        with draft.open("wb") as file:
            for line in _lines(corpus, mined, keep):
                digest.update(line)
                file.write(line)
        record = {"version": VERSION, **facts, "examples": len(corpus), "sha256": digest.hexdigest()}
        with replacing(provenance_of(path)) as note:
            note.write_text(json.dumps(record, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def _lines(corpus: ParallelCorpus, mined: Mined, keep: bool) -> Iterator[bytes]:
    contents = corpus.contents("passage")
    for start in range(0, len(corpus), PORTION):
        examples = corpus.records(np.arange(start, min(start + PORTION, len(corpus))))
        chosen = mined.passages[start : start + PORTION]
        texts = iter(contents.texts(np.array([row for passages in chosen for _, _, row in passages], dtype=np.int64)))
        for example, passages in zip(examples, chosen, strict=True):
            negatives = [{language: next(texts).text[language]} for _, language, _ in passages]
            if keep:
                negatives += [dict(negative.text) for negative in example.negatives]
            record = {
                "id": example.id,
                "question": example.question.text,
                "passage": example.passage.text,
                "negatives": negatives,
            }
            yield json.dumps(record, ensure_ascii=False).encode() + b"\n"
