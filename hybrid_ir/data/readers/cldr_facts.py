"""The built-in corpus: facts from Unicode CLDR in eleven languages."""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources import cldr
from hybrid_ir.sources.records import Example


def read(name: str, cache_dir: str) -> ParallelCorpus:
    """The training facts; the held-out ones are a benchmark (`hybrid_ir.sources.cldr`).

    Args:
        name: of the corpus.
        cache_dir: where the corpus is kept in Arrow form. It is built anew where Babel, or the code and templates that
            word the facts, have changed.
    """
    package = Path(cldr.__file__).parent
    sources = {str(file.relative_to(package)): file for file in package.rglob("*.*") if file.suffix in (".py", ".toml")}
    mark = fingerprint("cldr", {"babel": version("babel")}, sources)
    return build_corpus(name, _examples(), cache_dir, mark)


def _examples() -> Iterator[Example]:
    yield from cldr.train_examples()  # a generator: facts are worded only where a build is needed
