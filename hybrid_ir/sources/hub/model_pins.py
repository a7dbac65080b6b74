"""Pinned revisions of published models, and whether they are loaded from the hub or from its local cache.

The owner of a name on the hub can replace its weights at any time, but a commit never changes. The pins are the commits
that MTEB 2.26.24 evaluates (`revision` in its model registry). They were not compared with the hub itself, which could
not be reached.
"""

import os
import socket
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MODEL_PINS: Mapping[str, str] = {
    "sentence-transformers/LaBSE": "e34fab64a3011d2176c99545a93d5cbddc9a91b7",
    "FacebookAI/xlm-roberta-base": "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089",
    "FacebookAI/xlm-roberta-large": "c23d21b0620b635a76227c604d44e43a9f0ee389",
    "intfloat/multilingual-e5-small": "fd1525a9fd15316a2d503bf26ab031a61d056e98",
    "intfloat/multilingual-e5-base": "d13f1b27baf31030b7fd040960d60d909913633f",
}


def hub_source(name_or_path: str, revision: str | None = None) -> dict[str, Any]:
    """The arguments `revision` and `local_files_only` of transformers, the same for every file of a model.

    Args:
        name_or_path: a folder, or a name on the hub.
        revision: the configured revision; None for the pinned commit, or the newest if the model has no pin.
    """
    local = Path(name_or_path).is_dir() or not hub_reachable()
    return {"revision": revision or MODEL_PINS.get(name_or_path), "local_files_only": local}


SECONDS = 5.0  # time limit of the connection


@cache
def hub_reachable() -> bool:
    """Whether the Hugging Face hub answers. Checked once, with a short time limit.

    The hub's client retries a dead connection for a minute before it uses its cache. With this check, a machine without
    a network uses the cache, or reports that there is none, at once. Behind a proxy, the decision is the client's.
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
