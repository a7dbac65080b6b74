"""A cache of vectors on disk, keyed by all that decides them: weights, tokenizer, prefix, length limit and text.

A call of `encode` writes the vectors that it computed into one new file, which never changes. Files appear only when
they are complete, so processes can share a folder, and a killed process leaves no damaged vectors. If the folder
exceeds its limit, the least recently used files are removed.
"""

import hashlib
import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hybrid_ir.evaluation.vectors.encoder import DescribedEncoder
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.records import TextKind

KEY_BYTES = 16
ABANDONED = 3600.0  # seconds after which an unfinished file is no longer being written


class CachedEncoder:
    """An encoder that reads vectors from the cache and computes only the missing ones.

    The wrapped encoder must not change meanwhile. A text's vector may differ in its last bits from a call without the
    cache, since texts are batched differently.

    Args:
        encoder: computes missing vectors.
        folder: folder of the cache; several encoders may share it.
        max_bytes: limit for all files in the folder, exceeded at most by the file being written.
    """

    def __init__(self, encoder: DescribedEncoder, folder: Path, max_bytes: int) -> None:
        self.encoder, self.folder, self.max_bytes = encoder, folder, max_bytes
        self.description = dict(encoder.describe())

    def describe(self) -> Mapping[str, Any]:
        """The wrapped encoder's description."""
        return self.description

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """Embed texts, from the cache if possible: float32 (N, D) on the CPU.

        Raises:
            InputError: a file of the cache is damaged (names it).
        """
        folder = self.folder / self._fingerprint(kind)
        keys = [hashlib.blake2b(text.encode(), digest_size=KEY_BYTES).digest() for text in texts]
        found = _find(folder, set(keys))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            vectors = self.encoder.encode(list(missing.values()), kind).float().cpu()
            found |= dict(zip(missing, vectors, strict=True))
            _write(folder, list(missing), vectors)
            self._shrink()
        return torch.stack([found[key] for key in keys])

    def _fingerprint(self, kind: TextKind) -> str:
        other = "passage" if kind == "query" else "query"
        own = {key: value for key, value in self.description.items() if other not in key}
        return hashlib.sha256(json.dumps([kind, own], sort_keys=True, default=str).encode()).hexdigest()

    def _shrink(self) -> None:
        files = []
        for path in self.folder.rglob("*.*"):
            try:
                status = path.stat()
            except FileNotFoundError:  # another process has removed it
                continue
            if path.suffix == ".tmp" and time.time() - status.st_mtime > ABANDONED:
                path.unlink(missing_ok=True)
            elif path.suffix == ".safetensors":
                files.append((status.st_mtime, status.st_size, path))
        excess = sum(size for _, size, _ in files) - self.max_bytes
        for _, size, path in sorted(files):
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size


def _find(folder: Path, wanted: set[bytes]) -> dict[bytes, Tensor]:
    found: dict[bytes, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        if len(found) == len(wanted):
            break
        try:
            keys, vectors = _read(path)
            here = {key: row for row, key in enumerate(keys) if key in wanted and key not in found}
            if here:
                found |= {key: vectors[row].clone() for key, row in here.items()}
                os.utime(path)
        except FileNotFoundError:  # another process has removed it
            continue
    return found


def _read(path: Path) -> tuple[list[bytes], Tensor]:
    try:
        with safe_open(path, "pt") as file:
            keys, vectors, checksum = file.get_tensor("keys"), file.get_tensor("vectors"), file.metadata()["sha256"]
    except FileNotFoundError:
        raise
    except (SafetensorError, KeyError, TypeError, OSError) as error:
        raise InputError(path, f"a damaged file of cached vectors ({error}); delete it") from None
    if _checksum(keys, vectors) != checksum:
        raise InputError(path, "a damaged file of cached vectors (other checksum than written); delete it")
    return [row.numpy().tobytes() for row in keys], vectors


def _write(folder: Path, keys: Sequence[bytes], vectors: Tensor) -> None:
    rows = torch.frombuffer(bytearray(b"".join(keys)), dtype=torch.uint8).view(-1, KEY_BYTES)
    tensors = {"keys": rows, "vectors": vectors.contiguous()}
    with replacing(folder / f"{uuid.uuid4().hex}.safetensors") as draft:
        save_file(tensors, draft, metadata={"sha256": _checksum(rows, vectors)})


def _checksum(keys: Tensor, vectors: Tensor) -> str:
    digest = hashlib.sha256(keys.contiguous().numpy().data)
    digest.update(vectors.contiguous().numpy().data)
    return digest.hexdigest()
