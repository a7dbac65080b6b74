"""The golden rankings: ranks and best passages of random and tied searches, as they are to stay.

    python -m tests.evaluation.golden_ranking

writes `golden_ranking.json` anew. Vectors hold small integers, so that every score is exact on every machine.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.evaluation.benchmarks.benchmark import MONOLINGUAL, MULTILINGUAL, Benchmark
from hybrid_ir.evaluation.ranking import exact_search, scoring
from hybrid_ir.evaluation.ranking.exact_search import quick_search, search
from hybrid_ir.evaluation.ranking.ranks import rank_relevant
from hybrid_ir.evaluation.ranking.scoring import VectorScorer
from hybrid_ir.evaluation.vectors.passage_block import PassageBlock

FILE = Path(__file__).with_name("golden_ranking.json")
CASES = 150


class Drawn(NamedTuple):
    """A search whose scores are exact and often tie, under ids that keep the languages apart or mix them."""

    benchmark: Benchmark
    queries: Tensor
    passages: Tensor
    k: int


def drawn(draw: np.random.Generator) -> Drawn:
    """A search in one to three languages."""
    languages = ("de", "en", "tr")[: draw.integers(1, 4)]
    prefixed = bool(draw.integers(2))
    keys = draw.permutation(np.arange(90, 90 + draw.integers(4, 40)))
    side = {lang: keys[first :: len(languages)] for first, lang in enumerate(languages)}
    passages = {lang: {f"{lang}:{key}" if prefixed else f"{key}": "p" for key in own} for lang, own in side.items()}
    every = [key for pool in passages.values() for key in pool]
    queries = {lang: {f"{lang}:q{i}": "q" for i in range(draw.integers(1, 5))} for lang in languages}
    asked = [query for pool in queries.values() for query in pool]
    most = min(6, len(every) + 1)
    qrels = {query: draw.choice(every, draw.integers(1, most), replace=False).tolist() for query in asked}
    benchmark = Benchmark.build("golden", queries, passages, qrels, [MULTILINGUAL])
    width = int(draw.choice([0, 1, 1, 2, 4, 50]))  # 0: every score ties
    vectors = [whole(draw, len(texts), width) for texts in (benchmark.queries, benchmark.passages)]
    return Drawn(benchmark, *vectors, int(draw.integers(1, 12)))


def run(number: int) -> dict[str, Any]:
    """Ranks and best passages of one search, in memory and in blocks."""
    draw = np.random.default_rng(number)
    benchmark, *vectors, k = drawn(draw)
    with mock.patch.object(scoring, "TILE", int(draw.integers(1, 7))):
        chunk = int(draw.integers(1, 9))
        ranking = rank_relevant(benchmark, VectorScorer(*vectors), chunk, {MONOLINGUAL: k, MULTILINGUAL: k})
    size = int(draw.integers(1, 15))
    ids, order = benchmark.passages.ids, draw.permutation(len(benchmark.passages))
    parts = [order[start : start + size] for start in range(0, len(order), size)]
    blocks = [PassageBlock.sort([ids[row] for row in part], vectors[1][torch.from_numpy(part)]) for part in parts]
    with mock.patch.object(exact_search, "TILE", 3), mock.patch.object(exact_search, "PASSAGE_TILE", 5):
        best = search(vectors[0], blocks, k, chunk)
        quick = quick_search(vectors[0], blocks, k, float(vectors[1].norm(dim=1).max()), chunk)
    assert (quick.passages == best.passages).all() and (quick.scores == best.scores).all()
    top = ranking.top[MULTILINGUAL]
    assert best.passages.tolist() == [
        [ids[position].encode() if position >= 0 else b"" for position in row] for row in top.passages
    ]
    assert (best.scores == top.scores).all()
    return {
        "own": ranking.own.tolist(),
        "pooled": ranking.pooled.tolist(),
        **{pool: found.passages.tolist() for pool, found in ranking.top.items()},
        "scores": np.where(np.isfinite(top.scores), top.scores, 0).astype(int).tolist(),
    }


def whole(draw: np.random.Generator, rows: int, width: int) -> Tensor:
    """float32 (rows, 3) of integers from -width to width; a third of the rows repeat others."""
    values: NDArray[np.int64] = draw.integers(-width, width + 1, (rows, 3))
    repeated = draw.random(rows) < 1 / 3
    values[repeated] = values[draw.integers(rows, size=int(repeated.sum()))]
    return torch.from_numpy(values).float()


def stored() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    lines = (json.dumps(run(number), separators=(",", ":")) for number in range(CASES))
    FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
