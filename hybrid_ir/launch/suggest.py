"""Suggestions for keys, choices and arguments that do not exist."""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import yaml
from hydra.errors import MissingConfigException
from omegaconf import Container, DictConfig
from omegaconf.errors import OmegaConfBaseException

from hybrid_ir.config.stored_configs import CHOICES, KEYS
from hybrid_ir.launch.help import CONF, GROUPS
from hybrid_ir.sources.errors import nearest

MOST = 3  # largest number of suggestions
PLUGINS = {  # choices that come with an optional package
    "hydra/launcher/joblib", "hydra/launcher/submitit_local", "hydra/launcher/submitit_slurm", "hydra/sweeper/optuna",
}  # fmt: skip
HYDRA_GROUPS = ("hydra/launcher", "hydra/sweeper", "hydra/sweeper/sampler", "hydra/job_logging")
REFUSED = re.compile(r"Could not override '\+*([^'@]+)'")
NOISE = re.compile(r"\n {4}(?:full_key|object_type).*|\nConfig search path:(?:\n\t.*)*")
PACKAGE = re.compile(r"# @package (\S+)")


def helpful(error: BaseException) -> str:
    """The message of a Hydra or OmegaConf error, without internals and with suggestions."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
    if isinstance(error, MissingConfigException):
        return _choice(error)
    refused = REFUSED.search(str(error))
    if refused is not None and isinstance(cause, OmegaConfBaseException):
        return _unknown_key(refused[1], cause)
    detail = "" if str(cause) in str(error) else f": {cause}"
    return NOISE.sub("", f"{error}{detail}")


def keys_named(name: str, root: Container) -> list[str]:
    """Keys of a configuration whose last part is `name`, the shortest first."""
    found = [key for key in _keys(root) if key.rpartition(".")[2] == name]
    return sorted(found, key=lambda key: key.count("."))


def _unknown_key(key: str, cause: OmegaConfBaseException) -> str:
    """The message for an override whose key does not exist."""
    parent = cause.parent_node
    root = parent._get_root() if parent is not None else {}
    group = key.split(".")[0]
    if key in KEYS:
        return f"'{key}' is now called '{KEYS[key]}'"
    if group in GROUPS and group not in root:
        return f"'{key}' is not a setting of this program, which has no group '{group}'"
    if choices := choices_with(key):
        return f"'{key}' only exists with another choice; add {_one_of(choices)}"
    if found := _keys_like(key, cause):
        return f"'{key}' does not exist. Did you mean {_one_of(map(repr, found))}?"
    return f"'{key}' does not exist; +{key}=VALUE adds it, if what it configures takes it"


def _one_of(words: Iterable[str]) -> str:
    return " or ".join(words)


def _choice(error: MissingConfigException) -> str:
    missing = error.missing_cfg_file or ""
    if missing in PLUGINS:
        return f"{missing} comes with an optional package: pip install -r requirements-sweeps.txt"
    group, _, choice = missing.rpartition("/")
    if (group, choice) in CHOICES:
        return f"{group}={choice} is now called {'='.join(CHOICES[group, choice])}"
    known = error.options or sorted(path.stem for path in (CONF / group).glob("*.yaml"))
    listed = f"'{choice}' is not a choice of {group}; there are {', '.join(known)}"
    found = nearest(choice, known)
    if found is None:
        return listed
    typed = next((word for word in sys.argv[1:] if _of_group(word, group) and choice in word), f"{group}={choice}")
    return f"{listed}. Did you mean '{typed.replace(choice, found)}'?"


def _of_group(word: str, group: str) -> bool:
    """Whether an override chooses from a group: `model=labse`, `model@teacher.model=labse`."""
    return word.lstrip("+").partition("=")[0].partition("@")[0] == group


def choices_with(key: str) -> list[str]:
    """Choices that would add the missing key, such as `sampler/schedule=linear`."""
    found = []
    for path in sorted(CONF.rglob("*/*.yaml")):
        group = path.parent.relative_to(CONF).as_posix()
        text = path.read_text(encoding="utf-8")
        header = PACKAGE.match(text)
        package = header[1] if header else group.replace("/", ".")
        if group.startswith("hydra") or not key.startswith(f"{package}.") or path.stem == "default":
            continue
        node: Any = yaml.safe_load(text)
        for part in key.removeprefix(f"{package}.").split("."):
            node = node.get(part, ...) if isinstance(node, dict) else ...
        if node is not ...:
            found.append(f"{group}={path.stem}")
    return found[:MOST]


def _keys_like(typed: str, cause: BaseException) -> list[str]:
    """Keys that may have been meant: a group, a similar name on the same level, or the same name elsewhere."""
    if "/" in typed:
        return _listed(nearest(typed, HYDRA_GROUPS))
    wrong, parent = getattr(cause, "key", None), getattr(cause, "parent_node", None)
    if not isinstance(wrong, str) or not isinstance(parent, DictConfig) or wrong in parent:
        return []
    root = parent._get_root()
    level = [str(name) for name in parent] + (list(GROUPS) if parent is root else [])
    neighbour = nearest(wrong, [name for name in level if name != wrong])
    if neighbour is not None:
        return [".".join(neighbour if part == wrong else part for part in typed.split("."))]
    last = typed.rpartition(".")[2]
    return keys_named(last, root)[:MOST] or _listed(nearest(last, (key.rpartition(".")[2] for key in _keys(root))))


def _listed(found: str | None) -> list[str]:
    return [] if found is None else [found]


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Dotted keys of all values, except Hydra's."""
    if not isinstance(node, DictConfig) or node._is_none() or node._is_missing() or node._is_interpolation():
        return
    for name in map(str, node):
        if prefix or name != "hydra":
            yield f"{prefix}{name}"
            yield from _keys(node._get_node(name), f"{prefix}{name}.")
