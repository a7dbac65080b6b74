"""Table of a plan's expected shares: how many of its batches have each kind, corpus and language."""

from typing import NamedTuple

from hybrid_ir.sampling.plan import BatchPlan


class Share(NamedTuple):
    """The expected share of batches, in [0, 1], of one kind and corpus and, if monolingual, one language."""

    kind: str
    corpus: str
    language: str | None
    share: float


def plan_shares(plan: BatchPlan) -> list[Share]:
    """All shares above 0. They are computed from the plan's probabilities, over the whole run, and sum to 1."""
    return [
        Share(stream.kind, stream.index.coverage.corpus, stream.code, share)
        for stream, share in zip(plan.mixture.streams, plan.shares().tolist(), strict=True)
        if share
    ]


def share_lines(plan: BatchPlan) -> list[str]:
    """A line per corpus, in per cent of all batches: in total, by kind, and its monolingual batches by language."""
    shares = plan_shares(plan)
    languages = sorted({share.language for share in shares if share.language is not None})
    names = ["corpus", *dict.fromkeys(coverage.corpus for coverage in plan.coverages), "all"]
    columns = [names, ["total", *(_percent(_of(shares, name)) for name in names[1:])]]
    for label in (*plan.policy.kinds, *languages):
        chosen = [share for share in shares if label in (share.kind, share.language)]
        columns.append([label, *(_percent(_of(chosen, name)) for name in names[1:])])
    first, *others = [max(map(len, column)) for column in columns]
    return [
        "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, others, strict=True))])
        for name, *cells in zip(*columns, strict=True)
    ]


def _of(shares: list[Share], corpus: str) -> float:
    """The sum of the shares of a corpus, or of `all`."""
    return sum(share.share for share in shares if corpus in ("all", share.corpus))


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"
