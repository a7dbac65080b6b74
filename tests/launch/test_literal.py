"""A question is taken letter by letter, whatever Hydra's grammar or OmegaConf's would make of it."""

from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybrid_ir.commands.search import QUERY, quote_query
from tests.compose import compose_config


@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))  # no argument holds these
@example('What\'s this, then? [x] {y} (z) \\ "q" ${paths.data} = a:b #c')
@example("null")
@example("123")
@example("")
def test_any_text_arrives_as_it_was_typed(text: str) -> None:
    words = quote_query([f"query={text}", "k=3"])
    assert compose_config("search", ["index=x", *words], Path("x")).query == text


def test_other_arguments_stay() -> None:
    words = ["queries=a", "--help", "query", "k=3"]
    assert quote_query(words) == words
    assert quote_query(["query=12"]) == [f"query=${{oc.env:{QUERY}}}"]
