"""Downloads of files pinned by SHA-256, with errors that say how to work offline."""

import hashlib
import http.client
import logging
import urllib.error
import urllib.request
from pathlib import Path

from hybrid_ir.sources.atomic import replacing

logger = logging.getLogger(__name__)

TIMEOUT = 30.0  # seconds without receiving data
LARGEST = 512 * 2**20  # bytes; the largest pinned file has some ten megabytes
WEB_PAGES = ("text/html", "application/xhtml+xml")
OFFLINE = (
    "Without a network use experiment=quickstart (everything is built in), or point to local files: "
    "model.name_or_path=DIR for a model, paths.data=DIR for data"
)


class UnreachableError(ValueError):
    """A download is needed, but the network or the hub cannot be reached."""

    def __init__(self, what: str, reason: object) -> None:
        super().__init__(f"cannot reach {what} ({reason}). {OFFLINE}.")


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pinned(url: str, path: Path, sha256: str | None) -> Path:
    """`path`, downloaded if there is no such file. Warns if a file that is there does not have the checksum.

    Raises:
        UnreachableError, ValueError: see `fetch`.
    """
    if not path.exists():
        fetch(url, path, sha256)
    elif sha256 is not None and sha256_of(path) != sha256:
        logger.warning("%s is not the official file: results with it are not comparable with others", path)
    return path


def fetch(url: str, path: str | Path, sha256: str | None) -> None:
    """Download a file that fits in memory.

    `path` is written only when it is complete and has the checksum `sha256`; on any error it stays as it was.

    Args:
        url: address of the file.
        path: where to write it; folders are made.
        sha256: its checksum; None only if it is not known, since then a changed file is not noticed.

    Raises:
        UnreachableError: there is no connection, no answer in time, or the server refuses. Says how to work offline.
        ValueError: the content is not the pinned one, or `path` cannot be written.
    """
    logger.info("downloading %s to %s", url, path)
    content = _download(url, needed_as=path)
    found = hashlib.sha256(content).hexdigest()
    if found != sha256 and sha256 is not None:
        raise ValueError(
            f"{url} does not hold the pinned file: SHA-256 {found}, expected {sha256}. The transfer was cut short or "
            f"altered, or the source changed; try again, or put the right file at {path} yourself"
        )
    try:
        with replacing(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise ValueError(f"cannot write {path} ({error}); choose a folder you can write to: paths.data=DIR") from None


def _download(url: str, needed_as: str | Path) -> bytes:
    what = f"{url}, needed as {needed_as}"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            if answer.headers.get_content_type() in WEB_PAGES:
                raise UnreachableError(what, "the answer is a web page: the network may want you to log in")
            content: bytes = answer.read(LARGEST + 1)
            left = getattr(answer, "length", None)  # not of a `file:` URL
            if left and len(content) <= LARGEST:  # a bounded read does not complain itself
                raise http.client.IncompleteRead(content, left)
    except UnreachableError:
        raise
    except urllib.error.HTTPError as error:
        raise UnreachableError(what, f"the server answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise UnreachableError(what, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(what, f"the transfer broke off: {error!r}") from None
    if len(content) > LARGEST:
        raise ValueError(f"{url} has more than {LARGEST:,} bytes, so it is not the pinned file; nothing was written")
    if content.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise UnreachableError(what, "the answer is a web page: the network may want you to log in")
    return content
