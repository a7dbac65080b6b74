"""A benchmark of questions and passages about the held-out built-in CLDR facts."""

from collections.abc import Sequence

from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS, Benchmark
from hybrid_ir.sources.cldr import LANGUAGES, heldout_examples
from hybrid_ir.sources.errors import choose_languages


def load_cldr(
    name: str = "cldr", languages: Sequence[str] | None = None, settings: Sequence[str] | None = None
) -> Benchmark:
    """The benchmark of the facts that `hybrid_ir.sources.cldr` holds out of training.

    Ids are `{language}:{fact}` (`de:currency/JP`) for both queries and passages. The relevant passages of a query are
    those of its fact, one in each language; no two facts share a question or a passage in any language.

    Args:
        name: prefix of the metric names.
        languages: some of the eleven languages, in the order of tables; by default all.
        settings: settings to evaluate in; None for all three. A single language has no `crosslingual` setting.

    Raises:
        ValueError: no language is given, or an unknown one; the name is `cldr`, but not all languages are given; a
            setting is unknown, or the languages do not have it.
    """
    chosen = choose_languages(f"benchmark {name}", languages, LANGUAGES)
    if name == "cldr" and len(chosen) < len(LANGUAGES):
        raise ValueError(
            f"cldr stands for all {len(LANGUAGES)} languages; give {', '.join(chosen)} a name of their own, such as "
            f"name=cldr_{'_'.join(chosen)}"
        )
    examples = tuple(heldout_examples())
    return Benchmark.build(
        name=name,
        queries={
            lang: {f"{lang}:{example.id}": example.question.text[lang] for example in examples} for lang in chosen
        },
        passages={
            lang: {f"{lang}:{example.id}": example.passage.text[lang] for example in examples} for lang in chosen
        },
        qrels={
            f"{lang}:{example.id}": {f"{other}:{example.id}" for other in chosen}
            for lang in chosen
            for example in examples
        },
        query_groups={f"{lang}:{example.id}": example.id for lang in chosen for example in examples},
        settings=settings or SETTINGS,
        templated=True,
    )
