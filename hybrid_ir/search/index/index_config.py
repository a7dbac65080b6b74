"""Options of an index: its back ends, the types of its vectors, and the settings of FAISS."""

from dataclasses import dataclass

BACKENDS = ("exact", "faiss")
DTYPES = ("float32", "float16")


@dataclass
class FaissConfig:
    """Settings of FAISS indexes and of their recall measurement.

    Attributes:
        probes: efSearch of HNSW, and number of lists that a search of IVF visits. Larger is more accurate and slower.
        sample: number of passages used as queries to measure recall.
        k: cut-off of the recall.
        seed: seed of the sample.
    """

    probes: int = 128
    sample: int = 200
    k: int = 10
    seed: int = 1
