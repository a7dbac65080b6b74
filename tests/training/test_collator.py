"""From a planned batch to tokens: the right text in the right language, with its groups."""

from pathlib import Path

import pytest
import torch

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers import parallel_jsonl
from hybrid_ir.encoder.tokenization import Tokens
from hybrid_ir.sampling.policy import Hybrid
from hybrid_ir.sampling.translations import Translations
from hybrid_ir.training.data.batch_config import BatchConfig
from hybrid_ir.training.data.datamodule import HybridDataModule
from tests.worlds import question, statement, write_corpus


def tokenize(texts: list[str], kind: str) -> Tokens:
    """One token a character, and one for the kind: what was tokenised can be read back."""
    rows = [[ord(kind[0]), *map(ord, text)] for text in texts]
    return Tokens(torch.tensor([token for row in rows for token in row]), tuple(map(len, rows)))


def read_back(tokens: Tokens) -> list[str]:
    return ["".join(map(chr, row.tolist())) for row in tokens.ids.split(tokens.lengths)]


@pytest.fixture
def corpus(tmp_path: Path) -> ParallelCorpus:
    return parallel_jsonl.read("world", str(write_corpus(tmp_path / "corpus.jsonl")), str(tmp_path / "cache"))


@pytest.mark.parametrize("languages", [None, ["en", "de"], ["es"]])
@pytest.mark.parametrize("negatives", [0, 2])
def test_rows_are_the_planned_texts(corpus: ParallelCorpus, languages: list[str] | None, negatives: int) -> None:
    config = BatchConfig(batch_size=8, languages=languages, negatives=negatives, num_workers=0)
    alpha = 1.0 if languages == ["es"] else 0.5
    module = HybridDataModule([corpus], Hybrid(alpha), tokenize, config, seed=3)
    for batch in module.train_dataloader():
        numbers = [int(key.removeprefix("fact-")) for key in batch.example_ids]
        asked, told = batch.question_languages, batch.passage_languages
        assert {*asked, *told} <= set(languages or ("de", "en", "es"))
        texts = ["q" + question(code, number) for code, number in zip(asked, numbers, strict=True)]
        texts += ["p" + statement(code, max(number, 1)) for code, number in zip(told, numbers, strict=True)]
        if negatives:  # each example has one; the second slot stays empty
            texts += ["p" + statement(code, 500 + number) for code, number in zip(told, numbers, strict=True)]
            assert (batch.negative_groups[:, 0] >= 0).all()
            assert (batch.negative_groups[:, 1] == -1).all()
        assert read_back(batch.tokens) == texts


def test_translations_are_the_planned_texts_behind_the_others(corpus: ParallelCorpus) -> None:
    config = BatchConfig(batch_size=8, negatives=1, num_workers=0)
    module = HybridDataModule(
        [corpus], Hybrid(0.5), tokenize, config, seed=3, translations=Translations(questions=1, passages=3)
    )
    for planned, batch in zip(module.plan.epoch(0), module.train_dataloader(), strict=True):
        numbers = [int(key.removeprefix("fact-")) for key in batch.example_ids]
        texts = [
            "q" + question(corpus.languages[code], number)
            for number, (code,) in zip(numbers, planned.question_translations.tolist(), strict=True)
        ]
        texts += [
            "p" + statement(corpus.languages[code], max(number, 1))
            for number, codes in zip(numbers, planned.passage_translations.tolist(), strict=True)
            for code in codes
            if code >= 0
        ]
        assert read_back(batch.tokens)[3 * 8 :] == texts
        assert batch.question_slots.tolist() == [[True]] * 8
        assert batch.passage_slots.tolist() == [[True, True, False]] * 8  # of three languages


def test_shared_passages_share_a_group(corpus: ParallelCorpus) -> None:
    module = HybridDataModule([corpus], Hybrid(0.0), tokenize, BatchConfig(batch_size=48, num_workers=0), seed=0)
    (batch,) = module.train_dataloader()
    groups = dict(zip(batch.example_ids, batch.passage_groups.tolist(), strict=True))
    assert groups["fact-0"] == groups["fact-1"]
    assert len(set(groups.values())) == 47
    assert len(set(batch.question_groups.tolist())) == 48


def test_held_out_examples_are_not_trained_on(corpus: ParallelCorpus) -> None:
    config = BatchConfig(batch_size=8, holdout=12, num_workers=0)
    module = HybridDataModule([corpus], Hybrid(0.5), tokenize, config, seed=0)
    seen = {key for batch in module.train_dataloader() for key in batch.example_ids}
    validation = module.val_dataloader()
    held_out = {key for batch in validation for key in batch.example_ids}
    assert held_out
    assert not seen & held_out
    validation.sampler.set_epoch(4)
    assert {key for batch in validation for key in batch.example_ids} == held_out  # the same batches in every epoch


@pytest.mark.parametrize(
    ("sizes", "holdout", "message"),
    [
        ([20] * 5, 2, "data.holdout is 2, too few for any of 5 corpora to give one example; hold out 3 or more"),
        ([24], 50, "data.holdout is 50 of 24 examples, .* hold out 23 or fewer"),
        ([20, 4], 23, "data.holdout is 23 of 24 examples, .* hold out 20 or fewer"),
        ([2], 1, "data.holdout is 1: corpus world cannot be split.*; hold out more, or none"),
    ],
)
def test_a_holdout_of_nothing_or_of_a_whole_corpus_is_refused(
    corpus: ParallelCorpus, sizes: list[int], holdout: int, message: str
) -> None:
    corpora = [corpus.select(range(size)) for size in sizes]
    with pytest.raises(ValueError, match=message):
        HybridDataModule(corpora, Hybrid(0.5), tokenize, BatchConfig(batch_size=2, holdout=holdout), seed=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 1}, "data.batch_size is 1"),
        ({"temperature": 0.0}, "data.temperature is 0.0"),
        ({"holdout": -1}, "data.holdout is -1"),
    ],
)
def test_bad_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BatchConfig(**settings)
