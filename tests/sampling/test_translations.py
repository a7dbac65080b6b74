"""Languages of translations: other languages of the same example, drawn without changing the plan."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.sampling.coverage import Coverage
from hybrid_ir.sampling.plan import BatchPlan
from hybrid_ir.sampling.policy import Hybrid, Single
from hybrid_ir.sampling.translations import Translations
from tests.sampling.coverages import LANGUAGES, parallel, partial_corpus, same


@given(
    corpus=partial_corpus(),
    questions=st.integers(0, 3),
    passages=st.integers(1, 3),
    fixed=st.none() | st.sampled_from(LANGUAGES),
    seed=st.integers(0, 9),
)
@settings(max_examples=40, deadline=None)
def test_translations_are_other_languages_of_the_same_example(
    corpus: Coverage, questions: int, passages: int, fixed: str | None, seed: int
) -> None:
    batches, plain = (
        BatchPlan([corpus], Hybrid(0.5), 6, seed, translations=wanted).epoch(1)
        for wanted in (Translations(questions, passages, fixed), Translations())
    )
    for step in range(len(batches)):
        batch = batches[step]
        assert same(batch, plain[step], translations=False)
        masks = corpus.patterns[corpus.codes[batch.examples]]
        for side, (name, slots) in enumerate((("question", questions), ("passage", passages))):
            drawn, languages = getattr(batch, f"{name}_translations"), getattr(batch, f"{name}_languages")
            assert drawn.shape == (6, slots) and drawn.dtype == np.int8
            for row, language, mask in zip(drawn.tolist(), languages, masks[:, side], strict=True):
                left = {bit for bit in range(3) if int(mask) >> bit & 1} - {int(language)}
                if fixed and name == "question":
                    left &= {LANGUAGES.index(fixed)}
                filled = [code for code in row if code >= 0]
                assert len(set(filled)) == len(filled) == min(slots, len(left)) and set(filled) <= left
                assert row[len(filled) :] == [-1] * (slots - len(filled))


def test_languages_of_the_sampler_bound_those_of_translations() -> None:
    policy = Hybrid(0.5, languages=("de", "en"))
    batch = BatchPlan([parallel(60)], policy, 6, 3, translations=Translations(passages=2)).epoch(0)[0]
    assert set(batch.passage_translations[:, 0].tolist()) <= {1, 2}
    assert (batch.passage_translations[:, 1] == -1).all()


def test_a_corpus_without_translations_next_to_one_with_them_is_named(caplog: pytest.LogCaptureFixture) -> None:
    corpora = [parallel(60), parallel(60, "english", languages=("en",))]
    policy, wanted = Single("monolingual", "mono"), Translations(passages=1)
    batches = BatchPlan(corpora, policy, 6, 3, translations=wanted).epoch(0)
    assert "no example of english has its passage in two languages" in caplog.text
    drawn = {batch.corpus: batch.passage_translations for batch in (batches[step] for step in range(len(batches)))}
    assert (drawn[0] >= 0).all() and (drawn[1] == -1).all()
