"""Keys and tokens stay in the environment: what is in a configuration ends in files, logs and dashboards."""

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

SECRETS = ("WANDB_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
HIDDEN = "***"

_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{30,}|\bwandb_v\d+_\w{20,}|\bgh[a-z]_[A-Za-z0-9]{30,}")
_IN_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_NAMES = r"api_?key|token|password|passwd|secret|credentials?"
_NAMED_KEY = re.compile(rf"(?:^|[._])(?:{_NAMES})$", re.IGNORECASE)
# In a command: `x.api_key=...`, `{api_key: ...}`. An interpolation has its value elsewhere, and null has none.
_NAMED_VALUE = re.compile(
    rf"(?<![A-Za-z0-9])((?:{_NAMES})['\"]?\s*[=:]\s*['\"]?)(?!null\b|none\b|\$\{{)[^\s,}}'\"]+", re.IGNORECASE
)
_REMEDY = "Leave it out: W&B and the hub read WANDB_API_KEY and HF_TOKEN from the environment"


def check_no_secrets(cfg: DictConfig) -> None:
    """Refuse a configuration with a secret in it, by itself or as part of a text.

    Secrets are the values of `SECRETS` in the environment, whatever has the form of a token of the Hugging Face hub,
    W&B or GitHub, user and password in a URL, and texts under a key that is called `token`, `api_key` and the like.

    Raises:
        ValueError: names the field and the kind of secret, and not the value.
    """
    for key, text in _texts(OmegaConf.to_container(cfg, resolve=True)):
        check_text(key, text)
        if text and _NAMED_KEY.search(key):
            raise ValueError(f"{key} holds a secret by its name; {_WRITTEN}. {_REMEDY}")


def check_text(place: str, text: str) -> None:
    """Refuse a secret in a text; raises as `check_no_secrets` does."""
    kind = _kind(text)
    if kind:
        raise ValueError(f"{place} holds {kind}; {_WRITTEN}. {_REMEDY}")


def check_command(words: Sequence[str]) -> None:
    """Refuse a command line with a secret in it, before anything records the command.

    Raises:
        ValueError: names the argument without its value.
    """
    for number, word in enumerate(words, start=1):
        key, assigned, _ = word.partition("=")
        place = key if assigned and not _kind(key) else f"argument {number}"
        check_text(place, word)
        if _NAMED_VALUE.search(word):
            raise ValueError(f"{place} holds a secret by its name; {_WRITTEN}. {_REMEDY}")


def redacted(text: str) -> str:
    """The text with `***` for every secret in it, as far as they are known by value, form or name."""
    for secret in _known().values():
        text = text.replace(secret, HIDDEN)
    return _NAMED_VALUE.sub(rf"\g<1>{HIDDEN}", _IN_URL.sub(HIDDEN, _TOKEN.sub(HIDDEN, text)))


def redact_logs() -> None:
    """From here on, secrets in log messages of this process are hidden, whoever writes them."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def redacting(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit: logging reports that itself
            return record
        if (clean := redacted(text)) != text:
            record.msg, record.args = clean, ()
        return record

    redacting.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(redacting)


_WRITTEN = "it would be written to config.yaml, checkpoints and dashboards"


def _known() -> dict[str, str]:
    return {name: value for name in SECRETS if (value := os.environ.get(name))}


def _kind(text: str) -> str | None:
    """What secret a text holds."""
    for name, secret in _known().items():
        if secret in text:
            return f"the value of {name}"
    if _TOKEN.search(text):
        return "what looks like a token"
    return "user or password of a URL" if _IN_URL.search(text) else None


def _texts(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield key, node
    elif isinstance(node, Mapping):
        for name, child in node.items():
            yield from _texts(child, f"{key}.{name}" if key else str(name))
    elif isinstance(node, Sequence):
        for place, child in enumerate(node):
            yield from _texts(child, f"{key}[{place}]")
