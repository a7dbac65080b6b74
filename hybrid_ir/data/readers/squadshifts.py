"""Reader of SQuADShifts (Miller et al., ICML 2020, arXiv:2004.14444): SQuAD's task on four kinds of English text.

arXiv:2408.10536 stops training by the loss on it (section 3.1). Its raw SQuAD files are pinned by checksum, except for
`nyt`, which could not be reached when this was written.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers.squad import NegativeKind, PassageKind, check_kinds, join_by_id, pairs_of
from hybrid_ir.data.store.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources.errors import check_choice
from hybrid_ir.sources.formats.sentences import SPLITTER
from hybrid_ir.sources.hub.fetch import pinned

URL = "https://raw.githubusercontent.com/modestyachts/squadshifts-website/master/datasets"
SHA256: Mapping[str, str | None] = {
    "new_wiki": "1d50a0ca4cdab88d038b52ea8a2d0510af6038d7f41a0a256b9659237769d0ee",
    "nyt": None,
    "reddit": "b4ac346dbf1816fdec80fdcf91d06a4b754fa51e47960fa8614a94f37ea42a4b",
    "amazon_reviews": "9db7bdee84a91f0fb80b9e74f365042fbbb217cb8e0a7e73bb071245472589b6",
}


def read(
    name: str,
    cache_dir: str,
    root: str,
    sets: Sequence[str] = tuple(SHA256),
    passage: PassageKind = "context",
    negatives: NegativeKind | None = None,
) -> ParallelCorpus:
    """Read `{root}/squadshifts/{set}_v1.0.json`; missing files are downloaded to there.

    Args:
        name: name of the corpus.
        cache_dir: folder for the built corpus.
        root: the data folder (`paths.data`).
        sets: which of the sets, `new_wiki`, `nyt`, `reddit` and `amazon_reviews`, and their order.
        passage: what answers a question: `context`, the whole paragraph, or `sentence`, that with the first answer. The
            paper does not say what it takes.
        negatives: hard negatives, see `hybrid_ir.data.readers.squad.read`.

    Raises:
        InputError: a file is malformed. Names the file, the position and the fault.
        UnreachableError: a missing file cannot be downloaded.
        ValueError: an option has an unknown value, or a downloaded file is not the pinned one.
    """
    check_kinds(passage, negatives)
    for wanted in sets:
        check_choice("sets", wanted, tuple(SHA256))
    folder = Path(root) / "squadshifts"
    files = {wanted: folder / f"{wanted}_v1.0.json" for wanted in sets}
    for wanted, file in files.items():
        pinned(f"{URL}/{file.name}", file, SHA256[wanted])
    options = {"sets": list(files), "passage": passage, "splitter": SPLITTER, "negatives": negatives}
    build = fingerprint("squadshifts", options, files)
    pairs = chain.from_iterable(pairs_of(file, "en", passage, negatives) for file in files.values())
    return build_corpus(name, join_by_id({"en": pairs}), cache_dir, build)
