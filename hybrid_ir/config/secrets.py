"""Keys and tokens stay in the environment: what is in a configuration ends in files, logs and dashboards.

Secrets are known by value (variables of the environment), by form, and by the name of their field. The forms are a
table of our own: detect-secrets 1.5 does not know the tokens of Hugging Face and W&B, and finds secrets in lines of
source code, where here they are to be replaced in texts.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from omegaconf import DictConfig, OmegaConf

from hybrid_ir.sources.untrusted import printable_lines

SECRETS = ("WANDB_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
HIDDEN = "***"
SHORTEST = 8  # characters of another variable's value that is taken for a secret

_FORMS = (
    r"\bhf_[A-Za-z0-9]{30,}|\bhf_(?:oauth|jwt)_[\w.-]{16,}|\bapi_org_[A-Za-z0-9]{16,}",  # Hugging Face
    r"\bwandb_v\d+_\w{20,}|(?<![0-9A-Za-z_])(?:local-)?[0-9a-f]{40}(?![0-9A-Za-z_])",  # W&B; see also `_COMMIT`
    r"\bgithub_pat_\w{20,}|\bgh[a-z]_[A-Za-z0-9]{30,}|\bglpat-[\w-]{20,}",  # GitHub, GitLab
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}|\bxox[a-z]-[\w-]{10,}|\bsk-(?:proj-|ant-)?[A-Za-z0-9_]{32,}",
    r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",  # JSON web tokens
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
)
_TOKEN = re.compile("|".join(_FORMS))
# Before forty hexadecimal digits that are a commit, and not a key of W&B.
_COMMIT = re.compile(
    r"(?:(?:revision|commit)\w*['\"]?\s*[=:]?\s*['\"]?|(?:snapshots|resolve|tree|blob|raw|commit)/|@|\bat |"
    r"https?://[^\s?#]*/)$",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_WITHOUT_SCHEME = re.compile(
    r"(?<![\w@/:.+-])[\w.+-]+:[^\s:/@'\",{}=]+(?=@[A-Za-z0-9][\w-]*(?:\.\w|:\d|/|$|[\s'\",}]))"
)
_SIGNED = re.compile(
    r"((?:[?&]|&amp;)(?:X-Amz-(?:Signature|Credential|Security-Token)|X-Goog-(?:Signature|Credential)|Signature|sig|"
    r"Key-Pair-Id|Policy|AWSAccessKeyId|\w{0,20}(?:token|key|secret|password|auth))=)[^&\s'\"#]+",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?<![A-Za-z])((?:Bearer|Basic)[ -]+)[A-Za-z0-9._~+/=-]{8,}")
_NAMES = (
    r"(?:api|secret|access|private|auth|signing|encryption|account|deploy)[_-]?key(?:[_-]?id)?|"
    r"(?:access|auth|refresh|bearer|session|client|hf|hub)?(?:token|secrets?)|"
    r"passw(?:or)?d|passphrase|passcode|pwd|credentials?|authorization"
)
_NAMED_KEY = re.compile(rf"(?:^|[._\-\]+~@])(?:{_NAMES})$", re.IGNORECASE)
# In a command: `x.api_key=...`, `{api_key: ...}`. An interpolation has its value elsewhere, and null has none.
_NAMED_VALUE = re.compile(
    rf"(?<![A-Za-z0-9])((?:{_NAMES})['\"]?\s*[=:]\s*)(?!['\"]?(?:null\b|none\b|true\b|false\b|\$\{{|\*\*\*))"
    r"(?:\"[^\"]*\"?|'[^']*'?|\[[^\]]*\]?|\{[^}]*\}?|(?:(?:Bearer|Basic|Token)\s+)?[^\s,}'\"]+)",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(r"(?:null|none|true|false)?$|\$\{", re.IGNORECASE)
_REMEDY = "Leave it out: W&B and the hub read WANDB_API_KEY and HF_TOKEN from the environment"
_WRITTEN = "it would be written to config.yaml, checkpoints and dashboards"


def check_no_secrets(cfg: DictConfig, resolve: bool = True) -> None:
    """Refuse a configuration with a secret in it, by itself or as part of a text or key.

    Secrets are the values of `SECRETS` in the environment and of other variables that are called so, whatever has the
    form of a token, user and password before a host, signed URLs, and anything under a key that is called `token`,
    `api_key` and the like: texts, numbers, lists and mappings.

    Args:
        cfg: the configuration.
        resolve: look at what interpolations stand for; otherwise at what is written, without the interpolations.

    Raises:
        ValueError: names the field and the kind of secret, and not the value.
    """
    for key, value in _fields(OmegaConf.to_container(cfg, resolve=resolve)):
        shown = redacted(key)
        check_text(shown, key)
        if isinstance(value, str) and not (_COMMIT.search(f"{key}=") and re.fullmatch("[0-9a-f]{40}", value)):
            check_text(shown, value)
        interpolated = not resolve and isinstance(value, str) and value.startswith("${")
        if _NAMED_KEY.search(key) and not isinstance(value, bool) and value not in (None, "", [], {}, "???"):
            if interpolated:
                continue
            raise ValueError(f"{shown} holds a secret by its name; {_WRITTEN}. {_REMEDY}")


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
        key, assigned, value = word.partition("=")
        place = key if assigned and not _kind(key) and not _NAMED_VALUE.search(key) else f"argument {number}"
        check_text(place, word)
        named = assigned and _NAMED_KEY.search(key)
        if (named and not _NO_VALUE.match(value)) or _NAMED_VALUE.search(word):
            raise ValueError(f"{place} holds a secret by its name; {_WRITTEN}. {_REMEDY}")


def redacted(text: str) -> str:
    """The text with `***` for every secret in it, as far as they are known by value, form or name."""
    for secret in _known().values():
        text = text.replace(secret, HIDDEN)
    text = _TOKEN.sub(lambda found: found[0] if _is_commit(found) else HIDDEN, text)
    for pattern in (_IN_URL, _WITHOUT_SCHEME):
        text = pattern.sub(HIDDEN, text)
    for pattern in (_SIGNED, _NAMED_VALUE, _SCHEME):
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text


def redact_logs() -> None:
    """From here on, secrets in log messages and tracebacks of this process are hidden, whoever writes them."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def redacting(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit: logging reports that itself
            return record
        if (clean := printable_lines(redacted(text))) != text:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            text = "".join(traceback.format_exception(*record.exc_info)).removesuffix("\n")
            if (clean := redacted(text)) != text:  # formatters take the text that is there already
                record.exc_text, record.exc_info = clean, None
        if record.stack_info:
            record.stack_info = redacted(record.stack_info)
        return record

    redacting.redacts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(redacting)
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show_redacted


