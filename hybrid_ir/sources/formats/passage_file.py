"""A corpus too large for memory: its passages are read anew whenever they are needed."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from hybrid_ir.sources.formats.lines import Line, read_lines
from hybrid_ir.sources.hub.fetch import sha256_of


@dataclass(frozen=True)
class Corpus:
    """The passages of one language, a line each.

    Attributes:
        language: of all its passages.
        files: in their order; `.gz` files are decompressed on the way.
        parse: makes id and text of a line; raises InputError.
    """

    language: str
    files: tuple[Path, ...]
    parse: Callable[[Line], tuple[str, str]]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content of all files, in their order, and of the kind of parser."""
        contents = [sha256_of(path) for path in self.files]
        return hashlib.sha256(json.dumps([type(self.parse).__name__, self.language, *contents]).encode()).hexdigest()

    def blocks(self, size: int) -> Iterator[list[Line]]:
        """All lines of all files, `size` at a time, unparsed: who skips a block does not pay for its JSON."""
        lines = (line for path in self.files for line in read_lines(path))
        while block := list(islice(lines, size)):
            yield block
