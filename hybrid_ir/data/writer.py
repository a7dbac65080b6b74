"""Writer of parallel corpora: streams examples to disk, without duplicates, and groups identical content."""

import logging
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store import storage
from hybrid_ir.sampling.coverage import MAX_LANGUAGES
from hybrid_ir.sources.bcp47 import Spellings
from hybrid_ir.sources.content_groups import identical_text_groups
from hybrid_ir.sources.errors import language_fault, text_fault
from hybrid_ir.sources.records import Example, ParallelText, in_one_spelling, text_fingerprint

log = logging.getLogger(__name__)

_SPOOL_SCHEMA = pa.schema([("id", pa.string()), ("text", pa.map_(pa.string(), pa.string()))])


def build_corpus(
    name: str,
    examples: Iterable[Example],
    cache_dir: str | Path,
    fingerprint: str,
    *,
    group_by_text: bool = True,
    notes: Sequence[str] = (),
) -> ParallelCorpus:
    """Write examples to `cache_dir`, or open what an earlier call with the same name and fingerprint wrote there.

    Texts are streamed to disk. Memory grows with the number of ids, not with the texts: about 200 bytes for each
    distinct question, passage and example, and 8 more for each question and passage per language.

    Args:
        name: name of the corpus.
        examples: the examples, consumed once, in order, and only if a build is needed. Questions and passages with the
            same id are stored once.
        cache_dir: folder of all corpora.
        fingerprint: of everything that decides the outcome (`hybrid_ir.data.store.storage.fingerprint`).
        group_by_text: whether to group identical content: two questions (or two passages) whose stripped texts agree in
            any language are in the same group. Otherwise each row is its own group, for sources that are too large to
            compare and whose ids already identify the content.
        notes: notes to store with the corpus. They are read after the last example, so a reader may add to them while
            it reads.

    Raises:
        ValueError: there are no examples, an example has no question or no passage, a text is empty or damaged, an
            example id occurs twice, an id has different texts, a language code is malformed, or there are more than 64
            languages. Names the corpus and the example, and leaves nothing in `cache_dir`.
    """

    def write(folder: Path) -> None:
        writer = _CorpusWriter(name, folder)
        writer.add_all(examples)
        writer.finish(group_by_text, tuple(notes))

    return publish_corpus(name, cache_dir, fingerprint, write)


def publish_corpus(name: str, cache_dir: str | Path, fingerprint: str, write: Callable[[Path], None]) -> ParallelCorpus:
    """Open a corpus; `write` fills its folder if there is no earlier build (see `storage.publish`)."""

    def build(folder: Path) -> None:
        write(folder)
        storage.write_availability(folder)

    corpus = ParallelCorpus.load(storage.publish(name, cache_dir, fingerprint, build))
    log.info("%r in %s", corpus, cache_dir)
    for note in corpus.notes:
        log.warning("corpus %s: %s", name, note)
    return corpus


