"""Embeds the texts of a benchmark: each distinct text once, distributed over the ranks."""

import torch
from torch import Tensor

from hybrid_ir.distributed import gather_rows, rank_and_world
from hybrid_ir.evaluation.benchmarks.benchmark import TextSet
from hybrid_ir.evaluation.vectors.encoder import Encoder
from hybrid_ir.sources.records import TextKind


@torch.no_grad()
def embed(encoder: Encoder, texts: TextSet, kind: TextKind) -> Tensor:
    """Embed the queries or the passages of a benchmark.

    A text that occurs under several ids is encoded once, so its rows are equal bit for bit. Under `torch.distributed`,
    all ranks must call this; each encodes a contiguous shard, and all return the same vectors.

    Returns:
        float32 (N, D), a row for each id, on the encoder's device.

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
    # Copies of the last text fill up the last shards: collectives need equal shapes, encoders at least one text.
    padded = texts + texts[-1:] * (size * world - len(texts))
    shard = padded[rank * size : (rank + 1) * size]
    vectors = encoder.encode(shard, kind)
    if vectors.ndim != 2 or len(vectors) != size:
        raise ValueError(
            f"encode must return one vector for each text: {size} texts gave a tensor of shape {tuple(vectors.shape)}"
        )
    return gather_rows(vectors.float())[: len(texts)]
