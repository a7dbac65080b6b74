"""Relevance with and without grades: what qrels may look like, and the grade from which a passage is relevant."""

from collections.abc import Collection, Mapping

Qrels = Mapping[str, Collection[str] | Mapping[str, int]]  # query -> relevant passages, or passage -> grade above 0


def grades_of(passages: Collection[str] | Mapping[str, int]) -> dict[str, int]:
    """Passage -> grade, for the passages of one query in `Qrels`.

    Args:
        passages: relevant passages, which then have grade 1, or passage -> grade above 0.
    """
    return dict(passages) if isinstance(passages, Mapping) else dict.fromkeys(passages, 1)


def check_level(source: str, level: int, grades: Collection[int]) -> None:
    """Check the lowest grade that measures of binary relevance count as relevant.

    Args:
        source: name of the benchmark or file, for errors.
        level: the grade, trec_eval's `-l`.
        grades: the grades that there are, at least one.

    Raises:
        ValueError: the level is below 1, or above all grades.
    """
    if level < 1:
        raise ValueError(f"{source}: the relevance level must be at least 1, got {level}")
    if level > max(grades):
        raise ValueError(f"{source}: the relevance level is {level}, but the highest grade is {max(grades)}")
