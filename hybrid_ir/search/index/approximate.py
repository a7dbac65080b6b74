"""FAISS back end: an approximate index for each language, for corpora that are too large for exact search.

FAISS only proposes candidates, which the exact search ranks by their exact scores. A passage can be missed, but never
ranked wrongly. FAISS keeps its own float32 copy of the vectors and loads it into memory.

The kind of index follows from the number of passages in a language:

    up to `HNSW_LIMIT`    HNSW (Malkov and Yashunin, arXiv:1603.09320) with M = 32 and efConstruction = 200, searched
                          with efSearch = `probes`
    above                 IVF with 4 sqrt(N) lists, as FAISS's guidelines recommend, with centres trained on 64 passages
                          per list; `probes` lists are searched

Each language has its own index, so a search in some languages only pays for these and needs no filter.
"""

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.distributed import from_first_rank, rank_and_world
from hybrid_ir.evaluation.ranking.best_lists import BestPassages
from hybrid_ir.evaluation.ranking.exact_search import search
from hybrid_ir.evaluation.vectors.passage_block import PassageBlock
from hybrid_ir.search.index.index_folder import Index, read_json
from hybrid_ir.search.index.texts import REPAIR
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.hub.fetch import sha256_of

log = logging.getLogger(__name__)
HNSW_LIMIT = 1_000_000  # passages; building HNSW for more takes hours
LINKS, CONSTRUCTION = 32, 200
TRAINED_ON = 64  # passages per list of IVF
PROPOSED = 4  # candidates per query, as a multiple of k, for the exact ranking to choose from
TOGETHER = 32  # queries whose proposals are ranked together


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


def import_faiss() -> Any:
    """Import FAISS. Raises ValueError with the pip command if it is not installed."""
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # hide which instruction set was loaded
    try:
        import faiss
    except ImportError:
        raise ValueError("backend=faiss needs the library FAISS: pip install -r requirements-search.txt") from None
    return faiss


def build_approximate(index: Index, config: FaissConfig) -> dict[str, Any]:
    """Build the missing FAISS indexes, one per language, and measure recall.

    Under `torch.distributed` the first rank builds them, and all ranks must call this.

    Returns:
        The content of faiss/manifest.json: languages with kind and SHA-256, and the result of `measure_recall`.

    Raises:
        ValueError: FAISS is not installed.
    """
    facts = from_first_rank(lambda: _build(index, config))
    sample = min(config.sample, index.facts["passages"])
    facts |= {"recall": measure_recall(index, config), "recall_at": config.k, "sample": sample}
    from_first_rank(lambda: _write(index.folder / "faiss", facts))
    return facts


def _build(index: Index, config: FaissConfig) -> dict[str, Any]:
    faiss, folder = import_faiss(), index.folder / "faiss"
    languages: dict[str, Any] = dict((read_json(folder / "manifest.json") or {}).get("languages", {}))
    facts = {"library": faiss.__version__, "probes": config.probes, "languages": languages}
    for language in index.languages:
        path = folder / f"{language}.index"
        if language in languages and path.is_file() and sha256_of(path) == languages[language]["sha256"]:
            continue
        vectors = torch.cat([index.block(number).vectors for number in index.numbers([language])]).float().numpy()
        kind, made = _make(faiss, vectors)
        with replacing(path) as draft:
            faiss.write_index(made, str(draft))
            languages[language] = {"kind": kind, "passages": len(vectors), "sha256": sha256_of(draft)}
        _write(folder, facts)
        log.info("%s: %s over %d passages", path, kind, len(vectors))
    return facts


def measure_recall(index: Index, config: FaissConfig) -> float:
    """Recall of FAISS: the share of the exact k best passages that it finds, with random passages as queries.

    A query passage itself does not count. Questions are less similar to passages than passages are to each other, so
    recall may be lower for them; if that matters, measure it with your own questions.
    """
    draw = np.random.default_rng(config.seed)
    blocks = [index.block(number) for number in index.numbers(index.languages)]
    bounds = np.cumsum([0, *(len(block.ids) for block in blocks)])
    chosen = np.sort(draw.choice(bounds[-1], min(config.sample, int(bounds[-1])), replace=False))
    owners = np.searchsorted(bounds, chosen, side="right") - 1
    rows = [(blocks[owner], int(row)) for owner, row in zip(owners, chosen - bounds[owners], strict=True)]
    own, queries = [block.ids[row] for block, row in rows], [block.vectors[row].float() for block, row in rows]
    exact = search(torch.stack(queries), index.blocks(index.languages), config.k + 1)
    found = Approximate(index).search(torch.stack(queries), config.k + 1, index.languages)
    hits = wanted = 0
    for itself, right, proposed in zip(own, exact.passages, found.passages, strict=True):
        others = {*right.tolist()} - {itself, b""}
        hits, wanted = hits + len(others & {*proposed.tolist()}), wanted + len(others)
    return hits / wanted if wanted else 1.0


