"""What the command that makes an index takes besides its encoder."""

from dataclasses import dataclass, field
from typing import Any

from omegaconf import MISSING

BACKENDS = ("exact", "faiss")
DTYPES = ("float32", "float16")


@dataclass
class FaissConfig:
    """How FAISS indexes are made and measured.

    Attributes:
        probes: efSearch of HNSW, and lists that a search of IVF looks into: the more, the better and slower.
        sample: passages whose vectors are searched to measure recall.
        k: of the recall.
        seed: draws the sample.
    """

    probes: int = 128
    sample: int = 200
    k: int = 10
    seed: int = 1


@dataclass
class IndexConfig:
    """What is indexed, and how.

    Attributes:
        corpus: a file of passages, or a list of them; `*` in a name stands for anything.
        out: folder of the index.
        language: of passages that name none; None for `und`, undetermined.
        dtype: of the vectors on disk, `float32`, those of the evaluation, or `float16`, half the size.
        block_size: passages of a block: what a process that is killed loses at most.
        backend: `exact`, or `faiss` to make an approximate index as well.
        faiss: how that is made.
    """

    corpus: Any = MISSING
    out: str = MISSING
    language: str | None = None
    dtype: str = "float32"
    block_size: int = 8192
    backend: str = "exact"
    faiss: FaissConfig = field(default_factory=FaissConfig)
