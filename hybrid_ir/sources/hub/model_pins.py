"""Where a model is read: at which commit of the hub, if the configuration names none, and whether over the network.

A name on the hub can be given other weights at any time; a commit cannot. These are the commits that MTEB 2.26.24
evaluates (`revision` in its model registry). The hub itself could not be reached to look them up there.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybrid_ir.sources.hub.network import guard_hub, hub_reachable

MODEL_PINS: Mapping[str, str] = {
    "sentence-transformers/LaBSE": "e34fab64a3011d2176c99545a93d5cbddc9a91b7",
    "FacebookAI/xlm-roberta-base": "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089",
    "FacebookAI/xlm-roberta-large": "c23d21b0620b635a76227c604d44e43a9f0ee389",
    "intfloat/multilingual-e5-small": "fd1525a9fd15316a2d503bf26ab031a61d056e98",
    "intfloat/multilingual-e5-base": "d13f1b27baf31030b7fd040960d60d909913633f",
}


def hub_source(name_or_path: str, revision: str | None = None) -> dict[str, Any]:
    """`revision` and `local_files_only`, as transformers takes them: the same for every file of one model.

    Args:
        name_or_path: folder, or name on the hub.
        revision: what the configuration says; None for the pinned commit, or the newest where there is no pin.
    """
    guard_hub()
    local = Path(name_or_path).is_dir() or not hub_reachable()
    return {"revision": revision or MODEL_PINS.get(name_or_path), "local_files_only": local}
