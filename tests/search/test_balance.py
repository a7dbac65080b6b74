"""What the two rules promise."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.evaluation.ranking.best_lists import BestPassages
from hybrid_ir.search.balance import Ranked, by_centroid, in_turns, unbalanced

LANGUAGES = ("de", "en", "sw")


def top(lists: list[list[tuple[float, str]]], k: int) -> BestPassages:
    """Lists of (score, id) as a search returns them: sorted, and filled up."""
    rows = [sorted(((s, i.encode()) for s, i in row), reverse=True)[:k] for row in lists]
    filled = [row + [(-np.inf, b"")] * (k - len(row)) for row in rows]
    scores = np.array([[score for score, _ in row] for row in filled], dtype=np.float32)
    return BestPassages(np.array([[key for _, key in row] for row in filled]), scores)


@st.composite
def corpora(draw: st.DrawFn) -> dict[str, list[float]]:
    """Scores of one question with the passages of each language, exact in float32, often equal."""
    scores = st.lists(st.integers(-20, 20).map(lambda n: n / 16), min_size=1, max_size=12)
    return {language: draw(scores) for language in LANGUAGES}


def named(corpus: dict[str, list[float]], shift: dict[str, float]) -> dict[str, list[tuple[float, str]]]:
    return {
        language: [(score + shift.get(language, 0), f"{language}{number}") for number, score in enumerate(scores)]
        for language, scores in corpus.items()
    }


def centred(corpus: dict[str, list[float]], k: int, shift: dict[str, float]) -> list[Ranked]:
    rows = named(corpus, shift)
    means = {code: np.array([np.mean([score for score, _ in row])], dtype=np.float32) for code, row in rows.items()}
    (found,) = by_centroid({code: top([row], k) for code, row in rows.items()}, means, k)
    return found


@settings(max_examples=40, deadline=None)
@given(corpus=corpora(), k=st.integers(1, 40), shift=st.dictionaries(st.sampled_from(LANGUAGES), st.integers(-9, 9)))
def test_centroid_does_not_see_what_an_encoder_adds_to_a_language(
    corpus: dict[str, list[float]], k: int, shift: dict[str, int]
) -> None:
    plain, shifted = centred(corpus, k, {}), centred(corpus, k, {code: float(n) for code, n in shift.items()})
    np.testing.assert_allclose([hit.score for hit in plain], [hit.score for hit in shifted], atol=1e-5)
    for one, other in zip(plain, shifted, strict=True):  # only what is equal but for rounding may change places
        if one.id != other.id:
            assert abs(one.score - other.score) < 1e-5
    assert [hit.score for hit in plain] == sorted((hit.score for hit in plain), reverse=True)
    everything = centred(corpus, 36, {"de": 5.0})
    for language in LANGUAGES:
        scores = [hit.score for hit in everything if hit.id.startswith(language.encode())]
        assert np.mean(scores) == pytest.approx(0, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(corpus=corpora(), k=st.integers(1, 40), shift=st.dictionaries(st.sampled_from(LANGUAGES), st.integers(-9, 9)))
def test_in_turns_no_language_is_more_than_one_hit_ahead_of_another_that_has_more(
    corpus: dict[str, list[float]], k: int, shift: dict[str, int]
) -> None:
    rows = named(corpus, {code: float(n) for code, n in shift.items()})
    (found,) = in_turns({code: top([row], k) for code, row in rows.items()}, k)
    assert len(found) == min(k, sum(map(len, corpus.values())))
    assert [hit.score for hit in found] == [1 / rank for rank in range(1, len(found) + 1)]
    seen: Counter[str] = Counter()
    for hit in found:
        seen[hit.id[:2].decode()] += 1
        left = [seen[code] for code in LANGUAGES if seen[code] < len(corpus[code])]
        assert not left or max(seen.values()) - min(left) <= 1
    for language in LANGUAGES:
        within = [(hit.similarity, hit.id) for hit in found if hit.id.startswith(language.encode())]
        assert within == sorted(within, reverse=True)


def test_ties_are_broken_by_id() -> None:
    best = {"de": top([[(1.0, "de1"), (0.5, "de2")]], 3), "en": top([[(3.0, "en1"), (2.5, "en2")]], 3)}
    means = {"de": np.zeros(1, dtype=np.float32), "en": np.full(1, 2, dtype=np.float32)}
    assert [hit.id for hit in by_centroid(best, means, 3)[0]] == [b"en1", b"de1", b"en2"]
    same = {"de": top([[(1.0, "de1")]], 3), "en": top([[(1.0, "en1")]], 3)}
    assert [hit.id for hit in in_turns(same, 3)[0]] == [b"en1", b"de1"]
    (plain,) = unbalanced(top([[(0.5, "a"), (0.75, "b")]], 4), 4)
    assert plain == [Ranked(0.75, 0.75, b"b"), Ranked(0.5, 0.5, b"a")]  # the score is the similarity