def _show_redacted(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    print(redacted("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)


def _known() -> dict[str, str]:
    """Variable -> its value, the longest first: one may hold another."""
    found = {name: value for name in SECRETS if (value := os.environ.get(name))}
    for name, value in os.environ.items():
        if name not in found and len(value) >= SHORTEST and not value.startswith("/") and _NAMED_KEY.search(name):
            found[name] = value
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def _kind(text: str) -> str | None:
    """What secret a text holds."""
    for name, secret in _known().items():
        if secret in text:
            return f"the value of {name}"
    if any(not _is_commit(found) for found in _TOKEN.finditer(text)) or _SCHEME.search(text):
        return "what looks like a token"
    if _SIGNED.search(text):
        return "a signed URL"
    return "user or password of a URL" if _IN_URL.search(text) or _WITHOUT_SCHEME.search(text) else None


def _is_commit(found: re.Match[str]) -> bool:
    """Whether forty hexadecimal digits are said to be a commit."""
    before = found.string[max(0, found.start() - 200) : found.start()]
    return re.fullmatch("[0-9a-f]{40}", found[0]) is not None and _COMMIT.search(before) is not None


def _fields(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every key at any depth, with its value."""
    if isinstance(node, Mapping):
        children = [(f"{key}.{name}" if key else str(name), child) for name, child in node.items()]
    elif isinstance(node, Sequence) and not isinstance(node, str):
        children = [(f"{key}[{position}]", child) for position, child in enumerate(node)]
    else:
        children = []
    for name, child in children:
        yield name, child
        yield from _fields(child, name)
