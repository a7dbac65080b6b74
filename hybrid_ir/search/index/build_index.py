"""Index builder: stores the passages, then their vectors, block by block. A killed build resumes where it stopped."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from hybrid_ir.distributed import from_first_rank
from hybrid_ir.evaluation.results.result import ALL
from hybrid_ir.evaluation.vectors.corpus_vectors import CorpusVectors, VectorStore
from hybrid_ir.evaluation.vectors.encoder import Encoder
from hybrid_ir.evaluation.vectors.passage_block import read_block
from hybrid_ir.search.index.index_folder import VERSION, Index, read_json
from hybrid_ir.search.index.reference import Reference
from hybrid_ir.search.index.texts import Texts
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.beir import with_title
from hybrid_ir.sources.formats.lines import Line
from hybrid_ir.sources.formats.passages import Corpus
from hybrid_ir.sources.hub.fetch import sha256_of
from hybrid_ir.sources.own_folder import refuse_links

log = logging.getLogger(__name__)
MEANINGS = {
    "corpus": "the corpus has changed since",
    "encoder": "it was made with another encoder",
    "language": "language=... was another",
    "dtype": "dtype=... was another",
    "block_size": "block_size=... was another",
    "keep_empty": "keep_empty=... was another",
    "version": "another version of this code made it",
}  # fmt: skip


@dataclass(frozen=True)
class IndexOptions:
    """Options of an index that decide its content.

    Attributes:
        language: language of passages that name none; None for `und` (undetermined).
        dtype: type of the vectors on disk: `float32`, as in the evaluation, or `float16`, half the size.
        block_size: passages per block; a killed process loses at most one block.
        keep_empty: whether passages without title and text are in the index; otherwise they are left out and counted.
    """

    language: str | None = None
    dtype: str = "float32"
    block_size: int = 8192
    keep_empty: bool = False


@dataclass(frozen=True)
class _IndexedCorpus(Corpus):
    """The passages of an index in the form that `VectorStore` encodes: blocks of lines, one per passage."""

    texts: Texts
    digest: str

    @cached_property
    def fingerprint(self) -> str:
        return self.digest

    def blocks(self, size: int) -> Iterator[list[Line]]:
        """The blocks of the index, which have the same size."""
        for number in range(len(self.texts.blocks)):
            columns = self.texts.read(number).to_pydict()
            rows = zip(columns["id"], columns["title"], columns["text"], strict=True)
            yield [
                Line(self.texts.path(number), row, f"{key}\0{with_title(title, text)}".encode())
                for row, (key, title, text) in enumerate(rows, start=1)
            ]


def _id_and_text(line: Line) -> tuple[str, str]:
    key, _, text = line.text.partition("\0")  # neither contains it: such texts were refused when read
    return key, text


def build_index(
    folder: Path,
    files: Sequence[Path],
    encoder: Encoder,
    reference: Reference,
    options: IndexOptions,
    provenance: Callable[[], Mapping[str, Any]] = dict,
) -> Index:
    """Build an index, or finish one that was interrupted.

    Under `torch.distributed` the ranks share the encoding, block by block; all of them must call this. A resumed build
    gives the same vectors, bit for bit, as an uninterrupted one (with the same device, libraries and threads). Memory:
    one block of texts and vectors, and what `Texts.write` needs; at the end, on the first rank, all ids.

    Args:
        folder: folder of the index.
        files: the corpus, as returned by `find_files`.
        encoder: the encoder of the passages.
        reference: reference by which a search loads the encoder again.
        options: options of the index.
        provenance: function that returns the code and machine to record in index.json; called once, on the first rank.

    Raises:
        InputError: a row of the corpus is invalid, a file of the index is damaged, or the folder holds an index of
            another corpus, encoder or options.
        ValueError: the folder holds something else; or see `VectorStore.encode`.
    """
    from_first_rank(lambda: refuse_links(folder))
    store = VectorStore(folder / "vectors", options.dtype, options.block_size)
    texts = Texts(folder / "texts")
    digest = from_first_rank(lambda: _prepare(folder, files, texts, reference, options))
    vectors = store.encode(encoder, _IndexedCorpus(ALL, (), _id_and_text, texts, digest))

    def finish() -> None:
        if not (folder / "index.json").is_file() or not (folder / "centroids.safetensors").is_file():
            _finish(folder, texts, vectors, _plan(digest, reference, options), reference, provenance())

    from_first_rank(finish)
    return Index(folder)


def _plan(digest: str, reference: Reference, options: IndexOptions) -> dict[str, Any]:
    chosen = asdict(options)
    if not options.keep_empty:  # which older plans lack
        del chosen["keep_empty"]
    facts = {"version": VERSION, "corpus": digest, "encoder": dict(reference.description), **chosen}
    plain: dict[str, Any] = json.loads(json.dumps(facts, default=str))
    return plain


def _prepare(folder: Path, files: Sequence[Path], texts: Texts, reference: Reference, options: IndexOptions) -> str:
    """Check that the folder fits this build, and write the texts. Returns the fingerprint of the corpus."""
    digest = hashlib.sha256("\n".join(sha256_of(path) for path in files).encode()).hexdigest()
    plan, before = _plan(digest, reference, options), read_json(folder / "plan.json")
    if before is None and folder.exists() and any(folder.iterdir()):
        raise ValueError(f"out={folder} holds other files and not an index; choose an empty folder, or a new one")
    if before not in (None, plan) and (folder / "vectors").exists():
        different = [meaning for key, meaning in MEANINGS.items() if before.get(key) != plan.get(key)]
        raise InputError(
            folder,
            f"there is an index here, complete or half-built, and {'; '.join(different)}. Choose another folder with "
            "out=DIR, or delete this one",
        )
    if before != plan:  # by a command that encoded nothing yet, such as one stopped by an invalid row
        texts.remove()
    with replacing(folder / "plan.json") as draft:
        draft.write_text(json.dumps(plan, indent=1) + "\n", encoding="utf-8")
    if not Texts(texts.folder).intact():  # a separate object, since it caches what may be replaced here
        texts.write(files, options.language, options.block_size, options.keep_empty)
    log.info(
        "%s: %d passages in %d languages are read and checked", folder, sum(texts.counts.values()), len(texts.counts)
    )
    return digest


def _finish(
    folder: Path,
    texts: Texts,
    vectors: CorpusVectors,
    plan: Mapping[str, Any],
    reference: Reference,
    provenance: Mapping[str, Any],
) -> None:
    """Write the centroids and index.json, after everything is encoded."""
    counts, longest = texts.counts, 0.0
    sums: dict[str, Tensor] = {}
    for number, block in enumerate(texts.blocks):
        rows = read_block(vectors.path(number)).vectors.double()
        sums[block.language] = sums.get(block.language, 0) + rows.sum(dim=0)
        longest = max(longest, float(rows.norm(dim=1).max()))
    centroids = torch.stack([sums[language] / count for language, count in counts.items()]).float()
    with replacing(folder / "centroids.safetensors") as draft:
        save_file({"centroids": centroids}, draft)
        checksum = sha256_of(draft)
    facts = {
        "version": VERSION,
        "passages": len(vectors),
        "languages": counts,
        "width": centroids.shape[1],
        "dtype": plan["dtype"],
        "block_size": plan["block_size"],
        "longest": longest,
        "corpus": plan["corpus"],
        "encoder": asdict(reference),
        "vectors": vectors.folder.name,
        "centroids": checksum,
        "provenance": dict(provenance),
    }
    with replacing(folder / "index.json") as draft:
        draft.write_text(json.dumps(facts, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
