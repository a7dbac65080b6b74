"""Removes foreign paths from the callback states of a checkpoint before they are restored.

Lightning's `ModelCheckpoint` stores the paths of its best files in every checkpoint and trusts them when it resumes: it
removes outdated files, and loggers may upload them. A checkpoint is untrusted data.
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
    """Drop every path outside the run from the callback states of a checkpoint.

    A `ModelCheckpoint` keeps its best scores and files if all of the files are in its own folder; otherwise all of them
    are dropped. The state of any other callback that holds a path is dropped.

    Args:
        checkpoint: the checkpoint as Lightning read it; its `callbacks` change.
        callbacks: the callbacks of the Trainer that resumes.
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
    """Whether `path` names a checkpoint file directly in `folder`; the file need not exist."""
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
    # A best score is useless without its file. Lightning itself drops both if the folder differs.
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
