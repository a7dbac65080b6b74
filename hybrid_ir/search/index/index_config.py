"""What an index can be: its backends, the types of its vectors, and the settings of FAISS."""

from dataclasses import dataclass

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
