"""Compares an exact search from disk with a bare matrix product and top-k, in time and memory.

The vectors are random unit vectors in float16, stored once by `VectorStore` and once as one raw file. The bare search
reads the same number of vectors at a time, converts them to float32, multiplies them by all queries and takes the k
best, without checksums, merging or tie rule. Both alternate, and the fastest run of each counts. Peak memory is that of
the whole process.

    python benchmarks/search.py FOLDER [--passages 5000000] [--dimension 384] [--queries 256] [--k 100] [--threads 2]
"""

import argparse
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from hybrid_ir.evaluation.ranking.exact_search import search
from hybrid_ir.evaluation.vectors.passage_block import PassageBlock, read_block, write_block


def unit_vectors(count: int, dimension: int, seed: int) -> torch.Tensor:
    vectors = torch.randn(count, dimension, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)


def write(folder: Path, passages: int, dimension: int, size: int) -> tuple[list[Path], Path]:
    """Write the blocks and the raw file, unless they exist from an earlier run."""
    starts = range(0, passages, size)
    blocks, plain = [folder / f"{start // size:06d}.block" for start in starts], folder / "vectors.f16"
    if not plain.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = plain.with_suffix(".tmp")
        with draft.open("wb") as file:
            for start, path in zip(starts, blocks, strict=True):
                vectors = unit_vectors(min(size, passages - start), dimension, seed=start).half()
                write_block(path, PassageBlock.sort([f"en:{start + row}#0" for row in range(len(vectors))], vectors))
                vectors.numpy().tofile(file)
        draft.rename(plain)
    return blocks, plain


def bare(plain: Path, queries: torch.Tensor, k: int, size: int) -> None:
    dimension = queries.shape[1]
    with plain.open("rb") as file:
        while len(vectors := np.fromfile(file, dtype=np.float16, count=size * dimension)):
            (queries @ torch.from_numpy(vectors).view(-1, dimension).float().T).topk(k, dim=1)


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="for the vectors: twice passages x dimension x 2 bytes; kept")
    parser.add_argument("--passages", type=int, default=5_000_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--queries", type=int, default=256)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--block", type=int, default=8192)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeat", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shape = options.passages, options.dimension
    blocks, plain = write(options.folder / "x".join(map(str, (*shape, options.block))), *shape, options.block)
    queries = unit_vectors(options.queries, options.dimension, seed=-1)
    runs = [
        (
            seconds(lambda: bare(plain, queries, options.k, options.block)),
            seconds(lambda: search(queries, map(read_block, blocks), options.k)),
        )
        for _ in range(options.repeat)
    ]
    basis, full = (min(column) for column in zip(*runs, strict=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print("| machine | threads | queries x passages x dimension, k | bare, s | search, s | ratio | peak, GiB |")
    print("|---|---:|---|---:|---:|---:|---:|")
    machine = f"{platform.machine()}, torch {torch.__version__}"
    size = f"{options.queries} x {options.passages} x {options.dimension}, {options.k}"
    cells = (machine, options.threads, size, f"{basis:.1f}", f"{full:.1f}", f"{full / basis:.2f}", f"{peak:.2f}")
    print("| " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main()
