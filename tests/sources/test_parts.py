"""Parts of a set of files: nothing that belongs together is torn apart, and nothing is lost."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_ir.sources.formats.parts import take_part
from hybrid_ir.sources.formats.squad_file import Answer, Paragraph, Question, SquadFile

LANGUAGES = ("de", "en", "tr")


def file(language: str, articles: list[list[str]]) -> SquadFile:
    """A paragraph for each article, with the questions that are named."""
    paragraphs = tuple(Paragraph(number, 0, f"{language} {number}") for number in range(len(articles)))
    questions = tuple(
        Question(name, f"{name}?", number, (Answer(0, language),), None)
        for number, names in enumerate(articles)
        for name in names
    )
    return SquadFile(Path(f"{language}.json"), paragraphs, questions)


@st.composite
def sets_of_files(draw: st.DrawFn) -> dict[str, SquadFile]:
    """The same thirty questions in three languages, shared out over articles in another way in each."""
    files = {}
    for language in LANGUAGES:
        articles: list[list[str]] = [[] for _ in range(25)]
        for number in range(30):
            articles[draw(st.integers(0, 24))].append(f"q{number}")
        files[language] = file(language, articles)
    return files


def contents(file: SquadFile) -> set[tuple[str, str, str]]:
    """Id, text and context of every question."""
    return {(item.id, item.text, file.paragraphs[item.paragraph].context) for item in file.questions}


@settings(max_examples=30, deadline=None)
@given(files=sets_of_files(), share=st.floats(0.1, 0.9))
def test_parts_make_the_whole_and_share_nothing(files: dict[str, SquadFile], share: float) -> None:
    try:
        train, held_out = (take_part(files, part, share) for part in ("train", "held_out"))
    except ValueError:  # everything is linked, so one part is empty
        return
    for language, whole in files.items():
        assert {*train[language].paragraphs, *held_out[language].paragraphs} == {*whole.paragraphs}
        assert contents(train[language]) | contents(held_out[language]) == contents(whole)
        assert not {*train[language].paragraphs} & {*held_out[language].paragraphs}
    names = [{item.id for file in part.values() for item in file.questions} for part in (train, held_out)]
    assert not names[0] & names[1]


def test_a_larger_share_holds_out_the_same_and_more_whatever_the_order_of_languages() -> None:
    files = {language: file(language, [[f"q{number}"] for number in range(200)]) for language in LANGUAGES}
    backwards = dict(reversed(files.items()))
    held_out = [{item.id for item in take_part(files, "held_out", share)["de"].questions} for share in (0.2, 0.5)]
    assert held_out[0] < held_out[1]
    assert [len(part) for part in held_out] == [39, 104]  # a change draws other articles for everybody
    assert {item.id for item in take_part(backwards, "held_out", 0.2)["tr"].questions} == held_out[0]


@pytest.mark.parametrize(
    ("part", "share", "message"),
    [
        ("dev", 0.2, "`part` must be 'all' or 'train' or 'held_out', got 'dev'"),
        ("train", 1.0, "`held_out`, the share of articles held out, must be between 0 and 1, got 1.0"),
        ("held_out", 0.0001, r"de\.json: no question is left in part=held_out with held_out=0.0001"),
    ],
)
def test_wrong_choices(part: str, share: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        take_part({"de": file("de", [["a"], ["b"]])}, part, share)  # type: ignore[arg-type]
