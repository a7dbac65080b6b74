"""Reading and writing of checkpoint files: atomic writes, and no pickled code."""

import logging
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from hybrid_ir.sources.atomic import replacing
from hybrid_ir.training.restored_paths import SUFFIX

log = logging.getLogger(__name__)


class AtomicCheckpointIO(TorchCheckpointIO):
    """Checkpoint files that are written atomically: a kill or a full disk leaves the old file intact.

    The content is written to a draft, flushed to the disk and renamed. Lightning itself collects the checkpoint in
    memory, writes it to the system's temporary folder and moves it. Between two file systems, a move is a copy, and a
    kill leaves a truncated file under the final name.

    A checkpoint that cannot be written does not end training: it is logged, `failed` records the reason, and the caller
    decides. The next checkpoint is written as usual.

    Only regular `.ckpt` files are removed, and only from folders that this object has written checkpoints to: the paths
    of outdated checkpoints come from a checkpoint, which is untrusted.

    Attributes:
        failed: files whose newest content could not be written -> the reason.
    """

    def __init__(self) -> None:
        self.failed: dict[Path, str] = {}
        self._folders: set[Path] = set()  # resolved

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Write `checkpoint`; if the disk is full or gone, log the error and record it in `failed`."""
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
            log.error("checkpoint %s could NOT be written (%s); %s. Training continues", path, self.failed[path], kept)
        else:
            self.failed.pop(path, None)

    def load_checkpoint(
        self, path: str | Path, map_location: Any = lambda storage, _: storage, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """The content of a checkpoint; refused if it holds anything but tensors and plain containers."""
        return super().load_checkpoint(path, map_location, weights_only=True)

    def remove_checkpoint(self, path: str | Path) -> None:
        """Remove one outdated checkpoint file; any other path is kept, with a warning."""
        file = Path(path)
        if not (
            file.suffix == SUFFIX
            and file.parent.resolve() in self._folders
            and not file.is_symlink()
            and (file.is_file() or not file.exists())
        ):
            log.warning("%.200r is kept: it was to be removed as outdated, but is not a checkpoint of this run", path)
            return
        file.unlink(missing_ok=True)
