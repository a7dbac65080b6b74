"""Passage vectors of a corpus on disk: encoded in blocks, distributed over the ranks, resumable after a kill."""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hybrid_ir.distributed import from_first_rank, rank_and_world, sum_over_ranks
from hybrid_ir.evaluation.vectors.encoder import Encoder, as_tensor
from hybrid_ir.evaluation.vectors.passage_block import Ids, PassageBlock, read_block, read_ids, write_block
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.lines import Line
from hybrid_ir.sources.formats.passages import Corpus
from hybrid_ir.sources.json_file import read_json_object

log = logging.getLogger(__name__)
VERSION = 1  # raise it when blocks or their content change, so that corpora are encoded again


@dataclass(frozen=True)
class VectorStore:
    """A folder that keeps the encoded vectors of corpora.

    Attributes:
        folder: holds one folder for each corpus and encoder; safe to delete.
        dtype: `float16` (half the disk space) or `float32`. Scores are computed in float32 from either.
        block_size: passages in a block; a killed process loses at most one block.
    """

    folder: Path
    dtype: str = "float16"
    block_size: int = 8192

    def __post_init__(self) -> None:
        if self.dtype not in ("float16", "float32"):
            raise ValueError(f"`dtype` must be float16 or float32, got {self.dtype!r}")
        if self.block_size < 1:
            raise ValueError(f"`block_size` must be at least 1, got {self.block_size}")

    def encode(self, encoder: Encoder, corpus: Corpus) -> "CorpusVectors":
        """Encode the blocks that are not on disk yet, distributed over the ranks; all ranks must call this.

        A block is encoded in one call by any process, and its file appears only when it is complete. After a kill, the
        next call resumes with the next missing block, and the vectors equal, bit for bit, those of an uninterrupted run
        (same device, libraries and threads). Memory: one block of texts and vectors; at the end, on the first rank, all
        ids.

        Args:
            encoder: one with a `describe()`; see `Encoder`.
            corpus: the corpus to encode.

        Raises:
            InputError: a line is faulty (names file and line).
            ValueError: the encoder has no `describe()`, a vector is not finite in `dtype`, or an id occurs twice.
        """
        facts = {
            "version": VERSION,
            "encoder": _description(encoder),
            "corpus": corpus.fingerprint,
            "dtype": self.dtype,
            "block_size": self.block_size,
        }
        key = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]
        vectors = CorpusVectors(Path(self.folder) / f"{corpus.language}-{key}")
        present = from_first_rank(vectors.present)
        if present is None:
            return vectors
        if present:
            log.info("%s: %d blocks are encoded already; encoding resumes with the rest", vectors.folder, len(present))
        rank, world = rank_and_world()
        number, missing = -1, 0
        for number, lines in enumerate(corpus.blocks(self.block_size)):
            if number not in present:
                if missing % world == rank:
                    write_block(vectors.path(number), self._encoded(encoder, corpus, lines))
                    log.info("%s: block %d is encoded, up to %s:%d", vectors.folder, number, *lines[-1][:2])
                missing += 1
        sum_over_ranks(torch.tensor(missing))  # a barrier: afterwards every block is on disk
        from_first_rank(lambda: vectors.complete(number + 1, facts | {"language": corpus.language}))
        return vectors

    def _encoded(self, encoder: Encoder, corpus: Corpus, lines: list[Line]) -> PassageBlock:
        ids, texts = zip(*map(corpus.parse, lines), strict=True)
        vectors = as_tensor(encoder.encode(texts, "passage")).to("cpu", getattr(torch, self.dtype))
        bad = (~vectors.isfinite().all(dim=1)).nonzero().flatten()
        if len(bad):
            raise lines[int(bad[0])].fault(
                f"the vector of passage {ids[int(bad[0])]!r} has NaN or infinity as {self.dtype}. Keep float32, or "
                "normalise the vectors; if that does not help, the model's weights or its precision are broken"
            )
        try:
            return PassageBlock.sort(ids, vectors)
        except ValueError as error:
            raise lines[-1].fault(f"in the {len(lines)} lines up to this one: {error}") from None


def _description(encoder: Encoder) -> dict[str, Any]:
    """The encoder's description without what concerns only queries."""
    describe = getattr(encoder, "describe", None)
    if describe is None:
        raise ValueError(
            f"{type(encoder).__name__} has no describe(), which identifies the encoder of vectors on disk; add one, or "
            "use a benchmark that fits in memory"
        )
    return {key: value for key, value in describe().items() if "query" not in key}


@dataclass(frozen=True)
class CorpusVectors:
    """The folder of an encoded corpus: numbered blocks, and a manifest once all blocks are complete."""

    folder: Path

    def path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.block"

    def present(self) -> set[int] | None:
        """Numbers of the blocks on disk; None if the corpus is complete."""
        numbers = {int(path.stem) for path in self.folder.glob("*.block")}
        complete = self._manifest.is_file() and len(numbers) == self._count()
        return None if complete else numbers

    def complete(self, blocks: int, facts: dict[str, Any]) -> None:
        """Write the manifest, once all blocks are on disk; raises ValueError if an id occurs in two of them."""
        if not blocks:
            raise ValueError(f"no passages to encode for {self.folder}: the files of the corpus are empty")
        ids = np.sort(np.concatenate([read_ids(self.path(number)) for number in range(blocks)]))
        twice = ids[1:][ids[1:] == ids[:-1]]
        if len(twice):
            raise ValueError(f"{len(twice)} passage ids occur twice in the corpus, such as {twice[0].decode()!r}")
        with replacing(self._manifest) as draft:
            content = facts | {"blocks": blocks, "passages": len(ids)}
            draft.write_text(json.dumps(content, indent=1, default=str) + "\n")

    def __len__(self) -> int:
        """Number of passages."""
        return self._manifested("passages")

    def blocks(self) -> Iterator[PassageBlock]:
        """This rank's share of the blocks; raises InputError naming a damaged block."""
        rank, world = rank_and_world()
        for number in range(rank, self._count(), world):
            yield read_block(self.path(number))

    def absent(self, wanted: Ids) -> Ids:
        """The ids among `wanted` that the corpus lacks; reads ids only, no vectors."""
        for number in range(self._count()):
            wanted = np.setdiff1d(wanted, read_ids(self.path(number)), assume_unique=True)
        return wanted

    def _count(self) -> int:
        return self._manifested("blocks")

    def _manifested(self, key: str) -> int:
        number = read_json_object(self._manifest).get(key)
        if type(number) is not int or number < 0:
            raise InputError(self._manifest, f"damaged: {key} is {number!r}")
        return number

    @property
    def _manifest(self) -> Path:
        return self.folder / "manifest.json"
