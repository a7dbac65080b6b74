"""Held-out CLDR facts as a benchmark: its shape, its qrels, and what can be found by spelling alone."""

from itertools import product
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS, Benchmark, TextSet
from hybrid_ir.evaluation.benchmarks.cldr_questions import load_cldr
from hybrid_ir.sources.cldr import LANGUAGES, heldout_examples


@pytest.fixture(scope="module")
def benchmark_() -> Benchmark:
    return load_cldr()


def test_every_heldout_fact_is_asked_and_told_in_every_language(benchmark_: Benchmark) -> None:
    examples = list(heldout_examples())
    ids = {f"{language}:{example.id}" for example in examples for language in LANGUAGES}
    assert benchmark_.name == "cldr"
    assert benchmark_.languages == LANGUAGES
    assert benchmark_.settings == SETTINGS
    assert set(benchmark_.queries.ids) == set(benchmark_.passages.ids) == ids
    assert len(ids) == 11 * len(examples) > 11 * 400
    asked = dict(zip(benchmark_.queries.ids, benchmark_.queries.texts, strict=True))
    told = dict(zip(benchmark_.passages.ids, benchmark_.passages.texts, strict=True))
    for example in examples[::20]:
        assert asked[f"th:{example.id}"] == example.question.text["th"]
        assert told[f"th:{example.id}"] == example.passage.text["th"]
    for query, name in enumerate(benchmark_.queries.ids):
        relevant = benchmark_.relevant[benchmark_.offsets[query] : benchmark_.offsets[query + 1]]
        fact = name.split(":", 1)[1]
        assert {benchmark_.passages.ids[passage] for passage in relevant} == {f"{lang}:{fact}" for lang in LANGUAGES}
    keys = list(zip(benchmark_.passages.languages, benchmark_.passages.texts, strict=True))
    assert len(set(keys)) == len(keys), "a copy of a relevant passage would count as wrong"


def test_fewer_languages_need_a_name_of_their_own() -> None:
    chosen = load_cldr("some", languages=["en", "de", "en"])
    assert chosen.languages == ("en", "de")
    assert {name[:3] for name in chosen.queries.ids + chosen.passages.ids} == {"en:", "de:"}
    assert set(np.diff(chosen.offsets)) == {2}
    alone = load_cldr("cldr_en", ["en"], settings=["monolingual", "multilingual"])
    assert alone.settings == ("monolingual", "multilingual") and set(np.diff(alone.offsets)) == {1}
    turned = load_cldr(languages=LANGUAGES[::-1])
    assert turned.name == "cldr" and turned.languages == LANGUAGES[::-1]


@pytest.mark.parametrize(
    ("name", "languages", "message"),
    [
        ("cldr", ["en", "de"], "such as name=cldr_en_de"),
        ("cldr_en", ["en"], r"benchmark cldr_en has no crosslingual setting: .* Leave 'crosslingual' out"),
        ("cldr", ["de", "fi"], r"benchmark cldr has no fi; it has ar, de, .*zh"),
        ("cldr", [], "benchmark cldr needs at least one language, got none; it has ar"),
    ],
)
def test_other_languages_are_refused(name: str, languages: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_cldr(name, languages=languages)


def test_spelling_finds_the_passage_often_but_never_across_scripts(benchmark_: Benchmark) -> None:
    languages = ("ar", "en", "ru", "th", "zh")
    asked = {language: _trigrams(benchmark_.queries, language) for language in languages}
    told = {language: _trigrams(benchmark_.passages, language) for language in languages}
    chance = float(np.mean(1 / np.arange(1, len(asked["en"]) + 1)))
    for language, other in product(languages, repeat=2):
        scores = asked[language] @ told[other].T
        rank = (scores >= np.diag(scores)[:, None]).sum(1)  # ties count against
        found = float((1 / rank).mean())
        assert 0.3 < found < 0.9 if language == other else found < 2 * chance


def _trigrams(texts: TextSet, language: str) -> NDArray[np.float32]:
    """Hashed bags of character trigrams: unit rows (facts, 2**11), facts in the order of their ids."""
    rows = sorted((name, text) for name, text in zip(texts.ids, texts.texts, strict=True) if name.startswith(language))
    bags = np.zeros((len(rows), 2**11), dtype=np.float32)
    for row, (_, text) in enumerate(rows):
        padded = f" {text.casefold()} "
        bags[row, [crc32(padded[i : i + 3].encode()) % 2**11 for i in range(len(padded) - 2)]] = 1
    return bags / np.linalg.norm(bags, axis=1, keepdims=True)
