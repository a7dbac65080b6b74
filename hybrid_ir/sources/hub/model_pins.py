"""Pinned revisions of published models, and whether they are loaded from the hub or from its local cache.

The owner of a name on the hub can replace its weights at any time, but a commit never changes. The pins are the commits
that MTEB 2.26.24 evaluates (`revision` in its model registry). They have not been
compared with the hub itself, which could not be reached.
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
    """The arguments `revision` and `local_files_only` of transformers, the same for every file of a model.

    Args:
        name_or_path: a folder, or a name on the hub.
        revision: the configured revision; None for the pinned commit, or the newest if the model has no pin.
    """
    guard_hub()
    local = Path(name_or_path).is_dir() or not hub_reachable()
    return {"revision": revision or MODEL_PINS.get(name_or_path), "local_files_only": local}
