"""Network access to the Hugging Face hub: whether it can be reached, who gets the token, what answers are accepted."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

SECONDS = 5.0
LARGEST_FILE = 64 * 2**30  # bytes; the largest file of a known corpus or model has some ten GiB


class HubAnswerError(OSError):
    """A response that cannot be the requested file: a web page, or a file larger than `LARGEST_FILE`."""


@cache
def hub_reachable() -> bool:
    """Whether the Hugging Face hub answers, tested once per process with a short timeout.

    The hub's client retries a dead connection for a minute before it uses its cache. With this test, a machine without
    a network uses its cache at once, or fails at once. Behind a proxy nothing is tested, and the client decides.
    """
    if os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "TRUE", "YES", "ON"):
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True
    address = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        socket.create_connection((address.hostname or "", port), timeout=SECONDS).close()
    except OSError:
        return False
    return True


@cache
def guard_hub() -> None:
    """Protect all further requests of the hub's client in this process.

    The token is only sent over https and to the configured hub (`HF_ENDPOINT`), also after redirects. Responses are
    checked by `refuse_answer`. A hub over http gives a warning, since downloads from it can be altered in transit.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    if urlsplit(constants.ENDPOINT).scheme != "https":
        log.warning(
            "the hub %s is used without encryption: the token is not sent, and downloads can be altered; use https",
            constants.ENDPOINT,
        )
    make = _http._GLOBAL_CLIENT_FACTORY

    def guarded() -> Any:
        client = make()
        hooks = client.event_hooks
        client.event_hooks = {
            "request": [*hooks["request"], withhold_token],
            "response": [*hooks["response"], refuse_answer],
        }
        return client

    _http.set_client_factory(guarded)


def withhold_token(request: Any) -> None:
    """Remove the token from a request unless it goes to the configured hub over https."""
    from huggingface_hub import constants

    url, hub = urlsplit(str(request.url)), urlsplit(constants.ENDPOINT)
    own = (url.scheme, url.hostname, url.port or 443) == ("https", hub.hostname, hub.port or 443)
    if not own:
        for name in ("authorization", "cookie"):
            request.headers.pop(name, None)


def refuse_answer(response: Any) -> None:
    """Check that a response is not a web page (such as the login page of a network) and not too large.

    Raises:
        HubAnswerError: it is one of the two.
    """
    if not 200 <= response.status_code < 300:
        return
    where, kind = response.request.url.host, response.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml"):
        raise HubAnswerError(f"{where} answers with a web page: the network may want you to log in")
    if (size := response.headers.get("content-length", "0")).isdigit() and int(size) > LARGEST_FILE:
        raise HubAnswerError(f"{where} offers a file of {int(size):,} bytes; at most {LARGEST_FILE:,} are accepted")


@contextmanager
def no_hub() -> Iterator[None]:
    """Context in which nothing contacts the hub, for models that are built from local files only."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
