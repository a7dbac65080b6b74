"""The model and data hub over the network: whether it can be reached, and what is sent to whom."""

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
LARGEST_FILE = 64 * 2**30  # bytes; the largest file of a corpus or model that this project knows has some ten GiB


class HubAnswerError(OSError):
    """An answer that the hub would not give: a web page instead of a file, or a file beyond the bound."""


@cache
def hub_reachable() -> bool:
    """Whether the Hugging Face hub answers, asked once and with a short limit.

    Its client retries a dead connection for a minute before it looks into its cache; this lets a machine without
    network use its cache, or learn that there is none, at once. Behind a proxy the question is left to the client.
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
    """From here on, in this process, the hub's client keeps the token to itself and takes no web page for a file.

    The token goes over https alone, and to the configured hub alone (`HF_ENDPOINT`), after redirects too. A hub over
    http is said in a warning: what comes from it can be altered on its way.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    if urlsplit(constants.ENDPOINT).scheme != "https":
        log.warning(
            "the hub is %s, without encryption: the token is not sent, and downloads can be altered on their way",
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
    """Take the token out of a request that is not for the configured hub over https."""
    from huggingface_hub import constants

    url, hub = urlsplit(str(request.url)), urlsplit(constants.ENDPOINT)
    own = (url.scheme, url.hostname, url.port or 443) == ("https", hub.hostname, hub.port or 443)
    if not own:
        for name in ("authorization", "cookie"):
            request.headers.pop(name, None)


def refuse_answer(response: Any) -> None:
    """Refuse a web page in place of a file, as networks that ask to log in give it, and a file beyond the bound.

    Raises:
        HubAnswerError: says which.
    """
    if not 200 <= response.status_code < 300:
        return
    where, kind = response.request.url.host, response.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml"):
        raise HubAnswerError(f"{where} answers with a web page: the network may want you to log in")
    if (size := response.headers.get("content-length", "0")).isdigit() and int(size) > LARGEST_FILE:
        raise HubAnswerError(f"{where} offers a file of {int(size):,} bytes; at most {LARGEST_FILE:,} are taken")


@contextmanager
def no_hub() -> Iterator[None]:
    """Nothing inside contacts the hub: for what is to be built from a file alone."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
