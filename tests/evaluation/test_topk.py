"""Top-k: exact, by one tie rule also at the cut, and the same for every block, chunk and number of processes."""

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hybrid_ir.evaluation.ranking import topk
from hybrid_ir.evaluation.ranking.topk import TopK, search
from hybrid_ir.evaluation.vectors.block import Block
from tests.processes import run_processes

Ranking = list[list[tuple[str, float]]]


def naive(queries: Tensor, ids: list[str], passages: Tensor, k: int) -> Ranking:
    scores = (queries.double() @ passages.double().T).tolist()
    lists = [sorted(zip(row, ids, strict=True), reverse=True)[:k] for row in scores]
    return [[(key, score) for score, key in ranked] for ranked in lists]


def listed(top: TopK) -> Ranking:
    found = [
        [(key.decode(), float(score)) for key, score in zip(*row, strict=True)]
        for row in zip(top.ids, top.scores, strict=True)
    ]
    return [[(key, score) for key, score in row if score > -np.inf] for row in found]


def cut(ids: list[str], passages: Tensor, size: int) -> list[Block]:
    starts = range(0, len(ids), size)
    return [Block.sort(ids[start : start + size], passages[start : start + size]) for start in starts]


@st.composite
def searches(draw: st.DrawFn) -> tuple[Tensor, list[str], Tensor]:
    """Integer vectors, whose scores are exact and often tie, under ids of many lengths and alphabets."""
    letters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    ids = draw(st.lists(st.text(letters, min_size=1, max_size=4), min_size=1, max_size=40, unique=True))
    random = draw(st.randoms(use_true_random=False))
    values = draw(st.sampled_from([(0,), (1,), (-1, 0, 1), tuple(range(-9, 10))]))
    sizes = draw(st.integers(1, 5)), len(ids)
    queries, passages = (torch.tensor([[random.choice(values) for _ in range(3)] for _ in range(n)]) for n in sizes)
    return queries.float(), ids, passages.float()


@settings(max_examples=150, deadline=None)
@given(
    case=searches(),
    k=st.integers(1, 50),
    block=st.integers(1, 45),
    tiles=st.tuples(st.integers(1, 6), st.integers(1, 9)),
    chunk=st.integers(1, 6),
    half=st.booleans(),
)
def test_the_best_are_those_of_a_full_sort(
    case: tuple[Tensor, list[str], Tensor], k: int, block: int, tiles: tuple[int, int], chunk: int, half: bool
) -> None:
    queries, ids, passages = case
    with mock.patch.object(topk, "TILE", tiles[0]), mock.patch.object(topk, "PASSAGE_TILE", tiles[1]):
        blocks = cut(ids, passages.half() if half else passages, block)
        assert listed(search(queries, blocks, k, query_chunk=chunk)) == naive(queries, ids, passages, k)


def near_ties(passages: int = 3000) -> tuple[Tensor, list[str], Tensor]:
    """Vectors whose scores differ by a few last bits, some of them repeated far apart."""
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(300, 48, generator=generator)
    vectors = torch.randn(1, 48, generator=generator) * (1 + 2e-7 * torch.randn(passages, 48, generator=generator))
    vectors[passages // 2 :: 7] = vectors[: len(vectors[passages // 2 :: 7])].clone()
    return queries, [f"{number * 7919 % 10007}" for number in range(passages)], vectors


@pytest.mark.parametrize(("block", "chunk"), [(1000, 1), (1024, 256), (77, 300), (5000, 257), (1025, 10_000)])
def test_the_best_do_not_depend_on_block_and_chunk(block: int, chunk: int) -> None:
    queries, ids, passages = near_ties()
    expected = search(queries, cut(ids, passages, 3000), 10)
    found = search(queries, cut(ids, passages, block), 10, query_chunk=chunk)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.scores, expected.scores)


