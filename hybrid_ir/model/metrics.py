"""What training looks like: loss, in-batch ranking and the realised batch mix, over an epoch and all ranks."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from hybrid_ir.model.loss import ContrastiveOutput

QUANTITIES = ("loss", "accuracy", "rank", "negatives", "masked_negatives")


def summarise(output: ContrastiveOutput) -> dict[str, Tensor]:
    """Means over the rows of one batch.

    Returns:
        For each of `QUANTITIES` a float32 scalar: the loss; the share of rows whose own passage ranks first; the mean
        rank of the own passage; negatives a row is compared with; false negatives left out for a row.
    """
    values = (
        output.loss.detach(),
        (output.ranks == 1).float().mean(),
        output.ranks.float().mean(),
        (output.candidates - 1).float().mean(),
        output.masked.float().mean(),
    )
    return dict(zip(QUANTITIES, values, strict=True))


class EpochMetrics(Metric):
    """Averages of `summarise` by batch kind, and the share of each kind and language drawn.

    All states are sums, so the result does not depend on how rows were spread over ranks.

    Args:
        kinds: batch kinds that can occur.
        languages: language codes that can occur.
    """

    full_state_update = False
    totals: Tensor
    batches: Tensor
    questions: Tensor
    passages: Tensor

    def __init__(self, kinds: Sequence[str], languages: Sequence[str]) -> None:
        super().__init__()
        self.kinds, self.languages = tuple(kinds), tuple(languages)
        # Persistent: an epoch that is resumed in its middle reports the whole epoch. On several processes the part
        # before the interruption stands as rank 0 saw it, once for every process: a checkpoint holds rank 0's sums.
        self.add_state("totals", torch.zeros(len(kinds), len(QUANTITIES)), dist_reduce_fx="sum", persistent=True)
        for name, size in (("batches", len(kinds)), ("questions", len(languages)), ("passages", len(languages))):
            counts = torch.zeros(size, dtype=torch.int64)
            self.add_state(name, counts, dist_reduce_fx="sum", persistent=True)

    def update(
        self,
        kind: str,
        question_languages: Sequence[str],
        passage_languages: Sequence[str],
        summary: dict[str, Tensor],
    ) -> None:
        """Count one batch: its kind, the two languages of every row, and its `summarise`."""
        number = self.kinds.index(kind)
        self.batches[number] += 1
        self.totals[number] += torch.stack([summary[name] for name in QUANTITIES]).to(self.totals)
        for counts, drawn in ((self.questions, question_languages), (self.passages, passage_languages)):
            positions = torch.tensor([self.languages.index(language) for language in drawn], device=counts.device)
            counts.index_add_(0, positions, torch.ones_like(positions, dtype=counts.dtype))

    def compute(self) -> dict[str, Tensor]:
        """`loss`, `loss/monolingual`, `share/crosslingual`, `share/question/de`, ...: float32 scalars."""
        values = {}
        for column, name in enumerate(QUANTITIES):
            values[name] = self.totals[:, column].sum() / self.batches.sum()
        for number, kind in enumerate(self.kinds):
            values[f"share/{kind}"] = self.batches[number] / self.batches.sum()
            if self.batches[number] > 0:
                for column, name in enumerate(QUANTITIES):
                    values[f"{name}/{kind}"] = self.totals[number, column] / self.batches[number]
        for side, counts in (("question", self.questions), ("passage", self.passages)):
            for language, count in zip(self.languages, counts, strict=True):
                values[f"share/{side}/{language}"] = count / counts.sum()
        return values
