"""A corpus given back as the records it was built from, and negatives in whatever language."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sampling.policy import Single
from hybrid_ir.sources.records import Example
from hybrid_ir.training.data.datamodule import BatchConfig, HybridDataModule
from tests.data.examples import corpus_of, example, examples
from tests.training.test_collator import read_back, tokenize


@given(records=examples(), data=st.data())
@settings(max_examples=30, deadline=None)
def test_records_are_what_was_written(records: list[Example], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(records) - 1), min_size=1))
    with corpus_of(records) as corpus:
        assert corpus.records(rows) == [records[row] for row in rows]
        passages = corpus.contents("passage")
        for language in corpus.languages:
            here = np.flatnonzero(passages.presence(language))
            assert passages.texts_in(language, here) == [text.text[language] for text in passages.texts(here)]


NEGATIVES = ({"de": "n1"}, {"de": "n2", "en": "N2"}, {"es": "n3"}, {"de": "n4", "es": "N4"})


@pytest.mark.parametrize(
    ("languages", "count", "expected"),
    [
        (None, 4, ["N2"]),
        (["en"], 4, ["N2"]),
        (["de", "en", "es"], 4, ["n1", "N2", "n3", "n4"]),
        (["es", "de"], 4, ["n1", "N2", "n3", "N4"]),
        (["de", "en", "es"], 2, ["n1", "N2"]),
    ],
)
def test_negatives_come_in_the_languages_that_are_asked_for(
    tmp_path: Path, languages: list[str] | None, count: int, expected: list[str]
) -> None:
    corpus = build_corpus("c", [example("1", {"en": "q"}, {"de": "P", "en": "p"}, *NEGATIVES)], tmp_path, "build")
    texts = corpus.fetch([0], ["en"], ["en"], count, languages)
    assert texts.negatives == [expected] and len(texts.negative_groups[0]) == len(expected)


def test_batches_take_negatives_in_any_language_trained_on(tmp_path: Path) -> None:
    records = [example(str(row), {"en": f"q{row}"}, {"en": f"p{row}"}, *NEGATIVES) for row in range(4)]
    corpus = build_corpus("c", records, tmp_path, "build")
    for chosen, negative in ((None, "n1"), (["en", "es"], "N2")):
        config = BatchConfig(4, chosen, negatives=1, negative_languages="any", num_workers=0)
        module = HybridDataModule([corpus], Single("monolingual", "english", ("en",)), tokenize, config, seed=0)
        (batch,) = module.train_dataloader()
        assert read_back(batch.tokens)[8:] == [f"p{negative}"] * 4
    with pytest.raises(ValueError, match=r"data\.negative_languages is 'all'"):
        BatchConfig(negative_languages="all")
