"""Relevant passages that are missing from a pool: an error, or left out and counted."""

from collections.abc import Collection
from typing import Literal, get_args

from hybrid_ir.evaluation.benchmarks.grades import Qrels, grades_of
from hybrid_ir.sources.errors import check_choice

Missing = Literal["error", "count"]


def keep_known(
    benchmark: str, qrels: Qrels, missing: Collection[str], policy: Missing
) -> tuple[dict[str, dict[str, int]], tuple[str, ...]]:
    """Remove missing passages from the qrels, or raise an error, by `policy`.

    Args:
        benchmark: name of the benchmark, for errors.
        qrels: query id -> its relevant passages, with or without grades.
        missing: ids of relevant passages that the pool lacks.
        policy: `error`, or `count` to leave them out, with queries that have no other relevant passage.

    Returns:
        The remaining qrels with grades, and a note that counts what was left out, if anything.

    Raises:
        ValueError: passages are missing and the policy is `error`; the policy is unknown; or nothing is left.
    """
    check_choice("missing", policy, get_args(Missing))
    graded = {query: grades_of(passages) for query, passages in qrels.items()}
    if not missing:
        return graded, ()
    gone = set(missing)
    if policy == "error":
        raise ValueError(
            f"benchmark {benchmark}: {len(gone)} passages that are judged relevant are not in the pool, such as "
            f"{min(gone)!r}. Complete the pool, or have them left out and counted with missing=count"
        )
    kept = {query: {key: grade for key, grade in grades.items() if key not in gone} for query, grades in graded.items()}
    left = {query: passages for query, passages in kept.items() if passages}
    if not left:
        raise ValueError(f"benchmark {benchmark}: no query has a relevant passage in the pool")
    lost = len(kept) - len(left)
    note = (
        f"{len(gone)} passages judged relevant are not in the pool and count for nothing; {lost} of {len(kept)} "
        "queries had no other and are left out"
    )
    return left, (note,)
