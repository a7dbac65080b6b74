"""A question is taken letter by letter, whatever Hydra's grammar or OmegaConf's would make of it."""

import sys
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybrid_ir.launch.literal import literal, take_literally
from tests.compose import compose_config


@settings(max_examples=30, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@example('What\'s this, then? [x] {y} (z) \\ "q" ${paths.data} = a:b #c')
@example("null")
@example("123")
@example("")
def test_any_text_arrives_as_it_was_typed(text: str) -> None:
    with mock.patch.object(sys, "argv", ["search", f"query={text}", "k=3"]):
        take_literally(("query",))
        assert compose_config("search", ["index=x", *sys.argv[1:]], Path("x")).query == text


def test_other_arguments_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["search", "queries=a", "--help", "query", "k=3"])
    take_literally(("query",))
    assert sys.argv == ["search", "queries=a", "--help", "query", "k=3"]
    assert literal("query=12") == "query=${literal:x3132}"
