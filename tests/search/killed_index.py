"""A program that indexes a corpus until it is killed: `python -m tests.search.killed_index CORPUS FOLDER BLOCKS`.

It announces each block and, after BLOCKS of them, waits in the middle of the next one for the kill.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from tests.evaluation.samples import HashEncoder
from tests.search.corpora import make


class WaitsForTheKill(HashEncoder):
    def encode(self, texts: Sequence[str], kind: str) -> Tensor:
        print("encoding", flush=True)
        if len(self.asked) == int(sys.argv[3]):
            sys.stdin.read()
        return super().encode(texts, kind)


if __name__ == "__main__":
    torch.set_num_threads(1)
    make(Path(sys.argv[2]), Path(sys.argv[1]), encoder=WaitsForTheKill())
