"""The folder of an index: its files, and the class that opens it.

plan.json               corpus, encoder and options, written first: a command that resumes the build must match them
texts/                  passages in blocks (`hybrid_ir.search.index.texts`)
vectors/all-HASH/       their vectors in the same blocks (`hybrid_ir.evaluation.vectors.corpus_vectors`)
centroids.safetensors   the mean vector of each language, float32 (languages, D)
faiss/                  with backend=faiss, an approximate index of each language (`hybrid_ir.search.index.approximate`)
index.json              counts, languages, width, encoder, fingerprint of the content; written last
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from hybrid_ir.distributed import rank_and_world
from hybrid_ir.evaluation.vectors.corpus_vectors import CorpusVectors
from hybrid_ir.evaluation.vectors.passage_block import Ids, PassageBlock, map_block, read_ids
from hybrid_ir.search.index.texts import REPAIR, Texts
from hybrid_ir.sources.bcp47 import canonical
from hybrid_ir.sources.errors import InputError, language_fault, nearest
from hybrid_ir.sources.hub.fetch import sha256_of
from hybrid_ir.sources.json_file import read_json_object

VERSION = 1
BACKENDS = ("exact", "faiss")  # how an index is searched
FACTS = {  # keys of index.json that are read, and their types
    "languages": dict, "passages": int, "longest": int | float, "vectors": str, "centroids": str, "encoder": dict,
}  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """A passage as stored in the index.

    Attributes:
        language: language code.
        title: the title, or an empty string.
        text: the text, without the title.
    """

    language: str
    title: str
    text: str


class Index:
    """A complete index, opened for search. Vectors and texts stay on disk, memory-mapped.

    Args:
        folder: folder that `build_index` wrote.

    Raises:
        InputError: there is no index, or it is incomplete, of another version or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.facts = _read_facts(self.folder)
        self.texts = Texts(self.folder / "texts")

    @property
    def languages(self) -> tuple[str, ...]:
        """Codes, sorted."""
        return tuple(self.facts["languages"])

    @property
    def longest(self) -> float:
        """The largest norm of a passage vector."""
        return float(self.facts["longest"])

    @cached_property
    def centroids(self) -> Mapping[str, Tensor]:
        """The mean vector of each language's passages, float32 (D,). Raises InputError if the file is damaged."""
        path = self.folder / "centroids.safetensors"
        if not path.is_file() or sha256_of(path) != self.facts["centroids"]:
            raise InputError(path, f"missing or damaged; delete it, and {REPAIR}")
        try:
            return dict(zip(self.languages, load_file(path)["centroids"], strict=True))
        except (SafetensorError, KeyError, ValueError) as error:
            raise InputError(path, f"damaged ({error}); delete it, and {REPAIR}") from None

    def spelled(self, language: str) -> str:
        """The code as this index has it: those of version 0.1 may have other letter case and separators."""
        return {canonical(code): code for code in self.languages}.get(canonical(language), language)

    def check_languages(self, languages: Collection[str]) -> None:
        """Raises ValueError, which suggests the nearest, if the index lacks one of the languages."""
        for language in languages:
            if language not in self.languages:
                near = nearest(language, self.languages)
                hint = f"did you mean {near!r}? There is" if near else "there is"
                raise ValueError(f"no passage of {self.folder} is in {language!r}; {hint} {', '.join(self.languages)}")

    def size(self, languages: Collection[str]) -> int:
        """Number of passages in these languages."""
        return sum(self.facts["languages"][language] for language in languages)

    def check_pool(self, languages: Collection[str], k: int) -> None:
        """Check that the index has at least k passages in these languages.

        Raises:
            ValueError: there are fewer, no language is given, or the index lacks one of them.
        """
        self.check_languages(languages)
        if not languages:
            raise ValueError(f"there is no language to search in; {self.folder} has {', '.join(self.languages)}")
        size = self.size(languages)
        if not 1 <= k <= size:
            where = "" if {*languages} == {*self.languages} else f" in {', '.join(languages)}"
            raise ValueError(f"k={k}, but {self.folder} has {size} passages{where}; take a k from 1 to {size}")

    def numbers(self, languages: Collection[str]) -> list[int]:
        """Numbers of the blocks of these languages."""
        return [number for number, block in enumerate(self.texts.blocks) if block.language in languages]

    def blocks(self, languages: Collection[str]) -> list[PassageBlock]:
        """Blocks of passage vectors in these languages, memory-mapped; under `torch.distributed`, this rank's share.

        Raises:
            InputError: a block is missing or damaged.
        """
        rank, world = rank_and_world()
        return [self.block(number) for number in self.numbers(languages)[rank::world]]

    def block(self, number: int) -> PassageBlock:
        """A block of vectors. Its checksum is verified on first use."""
        if number not in self._mapped:
            self._mapped[number] = map_block(self._vectors.path(number))
        return self._mapped[number]

    def ids(self, number: int) -> Ids:
        """The ids of a block, without its vectors."""
        return read_ids(self._vectors.path(number))

    def lookup(self, ids: Ids, languages: Collection[str]) -> dict[bytes, Stored]:
        """The passages with these ids (UTF-8), which must all exist in one of `languages`."""
        wanted = np.unique(ids)
        found: dict[bytes, Stored] = {}
        for number in self.numbers(languages):
            ascending = self.block(number).ids[::-1]
            positions = np.searchsorted(ascending, wanted)
            here = ascending[np.minimum(positions, len(ascending) - 1)] == wanted
            if here.any():
                rows = len(ascending) - 1 - positions[here]
                part = self.texts.read(number).take(rows)
                pairs = zip(part["title"].to_pylist(), part["text"].to_pylist(), strict=True)
                language = self.texts.blocks[number].language
                stored = (Stored(language, title, text) for title, text in pairs)
                found |= dict(zip(compress(wanted.tolist(), here.tolist()), stored, strict=True))
        if len(found) != len(wanted):
            raise InputError(self.folder, f"some ids of the vectors are missing among the passages; {REPAIR}")
        return found

    @cached_property
    def _mapped(self) -> dict[int, PassageBlock]:
        return {}

    @cached_property
    def _vectors(self) -> CorpusVectors:
        return CorpusVectors(self.folder / "vectors" / self.facts["vectors"])


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file of an index; None if there is no such file.

    Raises:
        InputError: the file cannot be read, or is not a JSON object.
    """
    if not path.exists():
        return None
    try:
        return read_json_object(path)
    except InputError as error:
        raise InputError(path, f"damaged ({error.fault}); delete it, and {REPAIR}") from None


def _read_facts(folder: Path) -> dict[str, Any]:
    facts = read_json(folder / "index.json")
    if facts is None and (folder / "plan.json").is_file():
        raise InputError(
            folder,
            "this index is half-built; run the command that makes it again, and it resumes where it stopped",
        )
    if facts is None:
        raise InputError(folder, "there is no index; make one with python -m hybrid_ir index corpus=FILE out=DIR")
    if facts.get("version") != VERSION:
        raise InputError(
            folder / "index.json",
            f"an index of version {facts.get('version')!r}; this code reads version {VERSION}. Make it again",
        )
    _check_facts(folder / "index.json", facts)
    return facts


def _check_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Raises InputError if a fact has the wrong type, or a name in it is a path out of the index."""
    for key, kind in FACTS.items():
        if not isinstance(facts.get(key), kind) or isinstance(facts.get(key), bool):
            raise InputError(path, f"damaged: {key} is {facts.get(key)!r}; delete it, and {REPAIR}")
    for language, count in facts["languages"].items():
        if language_fault(language) or type(count) is not int or count < 0:
            raise InputError(path, f"damaged: {count!r} passages in the language {language!r}")
    if facts["vectors"] in ("", ".", "..") or set(facts["vectors"]) & set("/\\\0"):
        raise InputError(path, f"damaged: vectors is {facts['vectors']!r}, which is not the name of a folder")
