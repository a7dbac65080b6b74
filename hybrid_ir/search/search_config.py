"""What the command that searches an index takes."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

NONE, CENTROID, ROUND_ROBIN = "none", "centroid", "round_robin"
BALANCES = (NONE, CENTROID, ROUND_ROBIN)
FORMATS = ("table", "jsonl", "trec")
OWN = "own"


@dataclass
class SearchConfig:
    """What is asked of which index.

    Attributes:
        index: its folder.
        query: one question.
        queries: a file of questions.
        k: passages to find for each.
        language: languages of the passages that are searched: one, a list of them, `own` for that of each question, or
            None for all.
        balance: what is done about an encoder that favours languages; see `hybrid_ir.search.balance`.
        backend: `exact` or `faiss`.
        format: `table`, `jsonl` or `trec`.
        out: a file to write to; None for the terminal.
        encoder: where the index's encoder lies now, if it was moved.
    """

    index: str = MISSING
    query: str | None = None
    queries: str | None = None
    k: int = 10
    language: Any = None
    balance: str = NONE
    backend: str = "exact"
    format: str = "table"
    out: str | None = None
    encoder: str | None = None
