"""Reader of mMARCO: MS MARCO's passage ranking data, machine-translated, with the same ids in all languages.

The hub's `unicamp-dl/mmarco` has a loading script, which `datasets` no longer runs, and the tab-separated files that it
read. This reads those files. (The hub's conversion to Parquet is incomplete for such a large data set.)

    data/google/collections/{language}_collection.tsv            passage id, passage
    data/google/queries/train/{language}_queries.train.tsv       query id, query
    data/triples.train.ids.small.tsv                             query id, relevant passage id, other passage id

The layout is that of the repository's loading script at the pinned commit. The hub could not be reached when this was
written, so the download itself is unverified.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store import storage
from hybrid_ir.data.writer import publish_corpus
from hybrid_ir.sources.errors import InputError, check_choice, check_languages
from hybrid_ir.sources.formats.tsv import TextsById, read_integers
from hybrid_ir.sources.hub.repository import Repository

REPOSITORY, REVISION = "unicamp-dl/mmarco", "6d039c4638c0ba3e46a9cb7b498b145e7edc6230"
LANGUAGE_NAMES = {
    "ar": "arabic",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "hi": "hindi",
    "id": "indonesian",
    "it": "italian",
    "ja": "japanese",
    "nl": "dutch",
    "pt": "portuguese",
    "ru": "russian",
    "vi": "vietnamese",
    "zh": "chinese",
}
PAPER_LANGUAGES = (
    "ar",
    "de",
    "en",
    "es",
    "hi",
    "ru",
    "zh",
)  # those of arXiv:2408.10536 that mMARCO has
TRIPLES = "data/triples.train.ids.small.tsv"
Size = Literal["pairs", "triples"]


def read(
    name: str,
    cache_dir: str,
    languages: Sequence[str] = PAPER_LANGUAGES,
    root: str | None = None,
    negatives: int = 8,
    size: Size = "pairs",
    revision: str = REVISION,
) -> ParallelCorpus:
    """Read mMARCO's training data from `root` or the hub.

    An example is a distinct (query, relevant passage) of the triples. The other passages of its triples are its hard
    negatives, in the order of the file. Passages that no example uses are not stored. Ids already identify the content,
    so every row is its own group.

    Building the full corpus needs some 1.3 GB of memory for the 39.8 million triples (32 bytes each), then 17 bytes for
    each passage and language. The texts are streamed.

    Args:
        name: name of the corpus.
        cache_dir: folder for the built corpus.
        languages: language codes, of `LANGUAGE_NAMES`.
        root: a folder that may contain `unicamp-dl/mmarco/` in the layout of the hub; otherwise it is downloaded.
        negatives: maximum number of hard negatives per example.
        size: what counts when corpora are drawn by size: `pairs` counts examples, `triples` the lines of the triples,
            as Table 9 of arXiv:2408.10536 does (39,780,811).
        revision: revision of the repository.

    Raises:
        InputError: a file is missing or malformed, or the triples name an id without a text in any language.
        UnreachableError: there is no copy in `root`, and the hub cannot be reached. Says how to work offline.
        ValueError: a language or `size` is unknown, or `negatives` is negative.
    """
    check_languages("mmarco", languages, LANGUAGE_NAMES)
    if negatives < 0:
        raise ValueError(f"`negatives` must be at least 0, got {negatives}")
    check_choice("size", size, get_args(Size))
    languages = sorted(set(languages))
    collections = {code: f"data/google/collections/{LANGUAGE_NAMES[code]}_collection.tsv" for code in languages}
    queries = {code: f"data/google/queries/train/{LANGUAGE_NAMES[code]}_queries.train.tsv" for code in languages}
    paths = [TRIPLES, *collections.values(), *queries.values()]
    folder = Repository(REPOSITORY, revision).folder(paths, root)
    files = {path: folder / path for path in paths}
    for file in files.values():
        if not file.is_file():
            raise InputError(file, "there is no such file")

    def write(target: Path) -> None:
        examples = _examples(files[TRIPLES], negatives)
        passages = np.union1d(examples.passages, examples.negatives)
        questions = np.unique(examples.questions)
        _write_texts(target / storage.QUESTIONS, {code: files[path] for code, path in queries.items()}, questions)
        _write_texts(target / storage.PASSAGES, {code: files[path] for code, path in collections.items()}, passages)
        _write_examples(target / storage.EXAMPLES, examples, questions, passages)
        declared = examples.triples if size == "triples" else None
        storage.Manifest(name, tuple(languages), declared=declared).write(target)

    options = {"languages": languages, "negatives": negatives} | ({} if size == "pairs" else {"size": size})
    build = storage.fingerprint("mmarco", options, files)
    return publish_corpus(name, cache_dir, build, write)


class _Examples(NamedTuple):
    """Ids of E examples: int64 (E,) and (E,), and all N negatives, int64 (N,), with int32 (E + 1,) offsets.

    `triples` is the number of triples that they were read from.
    """

    questions: NDArray[np.int64]
    passages: NDArray[np.int64]
    negatives: NDArray[np.int64]
    offsets: NDArray[np.int32]
    triples: int


def _examples(path: Path, negatives: int) -> _Examples:
    """The distinct (query, passage) pairs of the triples, ascending, each with its first negatives."""
    triples = read_integers(path, columns=3)
    if not len(triples):
        raise InputError(path, "the file is empty")
    keys = (triples[:, 0].astype(np.int64) << 32) + triples[:, 1]
    order = np.argsort(keys, kind="stable")
    first = np.flatnonzero(np.diff(keys[order], prepend=keys[order[0]] - 1))
    sizes = np.diff(first, append=len(order))
    kept = np.minimum(sizes, negatives)
    offsets = np.concatenate([[0], np.cumsum(kept)])
    positions = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], kept)
    pairs = triples[order[first]].astype(np.int64)
    ids = triples[order[positions], 2].astype(np.int64)
    return _Examples(pairs[:, 0], pairs[:, 1], ids, offsets.astype(np.int32), len(triples))


def _write_texts(target: Path, files: Mapping[str, Path], ids: NDArray[np.int64]) -> None:
    """Write a table with one row per id, ascending, and the texts of all languages."""
    texts = {language: TextsById(file, ids) for language, file in files.items()}
    absent = ids[~np.any([text.present for text in texts.values()], axis=0)]
    if len(absent):
        first = next(iter(files.values()))
        raise InputError(first, f"id {absent[0]} of the triples is missing here and in every other language")
    schema = storage.text_schema(list(files))
    with pa.ipc.new_stream(str(target), schema) as sink:
        for start in range(0, len(ids), storage.BATCH_ROWS):
            rows = slice(start, start + storage.BATCH_ROWS)
            keys, groups = pa.array(map(str, ids[rows].tolist())), pa.array(np.arange(len(ids))[rows])
            columns = [pa.array(text[rows], pa.string()) for text in texts.values()]
            sink.write_batch(pa.record_batch([keys, groups, *columns], schema=schema))


def _write_examples(
    target: Path, examples: _Examples, questions: NDArray[np.int64], passages: NDArray[np.int64]
) -> None:
    """Write the examples, with rows of `questions` and `passages` instead of ids."""
    negatives = np.searchsorted(passages, examples.negatives).astype(np.int32)
    with pa.ipc.new_stream(str(target), storage.EXAMPLE_SCHEMA) as sink:
        for start in range(0, len(examples.questions), storage.BATCH_ROWS):
            rows = slice(start, start + storage.BATCH_ROWS)
            question, passage = examples.questions[rows], examples.passages[rows]
            offsets = examples.offsets[start : start + storage.BATCH_ROWS + 1]
            columns = [
                pa.array([f"{one}-{other}" for one, other in zip(question.tolist(), passage.tolist(), strict=True)]),
                pa.array(np.searchsorted(questions, question).astype(np.int32)),
                pa.array(np.searchsorted(passages, passage).astype(np.int32)),
                pa.ListArray.from_arrays(offsets - offsets[0], negatives[offsets[0] : offsets[-1]]),
            ]
            sink.write_batch(pa.record_batch(columns, schema=storage.EXAMPLE_SCHEMA))
