"""The held-out built-in facts as a benchmark."""

from collections.abc import Sequence

from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS, Benchmark
from hybrid_ir.sources.cldr import LANGUAGES, heldout_examples
from hybrid_ir.sources.errors import choose_languages


def load_cldr(
    name: str = "cldr", languages: Sequence[str] | None = None, settings: Sequence[str] | None = None
) -> Benchmark:
    """Questions and passages of the facts that `hybrid_ir.sources.cldr` holds out of training.

    Ids are `{language}:{fact}` (`de:currency/JP`) for queries and passages alike. A query's relevant passages are those
    of its fact, one a language; no two facts share a question or a passage in any language.

    Args:
        name: prefix of the metric names.
        languages: which of the eleven to keep, in the order that tables show; all of them by default.
        settings: settings to judge, None for all three; one language alone has no `crosslingual` one.

    Raises:
        ValueError: a language that the facts are not in, or none; fewer languages under the name `cldr`, which stands
            for all of them; a setting that is unknown, or that the languages do not have.
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
