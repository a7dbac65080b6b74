"""Training metrics over an epoch and all ranks: loss, in-batch ranking and the realised mix of batches."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from hybrid_ir.distributed import rank_and_world, sum_over_ranks
from hybrid_ir.losses.contrastive import LossOutput

QUANTITIES = ("loss", "accuracy", "rank", "negatives", "masked_negatives")


def summarise(output: LossOutput) -> dict[str, Tensor]:
    """Means over the rows of one global batch, equal on every rank; not finite if the loss of any rank is not.

    Returns:
        A float32 scalar for each of `QUANTITIES`: the loss; the share of rows whose positive ranks first; the mean rank
        of the positive; the mean number of negatives; the mean number of masked false negatives; then the parts of the
        loss, if it has any.
    """
    values = (
        output.loss.detach(),
        (output.ranks == 1).float().mean(),
        output.ranks.float().mean(),
        (output.candidates - 1).float().mean(),
        output.masked.float().mean(),
        *output.parts.values(),
    )
    means = sum_over_ranks(torch.stack(values)) / rank_and_world()[1]  # every rank has equally many rows
    return dict(zip((*QUANTITIES, *output.parts), means, strict=True))


class EpochMetrics(Metric):
    """Averages of `summarise` by batch kind, and the share of each kind and language drawn.

    Each batch is summed over all ranks when it is counted, so every rank holds the global sums. A checkpoint written by
    one rank is therefore enough for an epoch resumed halfway to report averages over the whole epoch.

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
        super().__init__(sync_on_compute=False)
        self.kinds, self.languages = tuple(kinds), tuple(languages)
        self.add_state("totals", torch.zeros(len(kinds), len(QUANTITIES)), persistent=True)
        for name, size in (("batches", len(kinds)), ("questions", len(languages)), ("passages", len(languages))):
            self.add_state(name, torch.zeros(size, dtype=torch.int64), persistent=True)

    @property
    def counted(self) -> dict[str, list[str]]:
        """The meaning of each entry of the states, in order; sums with another meaning must not be loaded."""
        return {"kinds": list(self.kinds), "languages": list(self.languages)}

    def update(
        self,
        kind: str,
        question_languages: Sequence[str],
        passage_languages: Sequence[str],
        summary: dict[str, Tensor],
    ) -> None:
        """Count one batch: its kind, the two languages of every local row, and its `summarise` means."""
        number = self.kinds.index(kind)
        self.batches[number] += 1
        self.totals[number] += torch.stack([summary[name] for name in QUANTITIES]).to(self.totals)
        drawn = sum_over_ranks(torch.stack([self._count(question_languages), self._count(passage_languages)]))
        self.questions += drawn[0]
        self.passages += drawn[1]

    def _count(self, languages: Sequence[str]) -> Tensor:
        positions = torch.tensor([self.languages.index(language) for language in languages])
        return torch.bincount(positions, minlength=len(self.languages)).to(self.questions)

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
