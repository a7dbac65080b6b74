"""Checkpoint files: written completely or not at all, and read without pickled code."""

import logging
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from hybrid_ir.sources.atomic import replacing

log = logging.getLogger(__name__)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes to a draft, flushes it to the disk and renames it: a kill or a full disk leaves the old file intact.

    Lightning itself collects the whole checkpoint in memory, writes it to the system's folder of temporary files and
    moves it. Between two file systems that is a copy, and a kill leaves a truncated file under the final name.

    A checkpoint that cannot be written does not end training: the log says so, `failed` has the reason, and the caller
    decides. The next one is tried again.

    Attributes:
        failed: files whose newest content could not be written, with the reason.
    """

    def __init__(self) -> None:
        self.failed: dict[Path, str] = {}

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Write `checkpoint`; if the disk is full or gone, log it and note the reason in `failed`."""
        path = Path(path)
        try:
            with replacing(path, durable=True) as draft, draft.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
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
