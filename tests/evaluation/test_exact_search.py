"""Exact search: the best of a full sort, ties at the cut included, for every block, chunk and number of processes."""

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hybrid_ir.evaluation.ranking import exact_search
from hybrid_ir.evaluation.ranking.best_lists import BestPassages
from hybrid_ir.evaluation.ranking.exact_search import FEW, quick_search, search, shortlist
from hybrid_ir.evaluation.vectors.passage_block import PassageBlock

Ranking = list[list[tuple[str, float]]]


def naive(queries: Tensor, ids: list[str], passages: Tensor, k: int) -> Ranking:
    scores = (queries.double() @ passages.double().T).tolist()
    lists = [sorted(zip(row, ids, strict=True), reverse=True)[:k] for row in scores]
    return [[(key, score) for score, key in ranked] for ranked in lists]


def listed(top: BestPassages) -> Ranking:
    found = [
        [(key.decode(), float(score)) for key, score in zip(*row, strict=True)]
        for row in zip(top.passages, top.scores, strict=True)
    ]
    return [[(key, score) for key, score in row if score > -np.inf] for row in found]


def cut(ids: list[str], passages: Tensor, size: int) -> list[PassageBlock]:
    starts = range(0, len(ids), size)
    return [PassageBlock.sort(ids[start : start + size], passages[start : start + size]) for start in starts]


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


@settings(max_examples=80, deadline=None)
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
    with mock.patch.object(exact_search, "TILE", tiles[0]), mock.patch.object(exact_search, "PASSAGE_TILE", tiles[1]):
        blocks = cut(ids, passages.half() if half else passages, block)
        assert listed(search(queries, blocks, k, query_chunk=chunk)) == naive(queries, ids, passages, k)


def last_bits(passages: int = 3000) -> tuple[Tensor, list[str], Tensor]:
    """Vectors whose scores differ by a few last bits, some of them repeated far apart."""
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(300, 48, generator=generator)
    vectors = torch.randn(1, 48, generator=generator) * (1 + 2e-7 * torch.randn(passages, 48, generator=generator))
    vectors[passages // 2 :: 7] = vectors[: len(vectors[passages // 2 :: 7])].clone()
    return queries, [f"{number * 7919 % 10007}" for number in range(passages)], vectors


def test_the_best_do_not_depend_on_block_and_chunk() -> None:
    queries, ids, passages = last_bits()
    expected = search(queries, cut(ids, passages, 3000), 10)
    for block, chunk in ((1000, 1), (1024, 256), (77, 300), (5000, 257), (1025, 10_000)):
        same(search(queries, cut(ids, passages, block), 10, query_chunk=chunk), expected)


@pytest.mark.parametrize(
    ("query", "passage", "ids", "k", "message"),
    [
        (1e19, 1e20, ["b", "a"], 1, "may overflow float32"),
        (1.0, 1.0, ["a", "b"], 1, "must be distinct and descend"),
        (1.0, 1.0, ["a", "a"], 1, "must be distinct and descend"),
        (1.0, 1.0, ["b", "a"], 0, "must be at least 1, got 0 and 1024"),
        (torch.nan, 1.0, ["b", "a"], 1, "vector of query number 1 has NaN"),
        *((1.0, value, ["b", "a"], 1, "of passage 'a' has NaN or inf") for value in (torch.nan, torch.inf, -torch.inf)),
    ],
)
def test_what_cannot_be_searched_is_refused(query: float, passage: float, ids: list[str], k: int, message: str) -> None:
    block = PassageBlock(np.array([key.encode() for key in ids]), torch.tensor([[1.0], [passage]]))
    with pytest.raises(ValueError, match=message):
        search(torch.tensor([[1.0], [query]]), [block], k)


def near_ties(passages: int, queries: int, width: int = 64, half: bool = False, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Unit vectors of which many are equal, and many differ by rounding alone."""
    draw = torch.Generator().manual_seed(seed)
    few = torch.randn(max(1, passages // 4), width, generator=draw)
    vectors = few[torch.randint(len(few), (passages,), generator=draw)]
    vectors[::3] += 1e-7 * torch.randn(vectors[::3].shape, generator=draw)
    vectors = torch.nn.functional.normalize(vectors, dim=1)
    asked = torch.nn.functional.normalize(torch.randn(queries, width, generator=draw), dim=1)
    return asked, vectors.half() if half else vectors


def blocks_of(vectors: Tensor, size: int) -> list[PassageBlock]:
    return cut([f"{number * 7919 % 100_003}" for number in range(len(vectors))], vectors, size)


def same(found: BestPassages, expected: BestPassages) -> None:
    np.testing.assert_array_equal(found.passages, expected.passages)
    np.testing.assert_array_equal(found.scores, expected.scores)


@settings(max_examples=40, deadline=None)
@given(
    passages=st.integers(1, 600), queries=st.integers(1, 6), k=st.integers(1, 40), size=st.integers(1, 400),
    half=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_the_best_are_those_of_a_search_of_everything(
    passages: int, queries: int, k: int, size: int, half: bool, seed: int
) -> None:
    asked, vectors = near_ties(passages, queries, half=half, seed=seed)
    blocks = blocks_of(vectors, size)
    longest = float(vectors.double().norm(dim=1).max())
    same(quick_search(asked, blocks, k, longest), search(asked, blocks, k))


def test_cheap_scores_that_err_as_far_as_rounding_allows_cost_nothing() -> None:
    """The margin is that of the proof: errors of its size, put into the cheap scores, change no list."""
    asked, vectors = near_ties(2000, 3)
    blocks, products = blocks_of(vectors, 500), exact_search._cheap_products
    unit = 64 * 2.0**-24
    draw = torch.Generator().manual_seed(1)

    def erring(queries: Tensor, rows: Tensor):  # type: ignore[no-untyped-def]
        for scores in products(queries, rows):
            yield scores + 0.99 * 2 * unit / (1 - unit) * (2 * torch.rand(scores.shape, generator=draw) - 1).sign()

    with mock.patch.object(exact_search, "_cheap_products", erring):
        found = [quick_search(asked, blocks, k, 1.0) for k in range(1, 20)]  # some cut falls among near ties
    for k, top in enumerate(found, start=1):
        same(top, search(asked, blocks, k))


def test_the_shortlist_is_short_and_given_up_where_all_scores_are_equal() -> None:
    draw = torch.Generator().manual_seed(3)
    vectors = torch.nn.functional.normalize(torch.randn(20_000, 32, generator=draw), dim=1)
    few = shortlist(vectors[:1], blocks_of(vectors, 3000), 10, 1.0)
    assert few is not None and 10 <= len(few.ids) < 40
    blocks, asked = blocks_of(torch.ones(900, 4), 200), torch.ones(2, 4)
    with mock.patch.object(exact_search, "MOST", 500):
        assert shortlist(asked, blocks, 5, 2.0) is None
        same(quick_search(asked, blocks, 5, 2.0), search(asked, blocks, 5))
    assert shortlist(asked, blocks, 5, 2.0) is not None


def test_many_queries_and_no_blocks_are_left_to_search() -> None:
    asked, vectors = near_ties(300, FEW + 1)
    with mock.patch.object(exact_search, "shortlist", side_effect=AssertionError):
        same(quick_search(asked, blocks_of(vectors, 90), 5, 1.0), search(asked, blocks_of(vectors, 90), 5))
        assert not quick_search(asked[:1], [], 5, 1.0).passages.astype(bool).any()
