"""Allowed values of the options of an index and a search, and the settings of FAISS."""

from dataclasses import dataclass

NONE, CENTROID, ROUND_ROBIN = "none", "centroid", "round_robin"
BALANCES = (NONE, CENTROID, ROUND_ROBIN)
FORMATS = ("table", "jsonl", "trec")
OWN = "own"
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
