"""Checkpoint files: written completely or not at all, and read without pickled code."""

import logging
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from hybrid_ir.sources.atomic import replacing
from hybrid_ir.training.restored_paths import SUFFIX

log = logging.getLogger(__name__)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes to a draft, flushes it to the disk and renames it: a kill or a full disk leaves the old file intact.

    Lightning itself collects the whole checkpoint in memory, writes it to the system's folder of temporary files and
    moves it. Between two file systems that is a copy, and a kill leaves a truncated file under the final name.

    A checkpoint that cannot be written does not end training: the log says so, `failed` has the reason, and the caller
    decides. The next one is tried again.

    Files are removed only where this object has written checkpoints, and only regular `.ckpt` files: which one is
    outdated is read from a checkpoint, and that may be anybody's.

    Attributes:
        failed: files whose newest content could not be written, with the reason.
    """

    def __init__(self) -> None:
        self.failed: dict[Path, str] = {}
        self._folders: set[Path] = set()  # resolved

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Write `checkpoint`; if the disk is full or gone, log it and note the reason in `failed`."""
        path = Path(path)
        try:
            with replacing(path, durable=True) as draft, draft.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
            self._folders.add(path.parent.resolve())
        except (OSError, RuntimeError) as error:
            # PyTorch's writer wraps the OSError in an error of its own.
            fault = error if isinstance(error, OSError) else error.__context__
            if not isinstance(fault, OSError):
                raise
            self.failed[path] = fault.strerror or str(fault)
            kept = "its content from before is kept" if path.exists() else "there is none from before"
            log.error("checkpoint %s could NOT be written (%s); %s. Training goes on", path, self.failed[path], kept)
        else:
            self.failed.pop(path, None)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = lambda storage, _: storage, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """The content of a checkpoint; it is refused if it holds more than tensors and plain containers."""
        return super().load_checkpoint(path, map_location, weights_only=True)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove one outdated checkpoint file; anything else stays, and the log says so."""
        file = Path(path)
        if not (
            file.suffix == SUFFIX
            and file.parent.resolve() in self._folders
            and not file.is_symlink()
            and (file.is_file() or not file.exists())
        ):
            log.warning("%.200r was to be removed as an outdated checkpoint; it is none of this run, and stays", path)
            return
        file.unlink(missing_ok=True)
