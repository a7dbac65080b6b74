"""Train and held-out parts of a set of parallel SQuAD files, split by article.

The files of several languages hold translations of the same questions. What is held out in one language must be held
out in all, so articles that share a question, in any language, stay together.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from hybrid_ir.sources.content_groups import connected_components
from hybrid_ir.sources.errors import check_choice
from hybrid_ir.sources.formats.squad_file import Paragraph, Question, SquadFile

Part = Literal["all", "train", "held_out"]
PARTS: tuple[Part, ...] = ("all", "train", "held_out")


def take_part(files: Mapping[str, SquadFile], part: Part, share: float) -> dict[str, SquadFile]:
    """The articles of one part.

    Args:
        files: language -> file, for all languages of the set, since articles are linked across all of them.
        part: `train` and `held_out` have no article in common; together they are `all`.
        share: approximate share of the groups of linked articles that is held out. A hash of the smallest question id
            of a group decides, so the same articles are drawn on every machine, and a larger share holds out the same
            articles and more.

    Raises:
        ValueError: the part is unknown, `share` is not between 0 and 1, or no question is left in a language.
    """
    check_choice("part", part, PARTS)
    if not 0 < share < 1:
        raise ValueError(f"`held_out`, the share of articles held out, must be between 0 and 1, got {share}")
    if part == "all":
        return dict(files)
    held_out = _held_out(files, share)
    kept = {language: _keep(file, held_out[language], part == "held_out") for language, file in files.items()}
    for file in kept.values():
        if not file.questions:
            raise ValueError(f"{file.path}: no question is left in part={part} with held_out={share}")
    return kept


def _held_out(files: Mapping[str, SquadFile], share: float) -> dict[str, set[int]]:
    """Language -> articles that are held out."""
    articles = [(language, article) for language, file in files.items() for article in _articles(file)]
    number = {key: node for node, key in enumerate(articles)}
    questions = list(_questions(files))
    first = {name: number[language, article] for name, language, article in reversed(questions)}
    left = np.array([first[name] for name, _, _ in questions], dtype=np.int64)
    right = np.array([number[language, article] for _, language, article in questions], dtype=np.int64)
    group = dict(zip(articles, connected_components(len(articles), left, right).tolist(), strict=True))
    smallest: dict[int, str] = {}
    for name, language, article in questions:
        own = group[language, article]
        smallest[own] = min(name, smallest.get(own, name))
    drawn = {own for own, name in smallest.items() if _uniform(name) < share}
    return {
        language: {article for article in _articles(file) if group[language, article] in drawn}
        for language, file in files.items()
    }


def _articles(file: SquadFile) -> list[int]:
    return sorted({paragraph.article for paragraph in file.paragraphs})


def _questions(files: Mapping[str, SquadFile]) -> Iterator[tuple[str, str, int]]:
    """Id, language and article of every question."""
    for language, file in files.items():
        for question in file.questions:
            yield question.id, language, file.paragraphs[question.paragraph].article


def _uniform(name: str) -> float:
    """A number in [0, 1) from the SHA-256 of a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


def _keep(file: SquadFile, articles: set[int], inside: bool) -> SquadFile:
    kept = [n for n, paragraph in enumerate(file.paragraphs) if (paragraph.article in articles) == inside]
    moved = {old: new for new, old in enumerate(kept)}
    paragraphs: tuple[Paragraph, ...] = tuple(file.paragraphs[n] for n in kept)
    questions: tuple[Question, ...] = tuple(
        Question(item.id, item.text, moved[item.paragraph], item.answers, item.sentence)
        for item in file.questions
        if item.paragraph in moved
    )
    return SquadFile(file.path, paragraphs, questions)
