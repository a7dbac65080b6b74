"""Settings of the batches that a policy draws from the corpora, each value checked by itself."""

import math
from collections.abc import Collection
from dataclasses import dataclass

from hybrid_ir.sources.errors import nearest


@dataclass
class BatchConfig:
    """Settings of the batches that a policy draws from the corpora.

    Attributes:
        batch_size: rows of the GLOBAL batch, over all processes.
        languages: the only languages to train on; None for all languages of the corpora.
        temperature: corpora are drawn in proportion to size^(1/temperature).
        weights: name of a corpus -> its size in these draws, in place of its number of examples.
        batches_per_epoch: length of an epoch; None for one visit to every example.
        negatives: the largest number of hard negatives of a question.
        negative_languages: `passage` takes negatives in the language of the pair's passage, `any` in any language.
        holdout: examples kept out of training for the validation loss.
        num_workers: processes that tokenise ahead of training; they do not affect results.
        mapped: read texts through memory-mapped files, whose pages count as memory of the reading process; False uses
            system calls, which are slower but keep no pages. This does not affect results.
    """

    batch_size: int = 100
    languages: list[str] | None = None
    temperature: float = 1.0
    weights: dict[str, float] | None = None
    batches_per_epoch: int | None = None
    negatives: int = 0
    negative_languages: str = "passage"
    holdout: int = 0
    num_workers: int = 2
    mapped: bool = True

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise ValueError(f"data.batch_size is {self.batch_size}; in-batch negatives need at least 2 rows")
        if self.temperature <= 0:
            raise ValueError(f"data.temperature is {self.temperature}; it must be positive")
        for corpus, weight in (self.weights or {}).items():
            if not 0 < weight < math.inf:
                raise ValueError(
                    f"data.weights.{corpus} is {weight}; it must be a finite number above 0. To train without a "
                    "corpus, leave it out of data="
                )
        if self.batches_per_epoch is not None and self.batches_per_epoch < 1:
            raise ValueError(
                f"data.batches_per_epoch is {self.batches_per_epoch}; it must be at least 1, or null for one visit to "
                "every example"
            )
        if self.negative_languages not in ("passage", "any"):
            raise ValueError(f"data.negative_languages is {self.negative_languages!r}; it must be 'passage' or 'any'")
        for name in ("negatives", "holdout", "num_workers"):
            if getattr(self, name) < 0:
                raise ValueError(f"data.{name} is {getattr(self, name)}; it must not be negative")

    def check_corpora(self, names: Collection[str]) -> None:
        """Raises ValueError if `weights` names a corpus that is not among the `names` of the training corpora."""
        for name in self.weights or {}:
            if name not in names:
                near = nearest(name, names)
                hint = f"did you mean {near}? The corpora are" if near else "the corpora are"
                raise ValueError(f"data.weights names {name}; {hint} {', '.join(names)}")
