"""The published results of Elmahdy, Lin and Ahmad (arXiv:2408.10536) by language, for comparison with ours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import fmean

BACKBONES = {"xlmr": "XLM-R", "labse": "LaBSE"}
LANGUAGES = ("ar", "de", "en", "es", "hi", "ru", "th", "tr", "zh")  # of its training data
SAMPLERS = {"mono": "X-X-mono", "cross": "X-Y", "hybrid": "hybrid"}


@dataclass(frozen=True)
class PublishedSystem:
    """The published results of a backbone trained with a sampler, on one benchmark.

    Attributes:
        backbone: its name in our `model` group.
        sampler: its name in our `sampler` group; `hybrid` has alpha 0.5.
        values: macro metric, by our name -> query language -> value.
    """

    backbone: str
    sampler: str
    values: Mapping[str, Mapping[str, float]]

    @property
    def label(self) -> str:
        return f"paper: {BACKBONES[self.backbone]} · {SAMPLERS[self.sampler]}"

    def macro(self, metric: str) -> float | None:
        """The mean over query languages, as in the paper; None if the paper has no such value."""
        return fmean(self.values[metric].values()) if metric in self.values else None


@cache
def published(benchmark: str) -> tuple[PublishedSystem, ...]:
    """The paper's systems on a benchmark; none for a benchmark that it does not use."""
    content = json.loads((files(__package__) / "paper.json").read_text(encoding="utf-8"))
    systems: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for row in content["rows"]:
        if row["benchmark"] == benchmark:
            values = systems.setdefault((row["backbone"], row["sampler"]), {})
            by_language = zip(content["languages"][benchmark], row["values"], strict=True)
            values[f"{benchmark}/{row['metric']}"] = dict(by_language)
    return tuple(PublishedSystem(*names, values) for names, values in systems.items())


def published_languages(benchmark: str) -> tuple[str, ...]:
    """The languages of a benchmark that the paper reports."""
    return tuple(next(iter(published(benchmark)[0].values.values()))) if published(benchmark) else ()


def published_unseen(benchmark: str) -> tuple[str, ...]:
    """The languages of a benchmark that the paper reports and did not train on."""
    return tuple(language for language in published_languages(benchmark) if language not in LANGUAGES)
