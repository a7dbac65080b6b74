"""Reader of the built-in corpus: facts of Unicode CLDR in eleven languages."""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.store.storage import fingerprint
from hybrid_ir.data.writer import build_corpus
from hybrid_ir.sources import cldr
from hybrid_ir.sources.records import Example


def read(name: str, cache_dir: str) -> ParallelCorpus:
    """Build or open the training facts. The held-out facts are a benchmark (see `hybrid_ir.sources.cldr`).

    Args:
        name: name of the corpus.
        cache_dir: folder for the built corpus. It is rebuilt if Babel, or the code and templates that word the facts,
            change.
    """
    package = Path(cldr.__file__).parent
    sources = {str(file.relative_to(package)): file for file in package.rglob("*.*") if file.suffix in (".py", ".toml")}
    build = fingerprint("cldr", {"babel": version("babel")}, sources)
    return build_corpus(name, _examples(), cache_dir, build)


def _examples() -> Iterator[Example]:
    yield from cldr.train_examples()  # a generator, so that facts are worded only if a build is needed
