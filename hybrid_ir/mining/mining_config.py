"""What is mined."""

from dataclasses import dataclass

from omegaconf import MISSING

LANGUAGES = ("passage", "any")


@dataclass
class MiningConfig:
    """Which of the passages that a search finds become hard negatives.

    Attributes:
        count: negatives wanted for an example and passage language (`languages: passage`), or for an example (`any`).
        depth: passages looked at for each question, the best ones first; known answers among them count.
        skip: so many of the best are passed over, once known answers are left out.
        languages: `passage`: the question in a language searches the passages in that language, so that each language
            of an example's passage has negatives of its own; where the question has no such language, it searches in
            the first that it has. `any`: the question searches, in each of its languages, the passages of all
            languages, and an example gets the best of what was found; to be trained on with
            `data.negative_languages=any`.
        max_score_ratio: a candidate that scores above this share of what the example's own passage scores is likely an
            answer that nobody labelled, and is left out (the rule BestPassages-PercPos of NV-Retriever, Moreira et al.,
            arXiv:2407.15831). The own passage in the candidate's language counts where there is one, else the best of
            its languages. None for no such rule.
        keep: keep the negatives that the corpus has, after the mined ones.
        store: folder of the passages' vectors, which another search with the same encoder finds again.
        dtype: `float16` or `float32`, of the vectors on disk.
        block_size: passages encoded and searched at a time: what a process that is killed loses at most.
    """

    count: int = 4
    depth: int = 100
    skip: int = 0
    languages: str = "passage"
    max_score_ratio: float | None = 0.95
    keep: bool = False
    store: str = MISSING
    dtype: str = "float16"
    block_size: int = 8192

    def __post_init__(self) -> None:
        if self.languages not in LANGUAGES:
            raise ValueError(f"mining.languages must be {' or '.join(LANGUAGES)}, got {self.languages!r}")
        if self.count < 1 or self.block_size < 1:
            raise ValueError(
                f"mining.count={self.count} and mining.block_size={self.block_size} must both be at least 1"
            )
        if not 0 <= self.skip < self.depth:
            raise ValueError(
                f"mining.skip={self.skip} must lie within 0 and mining.depth={self.depth}: nothing would be left"
            )
        if self.max_score_ratio is not None and not 0 < self.max_score_ratio <= 1:
            raise ValueError(
                f"mining.max_score_ratio must be in (0, 1] or null, got {self.max_score_ratio}: it is a share of the "
                "gold passage's score; null is no limit"
            )
