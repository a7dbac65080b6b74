"""The held-out built-in facts as a benchmark, in all three settings."""

from collections.abc import Sequence

from hybrid_ir.retrieval.benchmark import Benchmark
from hybrid_ir.sources.cldr import LANGUAGES, heldout_examples


def load_cldr(name: str = "cldr", languages: Sequence[str] | None = None) -> Benchmark:
    """Questions and passages of the facts that `hybrid_ir.sources.cldr` holds out of training.

    Ids are `{language}:{fact}` (`de:currency/JP`) for queries and passages alike. A query's relevant passages are those
    of its fact, one a language; no two facts share a question or a passage in any language.

    Args:
        name: prefix of the metric names.
        languages: which of the eleven to keep, in the order that tables show; all of them by default.

    Returns:
        the benchmark. Fewer languages make another task, and its name says so (`cldr_de_en`).

    Raises:
        ValueError: a language that the facts are not in, or none.
    """
    chosen = LANGUAGES if languages is None else tuple(dict.fromkeys(languages))
    unknown = [language for language in chosen if language not in LANGUAGES]
    if unknown or not chosen:
        raise ValueError(f"benchmark {name} has no language {unknown or 'at all'}; choose from {', '.join(LANGUAGES)}")
    examples = tuple(heldout_examples())
    reduced = sorted(chosen) if len(chosen) < len(LANGUAGES) else []
    return Benchmark.build(
        name="_".join([name, *reduced]),
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
    )
