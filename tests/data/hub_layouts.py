"""The paper's training sets as tiny files in the layouts of their repositories, with rows that must be left out."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from hybrid_ir.data.readers import mmarco

SIZE = 6  # good rows of each table

Row = dict[str, Any]
PLOT = "It begins. Max meets Ann{} at sea. They sail on. It ends."
NEWS = "Ann is in Rome.\n\n\n\nToday Ann{} came home. All is well."


class Table(NamedTuple):
    """A table of the hub.

    Attributes:
        path: owner/name/path.
        good: rows to read, with the question and passages that they give.
        odd: rows that are left out, with a part of the note, or None if they are not chosen.
    """

    path: str
    good: Sequence[tuple[Row, str, Sequence[str]]]
    odd: Sequence[tuple[Row, str | None]]

    def write(self, root: Path) -> Path:
        path = root / self.path
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [row for row, *_ in self.good] + [row for row, _ in self.odd]
        if path.suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        else:
            lines = "\ufeff" + "".join(json.dumps(row) + "\n" for row in rows)
            path.write_bytes(gzip.compress(lines.encode()) if path.suffix == ".gz" else lines.encode())
        return path


def _duorc(plot: str, answers: list[str] | None, no_answer: bool = False) -> Row:
    return {"plot_id": "p", "plot": plot, "title": "t", "question_id": "q", "answers": answers, "no_answer": no_answer}


def _newsqa(question: str | None, context: str, answers: list[str], start: int) -> Row:
    labels = [{"end": [start + 3], "start": [start]}]
    return {"context": context, "question": question, "answers": answers, "key": "k", "labels": labels}


def _passage(text: str, title: str = "T") -> Row:
    return {"docid": "1#0", "text": text, "title": title}


def _tydi(query: str, positives: list[Row], negatives: list[Row] | None = None) -> Row:
    return {"query_id": "1", "query": query, "positive_passages": positives, "negative_passages": negatives or []}


def _wikiqa(question: str, answer: str, label: int) -> Row:
    return {"question_id": "Q1", "question": question, "document_title": "t", "answer": answer, "label": label}


def _page(*pairs: tuple[str | None, str]) -> Row:
    found = [{"question": question, "answer": answer, "language": "en"} for question, answer in pairs]
    return {"id": 1, "domain": "d", "language": "en", "num_pairs": len(pairs), "qa_pairs": found}


NUMBERS = range(SIZE)
TABLES = {
    "mfaq": Table(
        "clips/mfaq/data/en/train.jsonl",
        [(_page((f"How {n}?", f"So {n}.")), f"How {n}?", [f"So {n}."]) for n in NUMBERS],
        [(_page((None, "x")), "jsonl:7: 'question' is NoneType"), (_page(("x?", " ")), "jsonl:8: 'answer' is empty")],
    ),
    "natural_questions": Table(
        "sentence-transformers/natural-questions/pair/train-00000-of-00001.parquet",
        [({"query": f"who is {n}", "answer": f"{n} is."}, f"who is {n}", [f"{n} is."]) for n in NUMBERS],
        [({"query": "x", "answer": None}, "row 6: 'answer' is NoneType")],
    ),
    "newsqa": Table(
        "lucadiliello/newsqa/data/train-00000-of-00001-ec54fbe500fc3b5c.parquet",
        [(_newsqa(f"Who {n}?", NEWS.format(n), ["Ann"], 25), f"Who {n}?", [NEWS.format(n)]) for n in NUMBERS],
        [(_newsqa("x?", NEWS, ["Bob"], 0), "none of the answers ['Bob'] is in 'context'"),
         (_newsqa(" ", NEWS, ["Ann"], 0), "row 7: 'question' is empty")],
    ),
    "duorc": Table(
        "ibm-research/duorc/SelfRC/train-00000-of-00001.parquet",
        [(_duorc(PLOT.format(n), ["nobody", f"ann{n}"]) | {"question": f"Whom {n}?"}, f"Whom {n}?", [PLOT.format(n)])
         for n in NUMBERS],
        [(_duorc(PLOT, [], no_answer=True) | {"question": "x?"}, None),
         (_duorc(PLOT, None) | {"question": "x?"}, "row 7: 'answers' has no answer for 'plot'"),
         (_duorc(PLOT, ["sai"]) | {"question": "x?"}, "row 8: none of the answers ['sai'] is in 'plot'")],
    ),
    "mr_tydi": Table(
        "castorini/mr-tydi/mrtydi-v1.1-english/train.jsonl.gz",
        [(_tydi(f"When {n}?", [_passage(f"In {n}."), _passage(f"At {n}.", "")], [_passage(f"Not {n}.")]),
          f"When {n}?", [f"T\nIn {n}.", f"At {n}."]) for n in NUMBERS],
        [(_tydi("x?", []), "gz:7: 'positive_passages' is empty")],
    ),
    "wikiqa": Table(
        "microsoft/wiki_qa/data/train-00000-of-00001.parquet",
        [(_wikiqa(f"why {n // 2}", f"as {n}", 1), f"why {n // 2}", [f"as {n}"]) for n in NUMBERS],
        [(_wikiqa("why 0", "as it is", 0), None), (_wikiqa("why x", "", 1), "row 7: 'answer' is empty")],
    ),
}  # fmt: skip


def write_paper_sets(root: Path) -> None:
    """All tables, and mMARCO in seven languages: `SIZE` questions with two triples each."""
    for table in TABLES.values():
        table.write(root)
    folder = root / mmarco.REPOSITORY
    lines = {mmarco.TRIPLES: [f"{n}\t{n}\t{other}" for n in NUMBERS for other in (SIZE + n, 2 * SIZE + n)]}
    for code in mmarco.PAPER_LANGUAGES:
        name = mmarco.LANGUAGE_NAMES[code]
        lines[f"data/google/queries/train/{name}_queries.train.tsv"] = [f"{n}\t{code} what is {n}" for n in NUMBERS]
        texts = [f"{n}\t{code} it is {n}" for n in range(3 * SIZE)]
        lines[f"data/google/collections/{name}_collection.tsv"] = texts
    for path, content in lines.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("\n".join(content) + "\n", encoding="utf-8")
