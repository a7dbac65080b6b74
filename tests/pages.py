"""The pages of the documentation, and the blocks of code in them."""

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted((REPOSITORY / "benchmarks").glob("*.md")),
]
RUN, RUN_BY, NOT_RUN = "run", "run by", "not run"
_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        page: where it stands.
        line: of its first line of code.
        language: after the fence; empty where there is none.
        text: the code.
        mark: `run`, `run by`, `not run` or what else the comment above it says; None without one.
        detail: what the comment says after the mark.
    """

    page: Path
    line: int
    language: str
    text: str
    mark: str | None
    detail: str

    @property
    def commands(self) -> list[str]:
        """Lines of a shell, continued ones joined, comments and blank lines left out."""
        joined = re.sub(r"\s*\\\n\s*", " ", self.text)
        lines = (re.split(r"(?:^|\s)#", line)[0].strip() for line in joined.splitlines())
        return [line for line in lines if line]


def blocks(page: Path, *languages: str) -> list[Block]:
    """The blocks of a page in these languages, in their order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        mark, _, detail = (match["mark"] or "").partition(":")
        line = text.count("\n", 0, match.start("text")) + 1
        found.append(Block(page, line, match["language"], match["text"], mark.strip() or None, detail.strip()))
    return [block for block in found if block.language in languages]
