"""The nearest of what could have been meant, for choices, keys and options that do not exist."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hydra.errors import MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from hybrid_ir.launch.help import GROUPS
from hybrid_ir.nearest import nearest

MOST = 3  # suggestions
PLUGINS = {  # choices that come with an optional package
    "hydra/launcher/joblib", "hydra/launcher/submitit_local", "hydra/launcher/submitit_slurm", "hydra/sweeper/optuna",
}  # fmt: skip
HYDRA_GROUPS = ("hydra/launcher", "hydra/sweeper", "hydra/sweeper/sampler", "hydra/help", "hydra/job_logging")
REFUSED = re.compile(r"Could not override '\+*([^'@]+)'")
CONF = re.compile(r"provider=main, path=file://(\S+)")
NOISE = re.compile(r"\n {4}(?:full_key|object_type).*|\nConfig search path:(?:\n\t.*)*")


def helpful(error: BaseException) -> str:
    """The message of Hydra or OmegaConf without its internals, and a line that names what may have been meant."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    detail = "" if str(cause) in str(error) else f": {cause}"
    return NOISE.sub("", f"{error}{detail}") + _suggestion(error, cause)


def _suggestion(error: BaseException, cause: BaseException) -> str:
    if isinstance(error, MissingConfigException):
        return _choice(error)
    refused = REFUSED.search(str(error))
    found = _keys_like(refused[1], cause) if refused else []
    return f"\nDid you mean {' or '.join(map(repr, found))}?" if found else ""


def _choice(error: MissingConfigException) -> str:
    missing = error.missing_cfg_file or ""
    if missing in PLUGINS:
        return "\nIt comes with an optional package: pip install -r requirements-sweeps.txt"
    group, _, choice = missing.rpartition("/")
    found = nearest(choice, error.options or _files(group, str(error)))
    if found is None:
        return ""
    typed = next((word for word in sys.argv[1:] if _of_group(word, group) and choice in word), f"{group}={choice}")
    return f"\nDid you mean '{typed.replace(choice, found)}'?"


def _files(group: str, message: str) -> list[str]:
    """The choices of a group, which Hydra does not name where one of a list is missing, in the folder it searched."""
    folder = CONF.search(message)
    return sorted(path.stem for path in (Path(folder[1]) / group).glob("*.yaml")) if folder else []


def _of_group(word: str, group: str) -> bool:
    """Whether an override chooses of a group: `model=labse`, `model@teacher.model=labse`."""
    return word.lstrip("+").partition("=")[0].partition("@")[0] == group


def _keys_like(typed: str, cause: BaseException) -> list[str]:
    """What a key may have been: a group, a neighbour with a similar name, or the same name in another place."""
    if "/" in typed:
        return _listed(nearest(typed, HYDRA_GROUPS))
    wrong, parent = getattr(cause, "key", None), getattr(cause, "parent_node", None)
    if not isinstance(wrong, str) or not isinstance(parent, DictConfig) or wrong in parent:
        return []
    root = parent._get_root()
    level = [str(name) for name in parent] + (list(GROUPS) if parent is root else [])
    neighbour = nearest(wrong, level)
    if neighbour is not None:
        return [".".join(neighbour if part == wrong else part for part in typed.split("."))]
    last = typed.rpartition(".")[2]
    places = [key for key in _keys(root) if key.rpartition(".")[2] == last]
    return places[:MOST] or _listed(nearest(last, (key.rpartition(".")[2] for key in _keys(root))))


def _listed(found: str | None) -> list[str]:
    return [] if found is None else [found]


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Dotted keys of all values, those of Hydra left out."""
    if not isinstance(node, DictConfig) or node._is_none() or node._is_missing() or node._is_interpolation():
        return
    for name in map(str, node):
        if prefix or name != "hydra":
            yield f"{prefix}{name}"
            yield from _keys(node._get_node(name), f"{prefix}{name}.")
