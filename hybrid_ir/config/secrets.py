"""Detection and redaction of secrets (keys, tokens, passwords) in configurations, commands and logs.

Configurations are written to files, logs and dashboards, so secrets must stay in the environment. They are recognised
by value (environment variables), by form, and by the name of their field. The forms are our own table: detect-secrets
1.5 does not know the tokens of Hugging Face and W&B, and only scans lines of source code.
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
SHORTEST = 8  # characters; shorter values of other variables do not count as secrets

_FORMS = (
    r"\bhf_[A-Za-z0-9]{30,}|\bhf_(?:oauth|jwt)_[\w.-]{16,}|\bapi_org_[A-Za-z0-9]{16,}",  # Hugging Face
    r"\bwandb_v\d+_\w{20,}|(?<![0-9A-Za-z_])(?:local-)?[0-9a-f]{40}(?![0-9A-Za-z_])",  # W&B; see also `_COMMIT`
    r"\bgithub_pat_\w{20,}|\bgh[a-z]_[A-Za-z0-9]{30,}|\bglpat-[\w-]{20,}",  # GitHub, GitLab
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}|\bxox[a-z]-[\w-]{10,}|\bsk-(?:proj-|ant-)?[A-Za-z0-9_]{32,}",
    r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",  # JSON web tokens
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
)
_TOKEN = re.compile("|".join(_FORMS))
# Text before forty hexadecimal digits that are a commit, not a W&B key.
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
    r"passw(?:or)?d|passphrase|passcode|pwd|credentials?|authorization|auth|cookies?"
)
_NAMED_KEY = re.compile(rf"(?:^|[._\-\]+~@])(?:{_NAMES})$", re.IGNORECASE)
# In a command: `x.api_key=...`, `{api_key: ...}`. Interpolations and null do not contain a secret.
_NAMED_VALUE = re.compile(
    rf"(?<![A-Za-z0-9])((?:{_NAMES})['\"]?\s*[=:]\s*)(?!['\"]?(?:null\b|none\b|true\b|false\b|\$\{{|\*\*\*))"
    r"(?:\"[^\"]*\"?|'[^']*'?|\[[^\]]*\]?|\{[^}]*\}?|(?:(?:Bearer|Basic|Token)\s+)?[^\s,}'\"]+)",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(r"(?:null|none|true|false)?$|\$\{", re.IGNORECASE)
_REMEDY = "Leave it out: W&B and the hub read WANDB_API_KEY and HF_TOKEN from the environment"
_WRITTEN = "it would be written to config.yaml, checkpoints and dashboards"


def check_no_secrets(cfg: DictConfig, resolve: bool = True) -> None:
    """Refuse a configuration that contains a secret, as a value or within a text or key.

    Secrets are: the values of `SECRETS` in the environment and of variables with similar names; texts in the form of a
    token; user and password in a URL; signed URLs; and any value under a key such as `token` or `api_key`.

    Args:
        cfg: the configuration.
        resolve: whether to check the values of interpolations; otherwise they are skipped.

    Raises:
        ValueError: there is a secret. Names the field and the kind of secret, but not its value.
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


def check_text(where: str, text: str) -> None:
    """Refuse a text that contains a secret. Raises ValueError like `check_no_secrets`."""
    kind = _kind(text)
    if kind:
        raise ValueError(f"{where} holds {kind}; {_WRITTEN}. {_REMEDY}")


def check_command(words: Sequence[str]) -> None:
    """Refuse a command line that contains a secret, before anything records it.

    Raises:
        ValueError: there is a secret. Names the argument without its value.
    """
    for number, word in enumerate(words, start=1):
        key, assigned, value = word.partition("=")
        where = key if assigned and not _kind(key) and not _NAMED_VALUE.search(key) else f"argument {number}"
        check_text(where, word)
        named = assigned and _NAMED_KEY.search(key)
        if (named and not _NO_VALUE.match(value)) or _NAMED_VALUE.search(word):
            raise ValueError(f"{where} holds a secret by its name; {_WRITTEN}. {_REMEDY}")


def redacted(text: str) -> str:
    """The text with every recognised secret replaced by `***`."""
    for secret in _known().values():
        text = text.replace(secret, HIDDEN)
    text = _TOKEN.sub(lambda found: found[0] if _is_commit(found) else HIDDEN, text)
    for pattern in (_IN_URL, _WITHOUT_SCHEME):
        text = pattern.sub(HIDDEN, text)
    for pattern in (_SIGNED, _NAMED_VALUE, _SCHEME):
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text


def redact_logs() -> None:
    """Redact secrets in all further log messages and tracebacks of this process."""
    make = logging.getLogRecordFactory()
    if getattr(make, "redacts", False):
        return

    def redacting(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # arguments do not fit the format, which logging reports itself
            return record
        if (clean := printable_lines(redacted(text))) != text:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            text = "".join(traceback.format_exception(*record.exc_info)).removesuffix("\n")
            if (clean := redacted(text)) != text:  # formatters use an existing text
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
    """Variable -> secret value, longest first, since one value may contain another."""
    found = {name: value for name in SECRETS if (value := os.environ.get(name))}
    for name, value in os.environ.items():
        if name not in found and len(value) >= SHORTEST and not value.startswith("/") and _NAMED_KEY.search(name):
            found[name] = value
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def _kind(text: str) -> str | None:
    """The kind of secret that a text contains; None if there is none."""
    for name, secret in _known().items():
        if secret in text:
            return f"the value of {name}"
    if any(not _is_commit(found) for found in _TOKEN.finditer(text)) or _SCHEME.search(text):
        return "what looks like a token"
    if _SIGNED.search(text):
        return "a signed URL"
    return "user or password of a URL" if _IN_URL.search(text) or _WITHOUT_SCHEME.search(text) else None


def _is_commit(found: re.Match[str]) -> bool:
    """Whether the text calls the forty hexadecimal digits a commit."""
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
