"""The parallel corpus: questions, passages and the examples that pair them, memory-mapped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hybrid_ir.data import storage
from hybrid_ir.data.availability import Availability
from hybrid_ir.data.contents import Contents
from hybrid_ir.data.groups import held_out_rows
from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sources.records import Example

if TYPE_CHECKING:
    from datasets import Dataset

Rows = NDArray[np.integer] | Sequence[int]
Side = Literal["question", "passage"]


@dataclass(frozen=True)
class PairTexts:
    """The texts of one batch of B pairs, without prefixes.

    Groups number identical content within one corpus: equal numbers mean that the one is no negative of the other.

    Attributes:
        questions: B texts.
        passages: B texts.
        negatives: for each pair its hard negatives, most confusing first; may be ragged.
        question_groups: int64 (B,).
        passage_groups: int64 (B,).
        negative_groups: for each pair the groups of its hard negatives.
    """

    questions: list[str]
    passages: list[str]
    negatives: list[list[str]]
    question_groups: NDArray[np.int64]
    passage_groups: NDArray[np.int64]
    negative_groups: list[list[int]]


@dataclass(frozen=True)
class _Tables:
    """The files of a corpus, opened; shared by all its views. Pickles as paths, the texts stay on disk."""

    manifest: storage.Manifest
    questions: "Dataset"
    passages: "Dataset"
    examples: "Dataset"

    @cached_property
    def question_languages(self) -> Availability:
        return Availability.of(self.questions.data.table, self.manifest.languages)

    @cached_property
    def passage_languages(self) -> Availability:
        return Availability.of(self.passages.data.table, self.manifest.languages)


class ParallelCorpus:
    """Examples with a question and a passage in one or more languages, read from memory-mapped Arrow files.

    Texts are read when they are asked for and never held; what stays in memory is a byte or two for each text of a
    corpus that is not fully parallel, and the row numbers of a view. Reading is safe from several threads and
    processes. A corpus pickles as paths (and its view's rows), so data loader workers may be forked or spawned.
    """

    def __init__(self, tables: _Tables, rows: NDArray[np.int64] | None = None) -> None:
        """Use `load`, or a reader of `hybrid_ir.data.readers`."""
        self._tables, self._rows = tables, rows

    @classmethod
    def load(cls, path: str | Path) -> "ParallelCorpus":
        """Open the corpus in folder `path`, as written by `hybrid_ir.data.writer`.

        Raises:
            ValueError: the folder holds no corpus, one of another schema version, or damaged files.
        """
        folder = Path(path)
        manifest = storage.Manifest.read(folder)
        files = (storage.QUESTIONS, storage.PASSAGES, storage.EXAMPLES)
        return cls(_Tables(manifest, *(storage.open_table(folder / file) for file in files)))

    @property
    def name(self) -> str:
        return self._tables.manifest.name

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages of the corpus, sorted; not every example has both sides, or either, in each."""
        return self._tables.manifest.languages

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader had to say while it built the corpus, such as how many rows it dropped and why."""
        return self._tables.manifest.remarks

    def __len__(self) -> int:
        """Number of examples."""
        return self._tables.examples.num_rows if self._rows is None else len(self._rows)

    def __repr__(self) -> str:
        return f"ParallelCorpus({self.name!r}, {len(self):,} examples, languages {' '.join(self.languages)})"

    def example_ids(self, rows: Rows) -> list[str]:
        """Ids of the examples at `rows`, in that order."""
        ids: list[str] = self._examples(rows)["id"].to_pylist()
        return ids

    def coverage(self, languages: Sequence[str] | None = None) -> Coverage:
        """Which example has which side in which language.

        Args:
            languages: the languages that count, in the order of the masks' bits; None for all of the corpus. An
                example without a side in any of them stays, with an empty mask.

        Raises:
            ValueError: a language is unknown to the corpus or named twice.
        """
        wanted = self.languages if languages is None else tuple(languages)
        unknown = [language for language in wanted if language not in self.languages]
        if unknown or len(set(wanted)) < len(wanted):
            fault = f"has no text in {', '.join(unknown)}" if unknown else f"is asked for a language twice: {wanted}"
            raise ValueError(f"corpus {self.name} {fault}; its languages are {', '.join(self.languages)}")
        bits = [self.languages.index(language) for language in wanted]
        questions = self._tables.question_languages.restricted(bits)
        passages = self._tables.passage_languages.restricted(bits)
        patterns, codes = questions.paired(passages, self._column("question"), self._column("passage"))
        return Coverage(self.name, wanted, len(self), patterns, codes)

    def fetch(
        self,
        rows: Rows,
        question_languages: Sequence[str],
        passage_languages: Sequence[str],
        negatives: int = 0,
        negative_languages: Sequence[str] | None = None,
    ) -> PairTexts:
        """Read the texts of a batch of B pairs.

        Args:
            rows: integer (B,), positions of the examples.
            question_languages: B codes; every example must have its question in that language.
            passage_languages: B codes; every example must have its passage in that language.
            negatives: at most so many hard negatives a pair, in the order of the source.
            negative_languages: None for those negatives that exist in the pair's passage language, else those that
                exist in one of these, each in the passage's language where it has that and in its first otherwise.
        """
        examples = self._examples(rows)
        questions = self._tables.questions[examples["question"].to_numpy()]
        owners, negative_rows, spoken = self._negatives(examples, passage_languages, negatives, negative_languages)
        passages = self._tables.passages[np.concatenate([examples["passage"].to_numpy(), negative_rows])]
        languages = [*passage_languages, *(self.languages[bit] for bit in spoken)]
        texts, groups = _pick(passages, languages), np.array(passages["group"])
        size = examples.num_rows
        bounds = (size + np.searchsorted(owners, np.arange(size + 1))).tolist()
        spans = [slice(start, stop) for start, stop in pairwise(bounds)]
        return PairTexts(
            questions=_pick(questions, question_languages),
            passages=texts[:size],
            negatives=[texts[span] for span in spans],
            question_groups=np.array(questions["group"]),
            passage_groups=groups[:size],
            negative_groups=[groups[span].tolist() for span in spans],
        )

    def texts(self) -> Iterator[str]:
        """Every question, then every passage, language by language; those of the whole corpus also in a view."""
        for table in (self._tables.questions.data.table, self._tables.passages.data.table):
            for language in self.languages:
                for batch in table[storage.text_column(language)].iterchunks():
                    yield from (text for text in batch.to_pylist() if text is not None)

    def contents(self, side: Side) -> Contents:
        """The distinct questions or passages (hard negatives among them); those of the whole corpus also in a view."""
        table = self._tables.questions if side == "question" else self._tables.passages
        return Contents(table, self.languages)

    def content_rows(self, side: Side) -> NDArray[np.int32]:
        """int32 (N,): the row in `contents(side)` of each example's question or passage."""
        return self._column(side)

    def records(self, rows: Rows) -> list[Example]:
        """The examples at `rows` in all their languages, as a reader would yield them."""
        negatives = self._examples(rows)["negatives"].combine_chunks()
        own = self.content_rows("passage")[np.asarray(rows)]
        passages = self.contents("passage").texts(np.concatenate([own, negatives.flatten()]))
        questions = self.contents("question").texts(self.content_rows("question")[np.asarray(rows)])
        bounds = (len(own) + np.concatenate([[0], np.cumsum(negatives.value_lengths())])).tolist()
        spans = [passages[start:stop] for start, stop in pairwise(bounds)]
        return [
            Example(*parts)
            for parts in zip(self.example_ids(rows), questions, passages[: len(own)], spans, strict=True)
        ]

    def select(self, rows: Rows) -> "ParallelCorpus":
        """A view of the examples at `rows`, in that order; it shares the files."""
        return ParallelCorpus(self._tables, self._positions(rows))

    def holdout(self, count: int, seed: int) -> tuple["ParallelCorpus", "ParallelCorpus"]:
        """Split off examples for validation; a pure function of the corpus, `count` and `seed`.

        Examples that share a question group or a passage group, directly or over others, stay together, so that no
        content of the one side is seen on the other (hard negatives do not count). Therefore the held-out part has AT
        MOST `count` examples: exactly `count` where small groups are left to fill it up, fewer where they are not.

        Returns:
            (train, held_out), two views in the order of the corpus.

        Raises:
            ValueError: `count` is not in [0, number of examples), or every group is larger than `count`.
        """
        if not 0 <= count < len(self):
            raise ValueError(f"cannot hold {count} of the {len(self)} examples of corpus {self.name} out")
        question_groups = self._groups(self._tables.questions)[self._column("question")]
        passage_groups = self._groups(self._tables.passages)[self._column("passage")]
        chosen = held_out_rows(question_groups, passage_groups, count, seed)
        if count and not chosen.any():
            raise ValueError(
                f"corpus {self.name} cannot be split: examples linked by shared questions or passages stay together, "
                f"and every such group has more than {count} examples"
            )
        return self.select(np.flatnonzero(~chosen)), self.select(np.flatnonzero(chosen))

    def _positions(self, rows: Rows) -> NDArray[np.int64]:
        """Rows of the examples table for positions in this view."""
        positions = np.asarray(rows, dtype=np.int64)
        assert positions.size == 0 or (positions.min() >= 0 and positions.max() < len(self)), (
            f"rows outside corpus {self.name} of {len(self)} examples"
        )
        return positions if self._rows is None else self._rows[positions]

    def _examples(self, rows: Rows) -> pa.Table:
        return self._tables.examples[self._positions(rows)]

    def _column(self, name: str) -> NDArray[np.int32]:
        """A column of the examples table, for this view's rows."""
        column: NDArray[np.int32] = self._tables.examples.data.table[name].to_numpy()
        return column if self._rows is None else column[self._rows]

    @staticmethod
    def _groups(table: "Dataset") -> NDArray[np.int64]:
        groups: NDArray[np.int64] = table.data.table["group"].to_numpy()
        return groups

    def _negatives(
        self, examples: pa.Table, languages: Sequence[str], count: int, allowed: Sequence[str] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """(pair, passage row, language) of the hard negatives to read, pairs ascending."""
        if count == 0:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64)
        lists = examples["negatives"].combine_chunks()
        owners, rows = np.repeat(np.arange(len(lists)), lists.value_lengths()), np.asarray(lists.flatten())
        bits = np.asarray([self.languages.index(language) for language in languages], dtype=np.int64)[owners]
        here = self._tables.passage_languages.has(rows, bits)
        for bit in (self.languages.index(language) for language in allowed or ()):
            other = self._tables.passage_languages.has(rows, np.full_like(bits, bit)) & ~here
            bits, here = np.where(other, bit, bits), here | other
        owners, rows, bits = owners[here], rows[here], bits[here]
        place = np.arange(len(owners)) - np.searchsorted(owners, owners)
        return owners[place < count], rows[place < count], bits[place < count]


def _pick(table: pa.Table, languages: Sequence[str]) -> list[str]:
    """The text of row i in `languages[i]`."""
    assert table.num_rows == len(languages), f"{len(languages)} languages for {table.num_rows} texts"
    columns = {language: table[storage.text_column(language)] for language in set(languages)}
    texts = [columns[language][row].as_py() for row, language in enumerate(languages)]
    absent = [row for row, text in enumerate(texts) if text is None]
    assert not absent, f"{table['id'][absent[0]]} has no text in {languages[absent[0]]}"
    return texts
