"""A question is taken letter by letter, whatever Hydra's grammar or OmegaConf's would make of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hybrid_ir.commands.search import QUERY, quote_query
from tests.compose import compose_config


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))  # no argument holds these
def test_any_text_arrives_as_it_was_typed(text: str) -> None:
    word, other = quote_query([f"query={text}", "k=3"])
    assert (word, other) == (f"query=${{oc.env:{QUERY}}}", "k=3")
    assert OmegaConf.from_dotlist([word]).query == text


@pytest.mark.parametrize("text", ['What\'s this, then? [x] {y} (z) \\ "q" ${paths.data} = a:b #c', "null", "123", ""])
def test_hydra_takes_it_as_a_text(text: str) -> None:
    assert compose_config("search", ["index=x", *quote_query([f"query={text}"])], Path("x")).query == text


def test_other_arguments_stay() -> None:
    words = ["queries=a", "--help", "query", "k=3"]
    assert quote_query(words) == words
