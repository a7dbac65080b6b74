"""Profile of a corpus: counts of examples, pairs, languages and text lengths, collected in one pass."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hybrid_ir.sampling.policy import CROSSLINGUAL, MONOLINGUAL
from hybrid_ir.sources.errors import first_line
from hybrid_ir.sources.hub.repository import hub_source
from hybrid_ir.sources.records import Example, ParallelText, text_fingerprint

CHARACTERS, TOKENS = "characters", "tokens"


@dataclass
class Lengths:
    """Number and lengths of the texts of one side and language, in the profile's unit."""

    count: int = 0
    total: int = 0
    longest: int = 0

    def add(self, length: int) -> None:
        self.count, self.total, self.longest = self.count + 1, self.total + length, max(self.longest, length)

    @property
    def facts(self) -> dict[str, float]:
        return {"texts": self.count, "mean": round(self.total / self.count, 1), "longest": self.longest}


@dataclass
class Profile:
    """Counts over the examples of a corpus. Memory grows by 8 bytes for each distinct text.

    Attributes:
        measure: function that returns the length of a text; by default, the number of characters.
        unit: unit of the lengths.
        examples: number of examples.
        pairs: number of possible batch rows (example, question language, passage language) by kind: with one language,
            or with two.
        negatives: number of hard negatives.
        repeated: by side, number of texts that an earlier example has on the same side in the same language. Several
            questions about one passage are normal; repeated questions are worth a look.
    """

    measure: Callable[[str], int] = len
    unit: str = CHARACTERS
    examples: int = 0
    pairs: Counter[str] = field(default_factory=lambda: Counter({MONOLINGUAL: 0, CROSSLINGUAL: 0}))
    negatives: int = 0
    repeated: Counter[str] = field(default_factory=lambda: Counter({"question": 0, "passage": 0}))
    _lengths: defaultdict[tuple[str, str], Lengths] = field(default_factory=lambda: defaultdict(Lengths))
    _seen: dict[str, set[int]] = field(default_factory=lambda: {"question": set(), "passage": set()})

    @property
    def languages(self) -> list[str]:
        return sorted({language for _, language in self._lengths})

    def add(self, example: Example) -> None:
        asked, answered = example.question.text.keys(), example.passage.text.keys()
        same = len(asked & answered)
        self.examples += 1
        self.pairs.update({MONOLINGUAL: same, CROSSLINGUAL: len(asked) * len(answered) - same})
        self.negatives += len(example.negatives)
        self._add("question", example.question)
        self._add("passage", example.passage)

    def facts(self) -> dict[str, Any]:
        """The profile as plain containers, for JSON."""
        sides = {language: {} for language in self.languages}  # type: dict[str, dict[str, Any]]
        for (side, language), lengths in sorted(self._lengths.items()):
            sides[language][side] = lengths.facts
        counts = {"pairs": dict(self.pairs), "negatives": self.negatives, "repeated": dict(self.repeated)}
        return {"examples": self.examples, **counts, "unit": self.unit, "languages": sides}

    def lines(self) -> list[str]:
        """The profile as lines of text, with a table of lengths."""
        facts = self.facts()
        pairs = " and ".join(f"{count:,} {kind}" for kind, count in self.pairs.items())
        head = f"{self.examples:,} examples in {len(self.languages)} languages, {self.negatives:,} hard negatives"
        repeated = ", ".join(f"{count:,} {side}s" for side, count in self.repeated.items())
        table = [_row("language", *(f"{side}s mean longest" for side in ("question", "passage")))]
        for language, sides in facts["languages"].items():
            table.append(_row(language, *(_cell(sides.get(side)) for side in ("question", "passage"))))
        return [
            head,
            f"pairs possible: {pairs}",
            f"texts of earlier examples: {repeated}",
            f"lengths in {self.unit}",
            *table,
        ]

    def _add(self, side: str, content: ParallelText) -> None:
        for language, text in content.text.items():
            self._lengths[side, language].add(self.measure(text))
            fingerprint = text_fingerprint(f"{language} {text}")
            self.repeated[side] += fingerprint in self._seen[side]
            self._seen[side].add(fingerprint)


def _row(language: str, *cells: str) -> str:
    return f"  {language:<10}" + "".join(f"{cell:>30}" for cell in cells)


def _cell(facts: dict[str, float] | None) -> str:
    return "-" if facts is None else f"{facts['texts']:,} {facts['mean']:,} {facts['longest']:,}"


def token_counter(name_or_path: str) -> Callable[[str], int]:
    """A measure of texts: the number of tokens of a model's tokenizer, without special tokens.

    Raises:
        ValueError: the tokenizer is neither local nor cached, and the hub cannot be reached.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name_or_path, trust_remote_code=False, **hub_source(name_or_path))
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot load a tokenizer from {name_or_path}: {first_line(error)}") from error
    return lambda text: len(_ids(tokenizer, text))


def _ids(tokenizer: Any, text: str) -> Sequence[int]:
    ids: Sequence[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return ids
