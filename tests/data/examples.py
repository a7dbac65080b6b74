"""Random parallel examples, and corpora built from them, for the tests of this folder."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from hypothesis import strategies as st

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store import storage
from hybrid_ir.data.store.tables import PairTexts
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources.records import Example, ParallelText

LANGUAGES = ("de", "en", "id", "zh")  # `id`: a language code that could pass for a column name

_words = st.sampled_from(["a", "b", "c", "d ", " a", "é", "文", "line\nline", "x\ty", "\ufeffz", "😀"])
_texts = st.dictionaries(st.sampled_from(LANGUAGES), _words, min_size=1)


@st.composite
def examples(draw: st.DrawFn, min_size: int = 1, max_size: int = 12) -> list[Example]:
    """Partially parallel examples over few words, so that texts and whole contents recur."""
    size = draw(st.integers(min_size, max_size))
    return [
        Example(
            id=f"example {number}",
            question=ParallelText(f"question {number}", draw(_texts)),
            passage=ParallelText.of(draw(_texts)),
            negatives=[ParallelText.of(text) for text in draw(st.lists(_texts, max_size=4))],
        )
        for number in range(size)
    ]


@contextmanager
def corpus_of(records: Sequence[Example], batch_rows: int = 3) -> Iterator[ParallelCorpus]:
    """A corpus in a folder of its own, written in record batches so small that there are several."""
    with tempfile.TemporaryDirectory() as folder, patch.object(storage, "BATCH_ROWS", batch_rows):
        yield build_corpus("random", records, Path(folder), "build")


def read_all(corpus: ParallelCorpus) -> PairTexts:
    """English questions and German passages; here, so that a process that is spawned for it loads little."""
    return corpus.fetch(range(len(corpus)), ["en"] * len(corpus), ["de"] * len(corpus), negatives=1)


def example(key: str, question: dict[str, str], passage: dict[str, str], *negatives: dict[str, str]) -> Example:
    """An example whose texts are named by their content."""
    return Example(key, ParallelText.of(question), ParallelText.of(passage), [*map(ParallelText.of, negatives)])
