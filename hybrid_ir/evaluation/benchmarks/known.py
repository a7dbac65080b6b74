"""Qrels that name passages which a pool does not have: an error, or left out and counted."""

from collections.abc import Collection, Mapping
from typing import Literal

Missing = Literal["error", "count"]


def keep_known(
    benchmark: str, qrels: Mapping[str, Collection[str]], missing: Collection[str], policy: Missing
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Leave missing passages out of the judgements, if that was asked for, and say what was left out.

    Args:
        benchmark: its name, for errors.
        qrels: query id -> ids of its relevant passages.
        missing: ids of relevant passages that the pool does not have.
        policy: `error`, or `count`: leave them out, and queries with them that have no other.

    Returns:
        the judgements that are left, and a note that counts the others, if there are any.

    Raises:
        ValueError: there are some and the policy is `error`, or another policy than these, or nothing is left.
    """
    if policy not in ("error", "count"):
        raise ValueError(f"`missing` must be 'error' or 'count', got {policy!r}")
    if not missing:
        return {query: list(passages) for query, passages in qrels.items()}, ()
    gone = set(missing)
    if policy == "error":
        raise ValueError(
            f"benchmark {benchmark}: {len(gone)} passages that are judged relevant are not in the pool, such as "
            f"{min(gone)!r}. Complete the pool, or have them left out and counted with missing=count"
        )
    kept = {query: [key for key in passages if key not in gone] for query, passages in qrels.items()}
    left = {query: passages for query, passages in kept.items() if passages}
    if not left:
        raise ValueError(f"benchmark {benchmark}: no query has a relevant passage in the pool")
    lost = len(kept) - len(left)
    note = (
        f"{len(gone)} passages judged relevant are not in the pool and count for nothing; {lost} of {len(kept)} "
        "queries had no other and are left out"
    )
    return left, (note,)
