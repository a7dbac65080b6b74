"""Check of the command line before Hydra parses it: explains how to write arguments that Hydra cannot read."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from hybrid_ir.launch.help import CONF
from hybrid_ir.launch.suggest import keys_named


def check_arguments(words: Sequence[str]) -> None:
    """Check that every argument has the form `key=value`, and that Hydra's grammar can read its value.

    Raises:
        ValueError: an argument does not. Shows how to write it.
    """
    known, others = get_args_parser().parse_known_args(list(words))
    overrides = [*known.overrides, *(word for word in others if not word.startswith("-"))]
    for word in others:
        if word.startswith("--") and len(word) > 2:
            raise ValueError(_without_dashes(word, words))
    for word in overrides:
        if (message := _fault(word, words)) is not None:
            raise ValueError(message)


def _fault(word: str, words: Sequence[str]) -> str | None:
    try:
        OverridesParser.create().parse_override(word)
    except HydraException as error:
        key, assigned, value = word.partition("=")
        if assigned and key and _readable(quoted := f"{key}={_quoted(value)}"):
            return f"{word!r} has characters that must be quoted; write {shlex.quote(quoted)}"
        if not assigned and not key.startswith("~") and _readable(f"{key}=1"):
            return f"{key!r} has no value; write {key}={_shown(_following(words, word))}, with = and without spaces"
        return str(error).splitlines()[0]
    return None


def _without_dashes(word: str, words: Sequence[str]) -> str:
    name, assigned, inside = word.lstrip("-").partition("=")
    name, value = name.replace("-", "_"), inside if assigned else _following(words, word)
    keys = keys_named(name.rpartition(".")[2], cfg) if (cfg := _composed()) is not None else []
    written = " or ".join(f"{key}={_shown(value)}" for key in (keys or [name])[:3])
    return f"{word} is not a flag; settings are written without dashes, as key=value: {written}"


def _composed() -> DictConfig | None:
    """The configuration of this program without any overrides; None if it cannot be composed."""
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return compose(Path(sys.argv[0]).stem)
    except (HydraException, OmegaConfBaseException, ValueError):
        return None


def _following(words: Sequence[str], word: str) -> str | None:
    """The argument after `word`, unless that is a flag or a setting itself."""
    after = list(words)[list(words).index(word) + 1 :]
    return after[0] if after and not after[0].startswith("-") and "=" not in after[0] else None


def _shown(value: str | None) -> str:
    if value is None:
        return "VALUE"
    return value if _readable(f"x={value}") else shlex.quote(_quoted(value))


def _quoted(value: str) -> str:
    bare = value.strip("'\"")
    return '"' + bare.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _readable(word: str) -> bool:
    try:
        OverridesParser.create().parse_override(word)
    except HydraException:
        return False
    return True
