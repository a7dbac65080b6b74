"""Small made-up data in the layouts that the project reads: a parallel corpus and an XQuAD-R folder."""

import json
from pathlib import Path

WORDS = {
    "de": ("Stadt", "Fluss", "Berg", "liegt bei", "Wo liegt"),
    "en": ("city", "river", "mountain", "lies near", "Where is"),
    "es": ("ciudad", "río", "monte", "está cerca de", "¿Dónde está"),
}


def statement(language: str, number: int) -> str:
    kind, _, _, verb, _ = WORDS[language]
    return f"{kind} {number} {verb} {WORDS[language][1]} {number * 7 % 100}."


def question(language: str, number: int) -> str:
    return f"{WORDS[language][4]} {WORDS[language][0]} {number}?"


def write_corpus(path: Path, size: int = 48) -> Path:
    """Parallel JSONL in three languages; example 0 shares its passage with example 1."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(size):
            passage = max(number, 1)
            example = {
                "id": f"fact-{number}",
                "question": {language: question(language, number) for language in WORDS},
                "passage": {language: statement(language, passage) for language in WORDS},
                "negatives": [{language: statement(language, 500 + number) for language in WORDS}],
            }
            file.write(json.dumps(example, ensure_ascii=False) + "\n")
    return path


def write_squadshifts(root: Path, sets: dict[str, int]) -> Path:
    """A data folder with sets of SQuADShifts, of 20 paragraphs each, numbered from the given numbers."""
    for name, first in sets.items():
        folder = write_lareqa(root / "squadshifts", ("en",), 20, first)
        (folder / "en.json").rename(folder / f"{name}_v1.0.json")
    return root


def write_lareqa(
    folder: Path, languages: tuple[str, ...] = ("de", "en"), paragraphs: int = 5, first: int = 100
) -> Path:
    """An XQuAD-R folder: each paragraph has two sentences, and a question that the second one answers."""
    folder.mkdir(parents=True, exist_ok=True)
    for language in languages:
        entries = []
        for number in range(first, first + paragraphs):
            sentences = [statement(language, number + 300), statement(language, number)]
            context = " ".join(sentences)
            start = len(sentences[0]) + 1
            entries.append(
                {
                    "context": context,
                    "sentences": sentences,
                    "sentence_breaks": [[0, len(sentences[0])], [start, len(context)]],
                    "qas": [
                        {
                            "id": f"q{number}",
                            "question": question(language, number),
                            "answers": [{"text": " ".join(sentences[1].split()[:2]), "answer_start": start}],
                        }
                    ],
                }
            )
        content = {"version": "1", "data": [{"title": "made up", "paragraphs": entries}]}
        (folder / f"{language}.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return folder
