"""A program that encodes a corpus until it is killed: `python -m tests.evaluation.killed_encoding CORPUS STORE BLOCKS`.

It announces each block and, after BLOCKS of them, waits in the middle of the next one for the kill.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.sources.formats.miracl_files import PassageParser
from hybrid_ir.sources.formats.passages import Corpus
from tests.evaluation.samples import HashEncoder


class WaitsForTheKill(HashEncoder):
    def encode(self, texts: Sequence[str], kind: str) -> Tensor:
        print("encoding", flush=True)
        if len(self.asked) == int(sys.argv[3]):
            sys.stdin.read()
        return super().encode(texts, kind)


if __name__ == "__main__":
    torch.set_num_threads(1)
    corpus = Corpus("en", (Path(sys.argv[1]),), PassageParser("en"))
    VectorStore(Path(sys.argv[2]), block_size=10).encode(WaitsForTheKill(), corpus)