class _CorpusWriter:
    """Streams examples to the three tables of one folder."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.questions = _TextSpool(folder / storage.QUESTIONS)
        self.passages = _TextSpool(folder / storage.PASSAGES)
        self.seen: set[str] = set()
        self.spellings = Spellings()

    def add_all(self, examples: Iterable[Example]) -> None:
        with pa.ipc.new_stream(str(self.folder / storage.EXAMPLES), storage.EXAMPLE_SCHEMA) as sink:
            rows: list[tuple[str, int, int, list[int]]] = []
            for example in examples:
                rows.append(self._add(example))
                if len(rows) == storage.BATCH_ROWS:
                    sink.write_batch(_example_batch(rows))
                    rows.clear()
            if rows:
                sink.write_batch(_example_batch(rows))

    def _add(self, example: Example) -> tuple[str, int, int, list[int]]:
        if fault := text_fault(example.id):
            raise ValueError(f"corpus {self.name}: the id of example number {len(self.seen) + 1} {fault}")
        if example.id in self.seen:
            raise ValueError(f"corpus {self.name}: example id {example.id!r} occurs twice")
        self.seen.add(example.id)
        try:
            question = self.questions.add("question", self._spelled(example.question))
            passage = self.passages.add("passage", self._spelled(example.passage))
            negatives = [self.passages.add("negative", self._spelled(negative)) for negative in example.negatives]
        except ValueError as error:
            raise ValueError(f"corpus {self.name}, example {example.id!r}: {error}") from None
        return example.id, question, passage, negatives

    def _spelled(self, text: ParallelText) -> ParallelText:
        return in_one_spelling(text, self.spellings)

    def finish(self, group_by_text: bool, notes: tuple[str, ...]) -> None:
        if not self.seen:
            raise ValueError(". ".join([f"corpus {self.name} has no examples", *notes]))
        languages = tuple(sorted(self.questions.fingerprints.keys() | self.passages.fingerprints.keys()))
        if len(languages) > MAX_LANGUAGES:
            raise ValueError(f"corpus {self.name} has {len(languages)} languages; at most {MAX_LANGUAGES} are possible")
        for spool in (self.questions, self.passages):
            spool.finish(languages, group_by_text)
        storage.Manifest(self.name, languages, (*notes, *self.spellings.notes)).write(self.folder)


class _TextSpool:
    """Writer of the distinct texts of one side.

    Languages and groups are known only at the end, so texts are first spooled as they arrive, then rewritten.
    """

    def __init__(self, target: Path) -> None:
        self.target, self.spool = target, target.with_suffix(".spool")
        self.rows: dict[str, int] = {}
        self.fingerprints: dict[str, array[int]] = {}
        """Language -> fingerprint of each row's text, 0 if it has none."""
        self._batch: list[ParallelText] = []
        self._sink = pa.ipc.new_stream(str(self.spool), _SPOOL_SCHEMA)

    def add(self, kind: str, text: ParallelText) -> int:
        """The row of `text`, which is stored if its id is new."""
        if not text.text:
            raise ValueError(f"the {kind} has no text in any language")
        fingerprints = {language: _checked_fingerprint(kind, language, value) for language, value in text.text.items()}
        row = self.rows.get(text.id)
        if row is not None:
            self._compare(kind, text.id, row, fingerprints)
            return row
        row = self.rows[text.id] = len(self.rows)
        for language in fingerprints.keys() - self.fingerprints.keys():
            if fault := language_fault(language):
                raise ValueError(f"the {kind} has an invalid language: {fault}")
            self.fingerprints[language] = array("Q", bytes(8 * row))
        for language, column in self.fingerprints.items():
            column.append(fingerprints.get(language, 0))
        self._batch.append(text)
        if len(self._batch) == storage.BATCH_ROWS:
            self._flush()
        return row

    def finish(self, languages: Sequence[str], group_by_text: bool) -> None:
        """Write the table with the groups and the columns of all languages."""
        self._flush()
        self._sink.close()
        columns = (
            [np.frombuffer(column, dtype=np.uint64) for column in self.fingerprints.values()] if group_by_text else []
        )
        groups = identical_text_groups(len(self.rows), columns)
        schema, start = storage.text_schema(languages), 0
        with (
            pa.ipc.open_stream(pa.memory_map(str(self.spool))) as source,
            pa.ipc.new_stream(str(self.target), schema) as sink,
        ):
            for batch in source:
                group = pa.array(groups[start : start + batch.num_rows])
                sink.write_batch(pa.record_batch([batch["id"], group, *_columns(batch, languages)], schema=schema))
                start += batch.num_rows
        self.spool.unlink()

    def _compare(self, kind: str, key: str, row: int, fingerprints: dict[str, int]) -> None:
        stored = {language: column[row] for language, column in self.fingerprints.items() if column[row]}
        if stored != fingerprints:
            odd = sorted(language for language, _ in stored.items() ^ fingerprints.items())[0]
            raise ValueError(f"the {kind} has the id {key!r} of an earlier one, but another text in {odd}")

    def _flush(self) -> None:
        if self._batch:
            ids = pa.array([text.id for text in self._batch], pa.string())
            texts = pa.array([list(text.text.items()) for text in self._batch], _SPOOL_SCHEMA.field("text").type)
            self._sink.write_batch(pa.record_batch([ids, texts], schema=_SPOOL_SCHEMA))
            self._batch.clear()


def _checked_fingerprint(kind: str, language: str, text: str) -> int:
    if fault := text_fault(text):
        raise ValueError(f"the {kind} in {language} {fault}")
    return text_fingerprint(text)


def _example_batch(rows: list[tuple[str, int, int, list[int]]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, storage.EXAMPLE_SCHEMA, strict=True)]
    return pa.record_batch(arrays, schema=storage.EXAMPLE_SCHEMA)


def _columns(batch: pa.RecordBatch, languages: Sequence[str]) -> Iterator[pa.Array]:
    """From a column of language -> text maps to one column of texts per language, null if a row has none."""
    maps: pa.MapArray = batch["text"]
    owners = np.repeat(np.arange(len(maps)), np.diff(maps.offsets))
    keys, texts = np.asarray(maps.keys), maps.items
    for language in languages:
        entries: NDArray[np.int64] = np.flatnonzero(keys == language)
        index = np.full(len(maps), -1, dtype=np.int64)
        index[owners[entries]] = entries
        yield texts.take(pa.array(index, mask=index < 0))
