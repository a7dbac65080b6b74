"""The parallel corpus: memory-mapped questions and passages, and the examples that pair them."""

from collections.abc import Iterator, Sequence
from itertools import compress, pairwise
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from hybrid_ir.data.store import storage
from hybrid_ir.data.store.tables import Contents, CorpusTables, PairTexts, text_columns, texts_in
from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sources.content_groups import held_out_rows
from hybrid_ir.sources.records import Example

Rows = NDArray[np.integer] | Sequence[int]
Side = Literal["question", "passage"]


class ParallelCorpus:
    """Examples with a question and a passage in one or more languages, read from memory-mapped Arrow files.

    Texts are read on demand and never kept. Memory holds one or two bytes per example if the corpus is not fully
    parallel, and the row numbers of a view. Reading is safe from several threads and processes. A corpus pickles as
    paths (and the rows of a view), so data loader workers may be forked or spawned.
    """

    def __init__(self, tables: CorpusTables, rows: NDArray[np.int64] | None = None) -> None:
        """Use `load` or a reader of `hybrid_ir.data.readers`. `rows` are those of a view; None for a whole corpus."""
        self._tables, self.rows = tables, rows

    @classmethod
    def load(cls, path: str | Path) -> "ParallelCorpus":
        """Open the corpus in folder `path`, written by `hybrid_ir.data.writer`.

        Raises:
            ValueError: the folder has no corpus, a corpus of another schema version, or damaged files.
        """
        folder = Path(path)
        files = (storage.QUESTIONS, storage.PASSAGES, storage.EXAMPLES)
        tables = (storage.open_table(folder / file) for file in files)
        return cls(CorpusTables(folder, storage.Manifest.read(folder), *tables))

    @property
    def name(self) -> str:
        return self._tables.manifest.name

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages of the corpus, sorted. An example may lack either side in any of them."""
        return self._tables.manifest.languages

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of the reader that built the corpus, such as how many rows it dropped and why."""
        return self._tables.manifest.notes

    @property
    def has_negatives(self) -> bool:
        """Whether any example has a hard negative; a view answers for the whole corpus."""
        return any(len(batch["negatives"].flatten()) for batch in self._tables.examples.batches())

    def __len__(self) -> int:
        """Number of examples."""
        return len(self._tables.examples) if self.rows is None else len(self.rows)

    def __repr__(self) -> str:
        return f"ParallelCorpus({self.name!r}, {len(self):,} examples, languages {' '.join(self.languages)})"

    def example_ids(self, rows: Rows) -> list[str]:
        """Ids of the examples at `rows`, in that order."""
        positions = self._positions(rows)
        return self._tables.examples.strings(["id"] * len(positions), positions)

    def coverage(self, languages: Sequence[str] | None = None) -> Coverage:
        """The languages in which each example has its question and its passage.

        Args:
            languages: the languages to consider, in the order of the masks' bits; None for all of the corpus. An
                example without a text in any of them stays, with an empty mask.

        Raises:
            ValueError: the corpus does not have a language, or it is named twice.
        """
        wanted = self.languages if languages is None else tuple(languages)
        unknown = [language for language in wanted if language not in self.languages]
        if unknown or len(set(wanted)) < len(wanted):
            fault = f"has no text in {', '.join(unknown)}" if unknown else f"cannot list a language twice, got {wanted}"
            raise ValueError(f"corpus {self.name} {fault}; its languages are {', '.join(self.languages)}")
        bits = [self.languages.index(language) for language in wanted]
        available = self._tables.availability.restricted(bits, self.rows)
        masks = (available.patterns, available.codes)
        return Coverage(self.name, wanted, len(self), *masks, self._tables.manifest.declared)

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
            question_languages: B language codes; every example must have its question in that language.
            passage_languages: B language codes; every example must have its passage in that language.
            negatives: maximum number of hard negatives per pair, taken in the order of the source.
            negative_languages: None for the negatives that exist in the pair's passage language. Otherwise also those
                that exist in one of these languages: each in the passage's language if it has it, else in the first of
                these that it has.
        """
        tables, examples = self._tables, self._positions(rows)
        questions = tables.examples.numbers("question", examples)
        owners, negative_rows, spoken = self._negatives(examples, passage_languages, negatives, negative_languages)
        passages = np.concatenate([tables.examples.numbers("passage", examples), negative_rows])
        languages = [*passage_languages, *(self.languages[number] for number in spoken)]
        texts, groups = texts_in(tables.passages, passages, languages), tables.passages.numbers("group", passages)
        negative_groups = groups.tolist()
        size = len(examples)
        bounds = (size + np.searchsorted(owners, np.arange(size + 1))).tolist()
        spans = [slice(start, stop) for start, stop in pairwise(bounds)]
        return PairTexts(
            questions=texts_in(tables.questions, questions, question_languages),
            passages=texts[:size],
            negatives=[texts[span] for span in spans],
            question_groups=tables.questions.numbers("group", questions),
            passage_groups=groups[:size],
            negative_groups=[negative_groups[span] for span in spans],
        )

    def texts_of(self, side: Side, rows: Rows, languages: Sequence[str]) -> list[str]:
        """The question or passage of the example at `rows[i]` in `languages[i]`, which must exist."""
        table = self._tables.questions if side == "question" else self._tables.passages
        return texts_in(table, self._tables.examples.numbers(side, self._positions(rows)), languages)

    def texts(self) -> Iterator[str]:
        """All questions, then all passages (including hard negatives) of these examples, by language."""
        for side in get_args(Side):
            table, used = self.contents(side).table, self._used(side)
            for language in self.languages:
                start = 0
                for batch in table.batches():
                    texts = batch[storage.text_column(language)].to_pylist()
                    yield from (text for text in compress(texts, used[start : start + len(texts)]) if text is not None)
                    start += len(texts)

    def contents(self, side: Side) -> Contents:
        """The distinct questions or passages (including hard negatives) of the whole corpus, even for a view."""
        table = self._tables.questions if side == "question" else self._tables.passages
        return Contents(table, self.languages)

    def content_rows(self, side: Side) -> NDArray[np.int32]:
        """int32 (N,): the row of each example's question or passage in `contents(side)`."""
        column: NDArray[np.int32] = self._tables.examples.column(side)
        return column if self.rows is None else column[self.rows]

    def records(self, rows: Rows) -> list[Example]:
        """The examples at `rows` in all their languages, as a reader yields them."""
        examples, positions = self._tables.examples, self._positions(rows)
        lengths, negatives = examples.lists("negatives", positions)
        positives = examples.numbers("passage", positions)
        passages = self.contents("passage").texts(np.concatenate([positives, negatives]))
        questions = self.contents("question").texts(examples.numbers("question", positions))
        bounds = (len(positives) + np.concatenate([[0], np.cumsum(lengths)])).tolist()
        spans = [passages[start:stop] for start, stop in pairwise(bounds)]
        return [
            Example(*parts)
            for parts in zip(self.example_ids(rows), questions, passages[: len(positives)], spans, strict=True)
        ]

    def groups(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Content groups (see `PairTexts`) of the questions, the passages and all hard negatives at `rows`."""
        tables, examples = self._tables, self._positions(rows)
        _, negatives = tables.examples.lists("negatives", examples)
        return (
            tables.questions.numbers("group", tables.examples.numbers("question", examples)),
            tables.passages.numbers("group", tables.examples.numbers("passage", examples)),
            tables.passages.numbers("group", negatives),
        )

    def select(self, rows: Rows) -> "ParallelCorpus":
        """A view of the examples at `rows`, in that order, on the same files."""
        return ParallelCorpus(self._tables, self._positions(rows))

    def unmapped(self) -> "ParallelCorpus":
        """The same examples, with texts read by system calls instead of the memory map; see `MappedTable`."""
        return ParallelCorpus(self._tables.unmapped(), self.rows)

    def holdout(self, count: int, seed: int) -> tuple["ParallelCorpus", "ParallelCorpus"]:
        """Split off examples for validation. A pure function of the corpus, `count` and `seed`.

        Examples that share a question group or a passage group, directly or through others, stay together, so that no
        content of one part occurs in the other (hard negatives do not count). The held-out part therefore has AT MOST
        `count` examples: exactly `count` if small groups are left to fill it, otherwise fewer.

        Returns:
            (train, held_out), two views in the order of the corpus.

        Raises:
            ValueError: `count` is not in [0, number of examples), or every group is larger than `count`.
        """
        if not 0 <= count < len(self):
            raise ValueError(f"cannot hold out {count} of the {len(self)} examples of corpus {self.name}")
        question_groups = self._tables.questions.column("group")[self.content_rows("question")]
        passage_groups = self._tables.passages.column("group")[self.content_rows("passage")]
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
        return positions if self.rows is None else self.rows[positions]

    def _used(self, side: Side) -> NDArray[np.bool_]:
        """bool (contents,): whether an example of this view has each question or passage."""
        used = np.zeros(len(self.contents(side).table), dtype=np.bool_)
        used[self.content_rows(side)] = True
        if side == "passage":
            used[self._tables.examples.lists("negatives", self._positions(range(len(self))))[1]] = True
        return used

    def _negatives(
        self, examples: NDArray[np.int64], languages: Sequence[str], count: int, allowed: Sequence[str] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Pair, passage row and language of each hard negative to read, pairs ascending."""
        if count == 0:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64)
        lengths, rows = self._tables.examples.lists("negatives", examples)
        owners = np.repeat(np.arange(len(lengths)), lengths)
        numbers = np.asarray([self.languages.index(language) for language in languages], dtype=np.int64)[owners]
        here = self._tables.passages.present(text_columns([self.languages[number] for number in numbers]), rows)
        for language in allowed or ():
            other = self._tables.passages.present(text_columns([language] * len(rows)), rows) & ~here
            numbers, here = np.where(other, self.languages.index(language), numbers), here | other
        owners, rows, numbers = owners[here], rows[here], numbers[here]
        kept = np.arange(len(owners)) - np.searchsorted(owners, owners) < count
        return owners[kept], rows[kept], numbers[kept]
