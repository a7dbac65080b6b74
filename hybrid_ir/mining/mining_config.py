"""Settings of hard negative mining."""

from dataclasses import dataclass

from omegaconf import MISSING

LANGUAGES = ("passage", "any")


@dataclass
class MiningConfig:
    """How hard negatives are selected from the passages that a search finds.

    Attributes:
        count: negatives per example and passage language (`languages: passage`), or per example (`any`).
        depth: number of best passages considered per question, including known answers.
        skip: number of best passages to leave out, not counting known answers.
        languages: `passage`: each question searches the passages in its own language, so every language of a gold
            passage gets negatives. If the question lacks that language, its first language is used. `any`: the question
            searches all languages, once in each of its own, and the example gets the best passages found; train on
            these with `data.negative_languages=any`.
        max_score_ratio: leave out candidates that score above this share of the gold passage's score, since they are
            probably unlabelled answers (TopK-PercPos of NV-Retriever, Moreira et al., arXiv:2407.15831). The gold
            passage is scored in the candidate's language if it exists in it, else in its best-scoring language. None
            for no limit.
        keep: whether to append the negatives that the corpus already has.
        store: folder of the passage vectors, reused by other searches with the same encoder.
        dtype: type of the vectors on disk, `float16` or `float32`.
        block_size: passages encoded and searched at a time; a killed process loses at most one block.
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
                f"mining.skip={self.skip} must be at least 0 and below mining.depth={self.depth}, to leave candidates"
            )
        if self.max_score_ratio is not None and not 0 < self.max_score_ratio <= 1:
            raise ValueError(
                f"mining.max_score_ratio must be in (0, 1], as a share of the gold passage's score, or null for no "
                f"limit, got {self.max_score_ratio}"
            )
