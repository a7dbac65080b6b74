"""Ranks and best passages stay what they are, ties included."""

from tests.evaluation import golden_ranking


def test_rankings_are_the_golden_ones() -> None:
    stored = golden_ranking.stored()
    assert len(stored) == golden_ranking.CASES
    for number, expected in enumerate(stored):
        assert golden_ranking.run(number) == expected, f"case {number} is ranked otherwise"
