"""Interfaces of scoring: vectors of texts, the scores that ranking needs of any retrieval system, and dot products.

Ranks do not depend on how many queries are scored at once. The last bits of a matrix product can change with its shape,
so all scores come from products of ONE shape: `TILE` queries, filled up with zero rows, by all passages. Equal vectors
tie, since a repeated passage vector gets the score of its first occurrence. Another device, library or number of
threads can still change the last bits and swap passages whose scores differ by no more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.distributed import gather_rows, rank_and_world
from hybrid_ir.evaluation.benchmarks.benchmark import Benchmark
from hybrid_ir.evaluation.benchmarks.text_set import TextSet
from hybrid_ir.evaluation.vectors.encoder import Encoder, as_tensor
from hybrid_ir.sources.records import TextKind

TILE = 256


@torch.no_grad()
def embed(encoder: Encoder, texts: TextSet, kind: TextKind) -> Tensor:
    """Embed one side of a benchmark.

    A text that occurs under several ids is encoded once, so its rows are equal bit by bit. Under `torch.distributed`
    every rank encodes a contiguous shard and all ranks return the same vectors; all of them must call this.

    Returns:
        float32 (N, D), one row an id, on the encoder's device.

    Raises:
        ValueError: the encoder returns another shape than (N, D), or a vector with NaN or infinity (names the text).
    """
    distinct = list(dict.fromkeys(texts.texts))
    row = {text: number for number, text in enumerate(distinct)}
    vectors = _encode_sharded(encoder, distinct, kind)[[row[text] for text in texts.texts]]
    bad = (~vectors.isfinite().all(dim=1)).nonzero().flatten()
    if len(bad):
        raise ValueError(
            f"{len(bad)} of {len(texts)} {kind} vectors are not finite, such as that of {texts.ids[int(bad[0])]!r}. "
            f"The model's weights or its precision are broken"
        )
    return vectors


def _encode_sharded(encoder: Encoder, texts: list[str], kind: TextKind) -> Tensor:
    rank, world = rank_and_world()
    size = -(-len(texts) // world)
    # The last text fills up the last shards: a collective needs equal shapes, and an encoder at least one text.
    padded = texts + texts[-1:] * (size * world - len(texts))
    shard = padded[rank * size : (rank + 1) * size]
    vectors = as_tensor(encoder.encode(shard, kind))
    if vectors.ndim != 2 or len(vectors) != size:
        raise ValueError(
            f"encode must return one vector a text: {size} texts gave a tensor of shape {tuple(vectors.shape)}"
        )
    return gather_rows(vectors.float())[: len(texts)]


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Disable autocast, TF32 and bfloat16 in matrix products, since low-precision scores tie and swap ranks."""
    backends = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)  # type: ignore[attr-defined]
    before = [backend.fp32_precision for backend in backends]
    for backend in backends:
        backend.fp32_precision = "ieee"
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for backend, precision in zip(backends, before, strict=True):
            backend.fp32_precision = precision


class Scores(Protocol):
    """Scores of queries and passages in the order passed to `Scorer.arrange`."""

    def fill(self, start: int, out: Tensor) -> None:
        """Write the scores of the queries from position `start` on into `out`: float32 (n, P), all finite.

        Args:
            start: a multiple of the scorer's `tile`.
            out: n queries, a multiple of `tile`; rows beyond the last query may hold anything.
        """
        ...


class Scorer(Protocol):
    """Scores every passage of a benchmark for every query; higher is better.

    Attributes:
        tile: queries are scored in multiples of this number.
        device: where scores are written.
    """

    @property
    def tile(self) -> int: ...

    @property
    def device(self) -> torch.device: ...

    def arrange(self, queries: NDArray[np.int64], passages: NDArray[np.int64]) -> Scores:
        """Scores of queries and passages in the order of these positions in the benchmark, (Q,) and (P,)."""
        ...


@runtime_checkable
class Retriever(Protocol):
    """A retrieval system that does not use vectors, such as BM25; it is evaluated like an encoder."""

    def scorer(self, benchmark: Benchmark) -> Scorer:
        """Index the benchmark's passages and return the scorer of its queries."""
        ...


class VectorScorer:
    """A scorer by dot products of vectors in float32.

    Args:
        queries: float32 (Q, D) in the order of the benchmark's queries.
        passages: float32 (P, D) in the order of its passages, on the same device.

    Raises:
        ValueError: the vectors are so long that scores may overflow float32.
    """

    def __init__(self, queries: Tensor, passages: Tensor) -> None:
        _check_length(queries, passages)
        self.queries, self.passages = queries, passages
        self.tile, self.device = TILE, passages.device

    def arrange(self, queries: NDArray[np.int64], passages: NDArray[np.int64]) -> "_ArrangedVectors":
        """See `Scorer`."""
        assert len(queries) == len(self.queries) and len(passages) == len(self.passages)
        rows = self.queries[torch.from_numpy(queries)]
        padded = torch.nn.functional.pad(rows, (0, 0, 0, -len(rows) % self.tile))
        return _ArrangedVectors(padded, self.passages[torch.from_numpy(passages)], self.tile)


class _ArrangedVectors:
    def __init__(self, queries: Tensor, passages: Tensor, tile: int) -> None:
        self.queries, self.passages, self.tile = queries, passages, tile
        repeated, first = _repeated_rows(passages.cpu().numpy())
        self.repeated, self.first = (torch.from_numpy(rows).to(passages.device) for rows in (repeated, first))

    def fill(self, start: int, out: Tensor) -> None:
        with full_precision(out.device):
            for row in range(0, min(len(out), len(self.queries) - start), self.tile):
                tile = self.queries[start + row : start + row + self.tile]
                torch.mm(tile, self.passages.T, out=out[row : row + self.tile])
        if len(self.repeated):
            out[:, self.repeated] = out[:, self.first]


def _repeated_rows(rows: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the rows that repeat an earlier row, and of the first row that each equals."""
    as_bytes = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
    _, first, group = np.unique(as_bytes, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[group] != np.arange(len(rows)))
    return repeated, first[group][repeated]


def _check_length(queries: Tensor, passages: Tensor) -> None:
    # |q.p| and every partial sum of it is at most |q||p|, so one product of norms bounds all scores.
    longest = [float(torch.linalg.vector_norm(vectors, dim=1).max()) for vectors in (queries, passages)]
    if not longest[0] * longest[1] < torch.finfo(torch.float32).max:
        raise ValueError(
            f"the longest query vector has norm {longest[0]:.3g}, the longest passage vector {longest[1]:.3g}: their "
            f"scores may overflow float32. Normalise the vectors, or repair the model"
        )