class Approximate:
    """The FAISS indexes of an index, opened for search.

    Args:
        index: an index built with backend=faiss.

    Raises:
        InputError: the index has no complete FAISS indexes.
        ValueError: FAISS is not installed.
    """

    def __init__(self, index: Index) -> None:
        self.faiss, self.index = import_faiss(), index
        facts = read_json(index.folder / "faiss" / "manifest.json")
        if facts is None or facts["languages"].keys() != set(index.languages):
            raise InputError(
                index.folder, "this index has no complete FAISS index; run the command that made it with backend=faiss"
            )
        self.languages: Mapping[str, Any] = facts["languages"]
        self.probes = int(facts["probes"])
        self._opened: dict[str, Any] = {}

    def search(self, queries: Tensor, k: int, languages: Collection[str]) -> BestPassages:
        """The best of FAISS's candidates, with the scores and the tie rule of `exact_search.search`.

        Under `torch.distributed` the ranks share the languages; all must call this.

        Args:
            queries: float32 (Q, D) on the CPU.
            k: passages per query.
            languages: languages to search.
        """
        rank, world = rank_and_world()
        own = sorted(languages)[rank::world]
        parts = [search(part, self._proposed(part.numpy(), k, own), k) for part in queries.split(TOGETHER)]
        passages = np.concatenate([part.passages for part in parts])
        return BestPassages(passages, np.concatenate([part.scores for part in parts]))

    def _proposed(self, queries: NDArray[np.float32], k: int, languages: Collection[str]) -> list[PassageBlock]:
        """The candidates of any of the queries, grouped by their block of the index."""
        blocks = []
        for language in languages:
            opened = self._open(language)
            count = min(PROPOSED * k, opened.ntotal)
            rows = np.unique(opened.search(queries, count)[1])
            numbers = self.index.numbers([language])
            bounds = np.cumsum([0, *(len(self.index.block(number).ids) for number in numbers)])
            for number, (begin, end) in zip(numbers, pairwise(bounds), strict=True):
                inside = rows[(rows >= begin) & (rows < end)] - begin
                if len(inside):
                    block = self.index.block(number)
                    blocks.append(PassageBlock(block.ids[inside], block.vectors[torch.from_numpy(inside)]))
        return [PassageBlock.join(blocks)] if blocks else []

    def _open(self, language: str) -> Any:
        if language not in self._opened:
            path = self.index.folder / "faiss" / f"{language}.index"
            if not path.is_file() or sha256_of(path) != self.languages[language]["sha256"]:
                raise InputError(path, f"this FAISS index is missing or damaged; {REPAIR}")
            opened = self.faiss.read_index(str(path))
            if self.languages[language]["kind"] == "HNSW":
                opened.hnsw.efSearch = self.probes
            else:
                opened.nprobe = self.probes
            self._opened[language] = opened
        return self._opened[language]


def _make(faiss: Any, vectors: NDArray[np.float32]) -> tuple[str, Any]:
    count, width = vectors.shape
    if count <= HNSW_LIMIT:
        made = faiss.IndexHNSWFlat(width, LINKS, faiss.METRIC_INNER_PRODUCT)
        made.hnsw.efConstruction = CONSTRUCTION
        kind = "HNSW"
    else:
        lists = 4 * isqrt(count)
        made = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)
        made.train(vectors[:: max(1, count // (TRAINED_ON * lists))])
        kind = "IVF"
    made.add(vectors)
    return kind, made


def _write(folder: Path, facts: Mapping[str, Any]) -> None:
    with replacing(folder / "manifest.json") as draft:
        draft.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
