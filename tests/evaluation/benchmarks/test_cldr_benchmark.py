"""Held-out CLDR facts as a benchmark: its shape, its qrels, and what can be found by spelling alone."""

import pytest

from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS, Benchmark
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
