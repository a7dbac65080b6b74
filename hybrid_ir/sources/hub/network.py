"""Whether the model and data hub can be reached at all."""

import os
import socket
from functools import cache
from urllib.parse import urlsplit

SECONDS = 5.0


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
