"""The numbers that Elmahdy, Lin and Ahmad (arXiv:2408.10536) published, by language, to be shown next to ours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import fmean

BACKBONES = {"xlmr": "XLM-R", "labse": "LaBSE"}
SAMPLERS = {"mono": "X-X-mono", "cross": "X-Y", "hybrid": "hybrid"}


@dataclass(frozen=True)
class PublishedSystem:
    """A backbone trained with a sampler, on one benchmark.

    Attributes:
        backbone: as our `model` group calls it.
        sampler: as our `sampler` group calls it; `hybrid` is with alpha 0.5.
        values: macro metric, as we name it -> query language -> value.
    """

    backbone: str
    sampler: str
    values: Mapping[str, Mapping[str, float]]

    @property
    def label(self) -> str:
        return f"paper: {BACKBONES[self.backbone]} · {SAMPLERS[self.sampler]}"

    def macro(self, metric: str) -> float | None:
        """The mean over query languages, as the paper averages; None where the paper has no such value."""
        return fmean(self.values[metric].values()) if metric in self.values else None


@cache
def published(benchmark: str) -> tuple[PublishedSystem, ...]:
    """What the paper reports on a benchmark; nothing on benchmarks that it does not use."""
    content = json.loads((files(__package__) / "paper.json").read_text(encoding="utf-8"))
    systems: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for row in content["rows"]:
        if row["benchmark"] == benchmark:
            values = systems.setdefault((row["backbone"], row["sampler"]), {})
            by_language = zip(content["languages"][benchmark], row["values"], strict=True)
            values[f"{benchmark}/{row['metric']}"] = dict(by_language)
    return tuple(PublishedSystem(*names, values) for names, values in systems.items())


def published_languages(benchmark: str) -> tuple[str, ...]:
    """The languages that the paper reports of a benchmark."""
    return tuple(next(iter(published(benchmark)[0].values.values()))) if published(benchmark) else ()