@pytest.mark.parametrize("dimension", [48, 100, 384, 768])
def test_every_place_of_a_product_is_computed_alike(dimension: int) -> None:
    """What the promise of the same results for any block rests on: the place of a passage changes no bit."""
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(topk.TILE, dimension, generator=generator)
    passages = torch.randn(topk.PASSAGE_TILE, dimension, generator=generator)
    scores = queries @ passages.T
    for _ in range(3):
        places = torch.randperm(len(passages), generator=generator)
        assert torch.equal(queries @ passages[places].T, scores[:, places])


def test_equal_scores_at_the_cut_are_kept_by_id_within_and_between_blocks() -> None:
    ids = [f"{number:02d}" for number in (3, 11, 7, 20, 5, 19, 8, 1)]
    for size in range(1, 9):
        top = search(torch.ones(1, 2), cut(ids, torch.ones(8, 2), size), 3)
        assert top.ids.tolist() == [[b"20", b"19", b"11"]]


def test_more_are_wanted_than_there_are() -> None:
    top = search(torch.ones(2, 2), cut(["a", "b"], torch.tensor([[1.0, 0.0], [0.0, 2.0]]), 1), 4)
    assert top.ids.tolist() == [[b"b", b"a", b"", b""]] * 2
    assert top.scores.tolist() == [[2.0, 1.0, -np.inf, -np.inf]] * 2
    # An absent passage has no rank, and the empty places are nobody's.
    assert top.ranks(np.array([0, 1, 1]), np.array([b"a", b"b", b"missing"])).tolist() == [2, 1, 0]


def test_bad_scores_stay_below_the_cut_and_negative_ones_above_padding() -> None:
    top = search(torch.tensor([[-1.0]]), cut(["a", "b", "c"], torch.tensor([[1.0], [3.0], [2.0]]), 2), 5)
    assert listed(top) == [[("a", -1.0), ("c", -2.0), ("b", -3.0)]]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_vectors_that_are_not_finite_are_refused_by_name(value: float) -> None:
    passages = torch.ones(3, 2)
    passages[1, 0] = value
    with pytest.raises(ValueError, match="vector of passage 'p1' has NaN or infinity"):
        search(torch.ones(1, 2), cut(["p0", "p1", "p2"], passages, 3), 2)
    with pytest.raises(ValueError, match="vector of query number 1 has NaN"):
        search(passages, cut(["a"], torch.ones(1, 2), 1), 2)


@pytest.mark.parametrize(
    ("queries", "ids", "k", "message"),
    [
        (torch.ones(1, 1) * 1e19, ["b", "a"], 1, "may overflow float32"),
        (torch.ones(1, 1), ["a", "b"], 1, "must be distinct and descend"),
        (torch.ones(1, 1), ["a", "a"], 1, "must be distinct and descend"),
        (torch.ones(1, 1), ["b", "a"], 0, "must be at least 1, not 0 and 1024"),
    ],
)
def test_what_cannot_be_searched_is_refused(queries: Tensor, ids: list[str], k: int, message: str) -> None:
    block = Block(np.array([key.encode() for key in ids]), torch.ones(2, 1) * 1e20)
    with pytest.raises(ValueError, match=message):
        search(queries, [block], k)


@pytest.mark.parametrize(("ids", "message"), [(["a", "b", "a"], "'a' occurs twice"), (["a", ""], "id is empty")])
def test_ids_of_a_block_are_distinct_and_not_empty(ids: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Block.sort(ids, torch.ones(len(ids), 2))


def search_and_compare(rank: int, world_size: int, expected: TopK) -> None:
    queries, ids, passages = near_ties()
    blocks = cut(ids, passages, 500)
    uneven = blocks[:1] if rank == 0 else blocks[1:]  # also the widths of ids differ from rank to rank
    found = search(queries, uneven, 10)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.scores, expected.scores)


def test_two_processes_find_the_best_of_one(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the processes: the number of threads may change last bits
    try:
        queries, ids, passages = near_ties()
        run_processes(search_and_compare, 2, tmp_path, search(queries, cut(ids, passages, 3000), 10))
    finally:
        torch.set_num_threads(threads)
