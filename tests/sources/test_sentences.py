"""Sentence spans: a partition of any text, and close to the sentences that LAReQA's annotators used."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_ir.sources.formats.sentences import THAI_LENGTH, sentence_spans, sentence_with
from hybrid_ir.sources.formats.squad_file import read_squad

_characters = st.one_of(
    st.characters(exclude_categories=["Cs"]), st.sampled_from(" .!?…\n\r\t\"'()1aA。।؟กข\u0e31\u200b\ufeff")
)


@given(
    text=st.text(_characters, max_size=80), language=st.sampled_from(["ar", "de", "el", "en", "hi", "th", "zh", "xx"])
)
def test_spans_divide_any_text(text: str, language: str) -> None:
    spans = sentence_spans(text, language)
    assert spans[0][0] == 0 and spans[-1][1] == len(text)
    assert all(one[1] == other[0] for one, other in pairwise(spans))
    assert not text.strip() or all(text[start:end].strip() for start, end in spans)


@given(text=st.text(_characters, min_size=1, max_size=80), data=st.data())
def test_the_sentence_found_for_an_offset_is_the_span_around_it(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text) - 1))
    (around,) = [text[start:end] for start, end in sentence_spans(text, "en") if start <= offset < end]
    assert sentence_with(text, offset, "en") == around.strip()


def test_sentences_of_several_scripts() -> None:
    def split(text: str, language: str) -> list[str]:
        return [text[start:end].strip() for start, end in sentence_spans(text, language)]

    assert split("Dr. Smith paid 3.5 dollars. He left!", "en") == ["Dr. Smith paid 3.5 dollars.", "He left!"]
    assert split("下雨了。太阳不见了。", "zh") == ["下雨了。", "太阳不见了。"]
    assert split("बारिश हो रही है। सूरज नहीं है।", "hi") == ["बारिश हो रही है।", "सूरज नहीं है।"]
    assert split("هل تمطر؟ نعم.", "ar") == ["هل تمطر؟", "نعم."]


def test_thai_is_cut_at_spaces_into_pieces_of_sentence_length() -> None:
    clause = "ก" * 60
    text = " ".join([clause] * 5)
    assert [end - start for start, end in sentence_spans(text, "th")] == [122, 122, 60]
    beside_a_number = "ก" * THAI_LENGTH + " 12 " + "ก" * THAI_LENGTH
    assert sentence_spans(beside_a_number, "th") == ((0, len(beside_a_number)),)


@pytest.mark.parametrize("language", ["ar", "en", "zh"])
def test_answer_sentences_agree_with_those_marked_in_xquad_r(shared_data: Path, language: str) -> None:
    file = read_squad(shared_data / "xquad_r" / f"{language}.json")
    agree = 0
    for question in file.questions:
        paragraph = file.paragraphs[question.paragraph]
        assert paragraph.sentence_breaks is not None and question.sentence is not None
        marked = paragraph.context[slice(*paragraph.sentence_breaks[question.sentence])]
        agree += marked.strip() == sentence_with(paragraph.context, question.answers[0].start, language)
    assert agree / len(file.questions) > 0.8
