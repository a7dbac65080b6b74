"""Relevance judgements with and without grades."""

from collections.abc import Collection, Mapping

Qrels = Mapping[str, Collection[str] | Mapping[str, int]]  # query -> relevant passages, or passage -> grade above 0


def grades_of(passages: Collection[str] | Mapping[str, int]) -> dict[str, int]:
    """Passage -> grade; relevant passages without grades have grade 1."""
    return dict(passages) if isinstance(passages, Mapping) else dict.fromkeys(passages, 1)


def check_level(source: str, level: int, grades: Collection[int]) -> None:
    """Raises ValueError if a relevance level is below 1, or above all grades."""
    if level < 1:
        raise ValueError(f"{source}: the relevance level must be at least 1, got {level}")
    if level > max(grades):
        raise ValueError(f"{source}: the relevance level is {level}, but the highest grade is {max(grades)}")
