from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.encoder.forward.chunking import cut
from hybrid_ir.encoder.forward.packed import pack

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=9)


def cheapest(lengths: list[int], max_tokens: int, overhead: int) -> int:
    """Every way to cut the sorted texts, one by one."""
    ordered = sorted(lengths, reverse=True)
    best = [0]
    for end in range(1, len(ordered) + 1):
        options = []
        for start in range(end):
            texts, longest = end - start, ordered[start]
            if texts == 1 or texts * longest <= max_tokens:
                options.append(best[start] + texts * longest + overhead)
        best.append(min(options))
    return best[-1]


@given(LENGTHS, st.integers(1, 40), st.integers(0, 10))
@settings(max_examples=300)
def test_the_cut_is_the_cheapest_there_is(lengths: list[int], max_tokens: int, overhead: int) -> None:
    chunks = cut(lengths, max_tokens, overhead)
    cost = sum(len(rows) * lengths[rows[0]] + overhead for rows in chunks)
    assert cost == cheapest(lengths, max_tokens, overhead)


@given(LENGTHS, st.integers(1, 40), st.integers(0, 10))
def test_every_text_has_one_place_and_forwards_keep_their_bound(lengths: list[int], max_tokens: int, cost: int) -> None:
    for chunks, size in ((cut(lengths, max_tokens, cost), max), (pack(lengths, max_tokens), None)):
        assert sorted(row for rows in chunks for row in rows) == list(range(len(lengths)))
        for rows in chunks:
            widths = [lengths[row] for row in rows]
            assert widths == sorted(widths, reverse=True)
            assert len(rows) == 1 or (len(rows) * max(widths) if size else sum(widths)) <= max_tokens


def test_no_texts_need_no_forward() -> None:
    assert cut([], 10, 1) == [] and pack([], 10) == []
