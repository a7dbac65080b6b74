"""Where the official benchmark files come from: one revision each, with the checksum of every file."""

from collections.abc import Mapping
from dataclasses import dataclass

LAREQA_URL = "https://raw.githubusercontent.com/google-research-datasets/lareqa"


@dataclass(frozen=True)
class PinnedFiles:
    """Files of one benchmark, by language.

    Attributes:
        url: address of a folder at a fixed revision; a file is `{url}/{language}.json`.
        sha256: language -> checksum of its file, in the order that tables show.
    """

    url: str
    sha256: Mapping[str, str]


LAREQA_PINS: Mapping[str, PinnedFiles] = {
    "xquad_r": PinnedFiles(
        url=f"{LAREQA_URL}/5405d2a77e83d5ccb47623a3f9e5604c3f103193/xquad-r",
        sha256={
            "ar": "c52922d3b8ac1ae03ed5ac38647ad59870dca3dda2beefe18ecdc30729acb69d",
            "de": "16fb0f4bf4916154b585a20c24c66074591c9718a1affe764ff4697572328949",
            "el": "163fd43ee785a30eb534ae2061e9eaa766a7ee4e8ffce5e4b422480c150f64b6",
            "en": "7b0954f39297c27a31fef610f0883337dd2907fa8699151dc922afdd0fa12ffe",
            "es": "f8e836b2d91009c4363e04315f7ede363eedbbb49c67dda60de6c4aa782f58de",
            "hi": "ea45ba8ae4513d1533b222bebdc02a90bc319c055d3aeea68584a053d2e92872",
            "ru": "7f4dff853538b9a5fcc28c070b8bb983a5c5d190ac747b8e005a1ada9cab18f1",
            "th": "c3a041864c3a9fb0b4dd91cfdf99cf36b411b3e704c58a303c97bc6dc786cfe4",
            "tr": "f3e8c13002bbce154a4578f535f7533cb70f3da08840e6b62735935baec7bd94",
            "vi": "e35926bf5cc6fc6ecbdfca49467aabeb454f08d152d7818143a906bd31dde995",
            "zh": "80c2cde7b9c2fb134c303cbb52f2ba396ead9eb0014aec43993543d2ba9e93ed",
        },
    ),
    # Upstream removed this folder four days after this commit; the commit can still be reached.
    "mlqa_r": PinnedFiles(
        url=f"{LAREQA_URL}/354d67d1cd066854cdfbf5ad0e6105528976141d/mlqa-r",
        sha256={
            "ar": "2132fbc03208535c0fe01f2e2c5121d06f9c2aa799af93b0a719dbc105bdf137",
            "de": "ce9454dc5aa6f2d85c23cd6e49cb367fbb7c4c6e62d7f71e355c6b5dae4d0886",
            "en": "fedd9a5cc0848dda80caf84aa36f482adaae230526a3f6e9e86926a93ef3b1e4",
            "es": "70ecba276b8c96a692b120693a595d076ce94ad21d4b28311538a9fcbfe0f9d7",
            "hi": "4dd0fb3c06f737a5481d705bc1dcac7876712a5815c9265908fbb3a0696cb654",
            "vi": "9d3baff6ba03e6793b25594217265ea59a136b9733833dca8a9582a84a78ff85",
            "zh": "57f01d2fff50cf3392805635b01445339f225ad5bf28ba8443b12f8dbd1e69dc",
        },
    ),
}
