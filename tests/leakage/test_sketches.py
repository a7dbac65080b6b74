"""Normal forms, n-grams and signatures, against the plain definition and against `datasketch`."""

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hybrid_ir.leakage.evaluation_texts import EvaluationText, TextIndex
from hybrid_ir.leakage.sketches import BANDS, LEAST, ROWS, Sketches, normalise
from hybrid_ir.sources.cldr.entities import LANGUAGES
from tests.leakage.texts import queries, sentences

TEXTS = st.lists(st.text(st.sampled_from("aAbBß中文字かな한국 ١1.?é\u0301\u200bİﬁ") | st.characters(), max_size=12))


def plain_form(text: str) -> str:
    """The definition, character by character."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = [
        c
        for c in folded
        if (unicodedata.category(c)[0] in "LMN" and c != "\u0307") or unicodedata.category(c) in ("Sm", "Sc", "So")
    ]
    digits = "".join(str(unicodedata.decimal(c)) if unicodedata.category(c) == "Nd" else c for c in kept)
    return digits.replace("ı", "i")


def forms(texts: list[str]) -> list[str]:
    normal = normalise(texts)
    return ["".join(map(chr, normal.codes[begin:end])) for begin, end in pairwise(normal.bounds)]


@given(TEXTS)
def test_normal_forms(texts: list[str]) -> None:
    below = [text if all(ord(c) < 0x32400 for c in text) else "" for text in texts]
    assert forms(below) == [plain_form(text) for text in below]


def plain_grams(text: str) -> set[str]:
    def wide(character: str) -> bool:
        code = ord(character)
        return 0x2E80 <= code < 0xA4D0 or 0xAC00 <= code < 0xD7B0 or 0xF900 <= code < 0xFB00 or code >= 0x20000

    pairs = {one + other for one, other in pairwise(text) if wide(one) and wide(other)}
    triples = (text[position : position + 3] for position in range(len(text) - 2))
    return pairs | {triple for triple in triples if not (wide(triple[0]) and wide(triple[1]))}


@given(TEXTS)
def test_n_grams_by_the_plain_definition(texts: list[str]) -> None:
    sketches, plain = Sketches.of(texts), [plain_grams(form) for form in forms(texts)]
    assert sketches.sizes.tolist() == [len(grams) for grams in plain]
    sets = [set(sketches.grams[begin:end].tolist()) for begin, end in pairwise(sketches.bounds)]
    for one, plain_one in zip(sets, plain, strict=True):
        assert [len(one & other) for other in sets] == [len(plain_one & other) for other in plain]
    same = sketches.fingerprints[:, None] == sketches.fingerprints[None]
    assert same.tolist() == [[one == other for other in forms(texts)] for one in forms(texts)]
    assert [value == 0 for value in sketches.fingerprints] == [form == "" for form in forms(texts)]


def test_signatures_and_candidates_are_those_of_datasketch() -> None:
    texts = [text for language in LANGUAGES for text in sentences(language, 12, seed=3, words=4)]
    texts += [f"{text[:-3]}xy" for text in texts]
    sketches = Sketches.of(texts)
    index = TextIndex([EvaluationText("b", "en", str(number), text) for number, text in enumerate(texts[::2])])
    lsh = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    for number in range(len(texts)):
        assert np.array_equal(sketches.signatures[number], signature_of(sketches.select(np.array([number])).grams))
        if number % 2 == 0:
            lsh.insert(number, MinHash(BANDS * ROWS, hashvalues=sketches.signatures[number], scheme="affine32"))
    found, entries = index._candidates(sketches)
    ours = {(int(text), int(index.members[entry][0].key) * 2) for text, entry in zip(found, entries, strict=True)}
    theirs = {
        (number, other)
        for number, signature in enumerate(sketches.signatures)
        for other in lsh.query(MinHash(BANDS * ROWS, hashvalues=signature, scheme="affine32"))
    }
    assert ours == theirs and len(ours) >= len(texts)


def signature_of(grams: NDArray[np.uint32]) -> NDArray[np.uint32]:
    sketch = MinHash(BANDS * ROWS, seed=1, hashfunc=int, scheme="affine32")
    sketch.update_batch(grams.tolist())
    return sketch.hashvalues


def test_similarities_are_jaccard_indices() -> None:
    members = queries(count=5)
    texts = [member.text for member in members] + [f"{member.text} {member.text[:7]}x" for member in members]
    pairs = TextIndex(members).find(Sketches.of(texts))
    index = TextIndex(members)
    assert pairs.equal.sum() == len(members) and (~pairs.equal).sum() >= len(members)
    for text, entry, similarity, equal in zip(pairs.texts, pairs.entries, pairs.similarities, pairs.equal, strict=True):
        one, other = (plain_grams(form) for form in forms([texts[text], index.members[entry][0].text]))
        assert similarity == pytest.approx(len(one & other) / len(one | other))
        assert equal == (forms([texts[text]]) == forms([index.members[entry][0].text]))


def test_short_texts_are_compared_exactly_only() -> None:
    text = "abcdefgh"
    assert Sketches.of([text]).sizes[0] < LEAST
    index = TextIndex([EvaluationText("b", "en", "1", text)])
    assert TextIndex.find(index, Sketches.of(["abcdefg", "Abcdefgh!"])).texts.tolist() == [1]
    assert not len(TextIndex([EvaluationText("b", "en", "1", "?")]).find(Sketches.of(["!", "", "..."])).texts)
