"""Which commit of the hub a backbone is read at, where the configuration names none.

A name on the hub can be given other weights at any time; a commit cannot. These are the commits that MTEB 2.26.24
evaluates (`revision` in its model registry). The hub itself could not be reached to look them up there.
"""

from collections.abc import Mapping

MODEL_PINS: Mapping[str, str] = {
    "sentence-transformers/LaBSE": "e34fab64a3011d2176c99545a93d5cbddc9a91b7",
    "FacebookAI/xlm-roberta-base": "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089",
    "FacebookAI/xlm-roberta-large": "c23d21b0620b635a76227c604d44e43a9f0ee389",
    "intfloat/multilingual-e5-small": "fd1525a9fd15316a2d503bf26ab031a61d056e98",
    "intfloat/multilingual-e5-base": "d13f1b27baf31030b7fd040960d60d909913633f",
}
