"""The built-in corpus."""

from itertools import islice
from pathlib import Path
from unittest.mock import patch

from hybrid_ir.data.readers import cldr_facts as cldr
from hybrid_ir.sources.cldr import LANGUAGES, train_examples


def test_the_built_in_corpus_has_the_training_facts_and_is_rebuilt_only_for_another_babel(tmp_path: Path) -> None:
    worded = "hybrid_ir.sources.cldr.train_examples"
    expected = list(islice(train_examples(), 300))
    with patch(worded, return_value=iter(expected)):
        corpus = cldr.read("cldr", str(tmp_path))
    assert corpus.example_ids(range(len(corpus))) == [example.id for example in expected]
    assert corpus.languages == tuple(sorted(LANGUAGES)) and len(corpus.coverage().patterns) == 1
    texts = corpus.fetch([5], ["th"], ["ru"])
    assert texts.questions == [expected[5].question.text["th"]]
    assert texts.passages == [expected[5].passage.text["ru"]]
    with patch(worded, side_effect=AssertionError("the facts were worded again")):
        cldr.read("cldr", str(tmp_path))
    with (
        patch("hybrid_ir.data.readers.cldr_facts.version", return_value="0"),  # of Babel
        patch(worded, return_value=iter(expected[:3])),
    ):
        assert len(cldr.read("cldr", str(tmp_path))) == 3
