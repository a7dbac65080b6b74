"""mMARCO: MS MARCO's passage ranking data, machine-translated; ids are shared by all languages.

On the hub it is `unicamp-dl/mmarco`: a loading script, which `datasets` no longer runs, and the tab-separated files it
read, which are read here. (The hub's conversion to Parquet would not do: of so large a configuration it holds a part.)

    data/google/collections/{language}_collection.tsv            passage id, passage
    data/google/queries/train/{language}_queries.train.tsv       query id, query
    data/triples.train.ids.small.tsv                             query id, relevant passage id, other passage id

The layout is that of the repository's own loading script at the pinned commit; the hub could not be reached when this
was written, so the download itself is unverified.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store import storage
from hybrid_ir.data.writer import publish_corpus
from hybrid_ir.sources.errors import InputError, check_languages
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
PAPER_LANGUAGES = ("ar", "de", "en", "es", "hi", "ru", "zh")  # arXiv:2408.10536: those of its nine that mMARCO has
TRIPLES = "data/triples.train.ids.small.tsv"


def read(
    name: str,
    cache_dir: str,
    languages: Sequence[str] = PAPER_LANGUAGES,
    root: str | None = None,
    negatives: int = 8,
    revision: str = REVISION,
) -> ParallelCorpus:
    """Read mMARCO's training data from `root` or the hub.

    An example is a distinct (query, relevant passage) of the triples; the other passages of its triples are its hard
    negatives, in the order of the file. Passages that no example uses are not stored. Ids tell content apart already,
    so every row is a group of its own.

    Memory while building the whole of it: some 1.3 GB for the 39.8 million triples (32 bytes each), after that 17
    bytes a passage and language. The texts stream.

    Args:
        name: of the corpus.
        cache_dir: where the corpus is kept in Arrow form.
        languages: codes; see `LANGUAGE_NAMES`.
        root: a folder that may hold `unicamp-dl/mmarco/`, laid out as on the hub; else it is downloaded.
        negatives: hard negatives kept for an example, at most.
        revision: of the repository.

    Raises:
        InputError: a file is missing or malformed, or the triples name an id that no language has a text for.
        UnreachableError: nothing in `root` and the hub cannot be reached; names the ways to work without it.
        ValueError: an unknown language, or `negatives` is negative.
    """
    check_languages("mmarco", languages, LANGUAGE_NAMES)
    if negatives < 0:
        raise ValueError(f"negatives is {negatives}; it must be 0 or more")
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
        storage.Manifest(name, tuple(languages)).write(target)

    mark = storage.fingerprint("mmarco", {"languages": languages, "negatives": negatives}, files)
    return publish_corpus(name, cache_dir, mark, write)


class _Examples(NamedTuple):
    """Ids of E examples: int64 (E,), (E,), and the N negatives of all of them with int32 (E + 1,) offsets."""

    questions: NDArray[np.int64]
    passages: NDArray[np.int64]
    negatives: NDArray[np.int64]
    offsets: NDArray[np.int32]


def _examples(path: Path, negatives: int) -> _Examples:
    """Distinct (query, passage) of the triples, ascending, each with its first negatives."""
    triples = read_integers(path, columns=3)
    if not len(triples):
        raise InputError(path, "the file is empty")
    keys = (triples[:, 0].astype(np.int64) << 32) + triples[:, 1]
    order = np.argsort(keys, kind="stable")
    first = np.flatnonzero(np.diff(keys[order], prepend=keys[order[0]] - 1))
    sizes = np.diff(first, append=len(order))
    kept = np.minimum(sizes, negatives)
    offsets = np.concatenate([[0], np.cumsum(kept)])
    places = np.arange(offsets[-1]) + np.repeat(first - offsets[:-1], kept)
    pairs = triples[order[first]].astype(np.int64)
    return _Examples(pairs[:, 0], pairs[:, 1], triples[order[places], 2].astype(np.int64), offsets.astype(np.int32))


def _write_texts(target: Path, files: Mapping[str, Path], ids: NDArray[np.int64]) -> None:
    """A table with one row for each id, ascending, and the texts of all languages."""
    texts = {language: TextsById(file, ids) for language, file in files.items()}
    absent = ids[~np.any([text.present for text in texts.values()], axis=0)]
    if len(absent):
        first = next(iter(files.values()))
        raise InputError(first, f"here and in every other language, id {absent[0]}, named by the triples, is missing")
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
    """The examples, with the rows of `questions` and `passages` in place of ids."""
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
