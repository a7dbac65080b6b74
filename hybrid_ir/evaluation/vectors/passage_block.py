"""Blocks of passage ids and vectors, and their files, which are written atomically and carry a checksum.

    header     JSON, with spaces up to HEADER bytes: passages, width of the ids, dimension, dtype
    ids        passages x width bytes of UTF-8, with zeros up to a multiple of 64
    vectors    passages x dimension numbers, padded likewise
    checksum   sum of all 64-bit words before it

Ids can be read without reading the vectors. Numbers are little-endian.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError

HEADER = 128
ALIGNMENT = 64
Ids = NDArray[np.bytes_]
DTYPES = ("float16", "float32", "float64")
Octets = NDArray[np.uint8]
assert sys.byteorder == "little", "blocks are written in the byte order of the machine"


class PassageBlock(NamedTuple):
    """Ids and vectors of some passages of a corpus, in the order that breaks ties.

    Attributes:
        ids: UTF-8, fixed width (B,), strictly descending; or int64 numbers instead of ids, for a search only.
        vectors: float16 or float32 (B, D); products are computed in float32.
    """

    ids: NDArray[Any]
    vectors: Tensor

    @classmethod
    def sort(cls, ids: Iterable[str], vectors: Tensor) -> "PassageBlock":
        """A block from passages in any order.

        Raises:
            ValueError: an id occurs twice, or is empty.
        """
        encoded = np.array([key.encode() for key in ids])
        order = np.argsort(encoded)[::-1]
        block = cls(encoded[order], vectors[torch.from_numpy(order.copy())])
        twice = block.ids[1:][block.ids[1:] == block.ids[:-1]]
        if len(twice) or not block.ids[-1]:
            raise ValueError(
                f"passage id {twice[0].decode()!r} occurs twice" if len(twice) else "a passage id is empty"
            )
        return block

    @classmethod
    def join(cls, blocks: "Sequence[PassageBlock]") -> "PassageBlock":
        """One block with the passages of one or more blocks, which have no passage in common."""
        ids, vectors = np.concatenate([block.ids for block in blocks]), torch.cat([block.vectors for block in blocks])
        order = np.argsort(ids)[::-1]
        return cls(ids[order], vectors[torch.from_numpy(order.copy())])


def write_block(path: Path, block: PassageBlock) -> None:
    """Write a block atomically.

    Raises:
        OSError: the file cannot be written.
    """
    vectors = block.vectors.cpu().numpy()
    facts = {
        "passages": len(block.ids),
        "width": block.ids.itemsize,
        "dimension": vectors.shape[1],
        "dtype": str(vectors.dtype),
    }
    header = np.frombuffer(json.dumps(facts).encode().ljust(HEADER), dtype=np.uint8)
    content = np.concatenate([header, _octets(block.ids), _octets(vectors)])
    with replacing(path) as draft, draft.open("wb") as file:
        content.tofile(file)
        _checksum(content).tofile(file)


def read_block(path: Path) -> PassageBlock:
    """Read a block.

    Raises:
        InputError: the file is missing, cut off or damaged; names it.
    """
    try:
        return _block(path, np.fromfile(path, dtype=np.uint8))
    except OSError as error:
        raise _damaged(path, str(error.strerror)) from None


def map_block(path: Path) -> PassageBlock:
    """Open a block memory-mapped: it is read once now, to verify its checksum, and later as it is used.

    Raises:
        InputError: the file is missing, cut off or damaged; names it.
    """
    try:
        content = np.memmap(path, dtype=np.uint8, mode="c")  # torch warns about read-only memory
    except (OSError, ValueError) as error:  # the latter for an empty file
        raise _damaged(path, getattr(error, "strerror", None) or str(error)) from None
    return _block(path, np.asarray(content))


def _block(path: Path, content: Octets) -> PassageBlock:
    if len(content) % 8 or len(content) <= HEADER or content[-8:].view(np.uint64) != _checksum(content[:-8]):
        raise _damaged(path, "its content does not have the checksum written with it")
    facts = _header(path, content[:HEADER].tobytes())
    if len(content) < HEADER + facts["passages"] * facts["width"]:
        raise _damaged(path, "its header does not fit its size")
    ids = _ids(content[HEADER:], facts)
    start, size = HEADER + _aligned(ids.nbytes), facts["passages"] * facts["dimension"]
    if len(content) - 8 != start + _aligned(size * np.dtype(facts["dtype"]).itemsize):
        raise _damaged(path, "its header does not fit its size")
    vectors = content[start:-8].view(facts["dtype"])[:size].reshape(facts["passages"], facts["dimension"])
    return PassageBlock(ids, torch.from_numpy(vectors))


def read_ids(path: Path) -> Ids:
    """The ids of a block; its vectors are neither read nor verified.

    Raises:
        InputError: the file is missing or cut off, or has no header.
    """
    try:
        with path.open("rb") as file:
            facts = _header(path, file.read(HEADER))
            content: Octets = np.fromfile(file, dtype=np.uint8, count=facts["passages"] * facts["width"])
    except OSError as error:
        raise _damaged(path, str(error.strerror)) from None
    if len(content) < facts["passages"] * facts["width"]:
        raise _damaged(path, "it is cut off")
    return _ids(content, facts)


def _header(path: Path, raw: bytes) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(raw)
        sizes = [facts[key] for key in ("passages", "width", "dimension")]
        if not all(type(size) is int and 0 < size < 2**40 for size in sizes) or facts["dtype"] not in DTYPES:
            raise ValueError
        return {key: facts[key] for key in ("passages", "width", "dimension", "dtype")}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _damaged(path, "it has no header") from None


def _ids(content: Octets, facts: dict[str, Any]) -> Ids:
    return content[: facts["passages"] * facts["width"]].view(f"S{facts['width']}")


def _octets(array: NDArray[Any]) -> Octets:
    octets = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return np.pad(octets, (0, _aligned(len(octets)) - len(octets)))


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _checksum(content: Octets) -> NDArray[np.uint64]:
    """Sum of all 64-bit words: as fast as memory, and every single damaged word changes it."""
    return np.array([content.view(np.uint64).sum(dtype=np.uint64)])


def _damaged(path: Path, why: str) -> InputError:
    return InputError(
        path,
        f"this block of vectors is missing or damaged ({why}); delete it and rerun the command that made it: only this "
        "block is encoded again",
    )
