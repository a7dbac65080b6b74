"""Passage store of an index: the checked passages, in blocks of one language each.

    000000.arrow     id, title, text of a block's passages, ids descending (the order of its vectors); Arrow IPC
    manifest.json    language, size and SHA-256 of every block; written last

Everything is checked here, before the first passage is encoded.
"""

import hashlib
import json
import logging
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from hybrid_ir.sources.arrow_check import read_arrow_table
from hybrid_ir.sources.atomic import remove_drafts, replacing
from hybrid_ir.sources.bcp47 import Spellings
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.formats.passages import Passage, read_passages
from hybrid_ir.sources.hub.fetch import sha256_of
from hybrid_ir.sources.json_file import read_json_value

log = logging.getLogger(__name__)
SCHEMA = pa.schema([("id", pa.string()), ("title", pa.large_string()), ("text", pa.large_string())])
BUFFER = 2**26  # characters of text held in memory until their block is full
REPAIR = "run the command that made the index again: it only rebuilds what is missing or damaged"


@dataclass(frozen=True)
class TextBlock:
    """The manifest's entry of a block.

    Attributes:
        language: language of all its passages.
        passages: number of passages.
        sha256: SHA-256 of its file.
    """

    language: str
    passages: int
    sha256: str


@dataclass(frozen=True)
class Texts:
    """The folder of an index's passages."""

    folder: Path

    @cached_property
    def blocks(self) -> tuple[TextBlock, ...]:
        """All blocks, by number. Raises InputError if the manifest is missing or damaged."""
        try:
            blocks = tuple(TextBlock(**entry) for entry in read_json_value(self._manifest))
            if not all(isinstance(block.language, str) and isinstance(block.passages, int) for block in blocks):
                raise TypeError("a block without language or size")
            return blocks
        except (OSError, ValueError, TypeError) as error:
            raise InputError(self._manifest, f"missing or damaged ({error}); {REPAIR}") from None

    @property
    def counts(self) -> dict[str, int]:
        """Language -> number of passages, languages sorted."""
        counts: Counter[str] = Counter()
        for block in self.blocks:
            counts[block.language] += block.passages
        return dict(sorted(counts.items()))

    def read(self, number: int) -> pa.Table:
        """The passages of a block, memory-mapped.

        Raises:
            InputError: the file is missing or damaged.
        """
        if number not in self._opened:
            self._opened[number] = _open(self.path(number), self.blocks[number])
        return self._opened[number]

    def intact(self) -> bool:
        """Whether every file exists and is undamaged."""
        try:
            return all(_open(self.path(number), block) for number, block in enumerate(self.blocks))
        except InputError:
            return False

    def write(self, files: Sequence[Path], language: str | None, block_size: int, keep_empty: bool = False) -> None:
        """Read and check a corpus, and write its blocks, replacing earlier ones. Equal corpora give equal bytes.

        A block is written as soon as a language has `block_size` passages. If the texts of all unfinished blocks have
        more than `BUFFER` characters, the block with the most is written early. Memory: these texts, and eight bytes
        for each passage. Passages without title and text are left out and counted in a warning, unless `keep_empty`.

        Raises:
            InputError: see `read_passages`; or an id occurs twice. Names file and line.
            ValueError: there are no passages.
        """
        self.remove()
        digests = array("Q")
        blocks: list[TextBlock] = []
        spellings = Spellings()
        read = read_passages(files, language, spellings, allow_empty=True)
        for code, passages in _by_language(read if keep_empty else _not_empty(read), block_size, digests):
            blocks.append(self._write(len(blocks), code, passages))
        if not blocks:
            raise ValueError(f"no passages in {', '.join(map(str, files))}")
        _refuse_repeated(files, digests)
        for note in spellings.notes:
            log.warning("corpus: %s", note)
        with replacing(self._manifest) as draft:
            draft.write_text(json.dumps([vars(block) for block in blocks], indent=1) + "\n", encoding="utf-8")

    def remove(self) -> None:
        """Remove all files, the manifest first, so that a partly removed folder never counts as complete."""
        self._manifest.unlink(missing_ok=True)
        for path in self.folder.glob("*.arrow"):
            path.unlink()
        remove_drafts(self.folder)

    def path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.arrow"

    def _write(self, number: int, language: str, passages: list[Passage]) -> TextBlock:
        passages.sort(key=lambda passage: passage.id.encode(), reverse=True)
        columns = {name: [getattr(passage, name) for passage in passages] for name in SCHEMA.names}
        with replacing(self.path(number)) as draft:
            with pa.OSFile(str(draft), "wb") as file, pa.ipc.new_file(file, SCHEMA) as writer:
                writer.write_table(pa.table(columns, schema=SCHEMA))
            digest = sha256_of(draft)
        return TextBlock(language, len(passages), digest)

    @cached_property
    def _opened(self) -> dict[int, pa.Table]:
        return {}

    @property
    def _manifest(self) -> Path:
        return self.folder / "manifest.json"


def _open(path: Path, block: TextBlock) -> pa.Table:
    try:
        found = sha256_of(path)
    except OSError as error:
        raise InputError(path, f"this block of passages is missing ({error.strerror}); {REPAIR}") from None
    if found != block.sha256:
        raise InputError(path, f"this block of passages is damaged: its checksum is wrong; {REPAIR}")
    return read_arrow_table(path, SCHEMA, block.passages)


def _not_empty(passages: Iterable[Passage]) -> Iterator[Passage]:
    empty = 0
    for passage in passages:
        empty += not passage.text
        if passage.text:
            yield passage
    if empty:
        log.warning("%d empty passages are left out; keep_empty=true keeps them", empty)


def _by_language(
    passages: Iterable[Passage], block_size: int, digests: "array[int]"
) -> Iterator[tuple[str, list[Passage]]]:
    """Blocks of passages of one language each. Appends 64 bits of each id to `digests`."""
    waiting: dict[str, list[Passage]] = {}
    characters: Counter[str] = Counter()
    for passage in passages:
        digests.append(_digest(passage.id))
        waiting.setdefault(passage.language, []).append(passage)
        characters[passage.language] += len(passage.title) + len(passage.text)
        code = passage.language
        if len(waiting[code]) < block_size:
            if characters.total() <= BUFFER:
                continue
            code = max(waiting, key=lambda language: (characters[language], language))
        del characters[code]
        yield code, waiting.pop(code)
    yield from sorted(waiting.items())


def _refuse_repeated(files: Sequence[Path], digests: "array[int]") -> None:
    """Raise InputError for the first repeated id. The files are read again only if two ids have equal hashes."""
    ordered = np.sort(np.frombuffer(digests, dtype=np.uint64))
    suspects = set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())
    if not suspects:
        return
    seen: dict[str, Passage] = {}
    for passage in read_passages(files, allow_empty=True):
        if _digest(passage.id) in suspects:
            if first := seen.get(passage.id):
                raise passage.line.fault(
                    f"id {passage.id!r} was used before, in {first.line.path}:{first.line.number}; ids name a passage "
                    "over all files and languages, so each must be unique"
                )
            seen[passage.id] = passage


def _digest(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little")
