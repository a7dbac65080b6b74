"""The dataset of planned batches: DataLoader workers fetch their texts and tokenise them."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from hybrid_ir.data.corpus import ParallelCorpus, Side
from hybrid_ir.data.store.tables import PairTexts
from hybrid_ir.encoder.tokenization import Tokens
from hybrid_ir.sampling.plan import Batch
from hybrid_ir.sources.records import TextKind
from hybrid_ir.training.tokenised_batch import TokenisedBatch

Tokenize = Callable[[Sequence[str], TextKind], Tokens]


class PlannedBatches(Dataset[TokenisedBatch]):
    """A map-style dataset whose indices are planned batches and whose items are tokenised batches.

    An item is a pure function of its index. All randomness is in the plan, so workers, resumption and order cannot
    change the content of a batch.

    Args:
        corpora: the corpora, in the plan's order.
        languages: for each corpus, the languages that the plan's numbers stand for.
        tokenize: turns texts of one kind into tokens.
        negatives: the largest number of hard negatives of each example.
        any_language: take negatives in any language of the corpus, not only in the passage's.
        teacher_tokenize: the same for the teacher's tokens; None without a teacher.
    """

    def __init__(
        self,
        corpora: Sequence[ParallelCorpus],
        languages: Sequence[tuple[str, ...]],
        tokenize: Tokenize,
        negatives: int = 0,
        any_language: bool = False,
        teacher_tokenize: Tokenize | None = None,
    ) -> None:
        self.corpora, self.languages = tuple(corpora), tuple(languages)
        self.tokenize, self.negatives, self.any_language = tokenize, negatives, any_language
        self.teacher_tokenize = teacher_tokenize

    def __getitem__(self, batch: Batch) -> TokenisedBatch:
        corpus, languages = self.corpora[batch.corpus], self.languages[batch.corpus]
        questions = tuple(languages[number] for number in batch.question_languages)
        passages = tuple(languages[number] for number in batch.passage_languages)
        spoken = languages if self.any_language else None
        texts = corpus.fetch(batch.examples, questions, passages, self.negatives, spoken)
        further = [
            _translations(corpus, "question", batch.examples, batch.question_translations, languages),
            _translations(corpus, "passage", batch.examples, batch.passage_translations, languages),
        ]
        return TokenisedBatch(
            tokens=_tokens(self.tokenize, texts, *further),
            question_groups=torch.from_numpy(texts.question_groups),
            passage_groups=torch.from_numpy(texts.passage_groups),
            negative_groups=self._negative_groups(texts.negative_groups) if self.negatives else None,
            kind=batch.kind,
            corpus=corpus.name,
            question_languages=questions,
            passage_languages=passages,
            example_ids=tuple(corpus.example_ids(batch.examples)),
            question_slots=_slots(batch.question_translations),
            passage_slots=_slots(batch.passage_translations),
            teacher_tokens=_tokens(self.teacher_tokenize, texts, *further) if self.teacher_tokenize else None,
        )

    def _negative_groups(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        groups = np.full((len(rows), self.negatives), -1, dtype=np.int64)
        for row, values in enumerate(rows):
            groups[row, : len(values)] = values
        return torch.from_numpy(groups)


def _translations(
    corpus: ParallelCorpus,
    side: Side,
    examples: NDArray[np.int64],
    planned: NDArray[np.int8],
    languages: Sequence[str],
) -> list[str]:
    """The texts of all filled slots, row by row."""
    rows, slots = np.nonzero(planned >= 0)
    return corpus.texts_of(side, examples[rows], [languages[number] for number in planned[rows, slots]])


def _slots(planned: NDArray[np.int8]) -> torch.Tensor | None:
    return torch.from_numpy(planned >= 0) if planned.shape[1] else None


def _tokens(
    tokenize: Tokenize, texts: PairTexts, question_translations: list[str], passage_translations: list[str]
) -> Tokens:
    """Questions, passages, negatives row by row, translations of questions and of passages row by row."""
    negatives = [negative for row in texts.negatives for negative in row]
    parts: list[tuple[list[str], TextKind]] = [
        (texts.questions, "query"),
        (texts.passages, "passage"),
        (negatives, "passage"),
        (question_translations, "query"),
        (passage_translations, "passage"),
    ]
    return Tokens.concatenate([tokenize(part, kind) for part, kind in parts if part])
