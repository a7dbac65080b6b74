"""Paths in the states of a checkpoint: those of the run's own checkpoints, or none.

Lightning's `ModelCheckpoint` keeps in every checkpoint where its best files lie, and believes what it reads there: it
removes outdated ones, and loggers may upload them. A checkpoint may come from anybody.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from lightning.pytorch.callbacks import Callback, ModelCheckpoint

log = logging.getLogger(__name__)

SUFFIX = ".ckpt"
PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")  # of ModelCheckpoint
BEST = "best_k_models"  # path -> score


def keep_own_paths(checkpoint: dict[str, Any], callbacks: Iterable[Callback]) -> None:
    """Change the callback states of a checkpoint so that no path in them leads out of the run.

    A `ModelCheckpoint` keeps its best scores and their files if all of these lie in its own folder, and none otherwise.
    The state of any other callback that holds a path is dropped.

    Args:
        checkpoint: as Lightning read it; its `callbacks` change.
        callbacks: of the Trainer that resumes.
    """
    callbacks = list(callbacks)
    states = checkpoint.get("callbacks")
    if not isinstance(states, dict):
        checkpoint["callbacks"] = {}
        return
    own = {callback.state_key: callback for callback in callbacks if isinstance(callback, ModelCheckpoint)}
    for key, state in list(states.items()):
        if not isinstance(state, dict):
            del states[key]
        elif key in own:
            states[key] = _own_state(state, Path(own[key].dirpath or ""))
        elif any(map(_is_path, _texts(state))):
            if key in {callback.state_key for callback in callbacks}:
                log.warning("the checkpoint's state of %.80r holds a path and is not restored", key)
            del states[key]


def is_own_checkpoint(path: Any, folder: Path) -> bool:
    """Whether `path` is the name of a checkpoint file directly in `folder`; it need not exist."""
    return (
        isinstance(path, str) and "\0" not in path and path.endswith(SUFFIX) and path == str(folder / Path(path).name)
    )


def _own_state(state: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    best, paths = state.get(BEST, {}), {key: state.get(key, "") for key in PATHS}
    own = isinstance(best, Mapping) and all(is_own_checkpoint(path, folder) for path in best)
    own = own and all(path == "" or is_own_checkpoint(path, folder) for path in paths.values())
    worst = paths["kth_best_model_path"]
    if own and state.get("dirpath") == str(folder) and (worst == "" or worst in best):
        return dict(state)
    # A best score counts for nothing without its file. Lightning drops both where the folder is another.
    return {**state, BEST: {}, **dict.fromkeys(PATHS, ""), "dirpath": None}


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, Mapping):
            waiting += [*node.keys(), *node.values()]
        elif isinstance(node, list | tuple | set):
            waiting += node


def _is_path(text: str) -> bool:
    return "://" in text or text.startswith(("/", "~", "\\")) or ".." in PurePath(text).parts or SUFFIX in text
