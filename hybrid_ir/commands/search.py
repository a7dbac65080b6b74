"""Search an index built with `python -m hybrid_ir index`.

  python -m hybrid_ir search index=DIR query="Where is Ulm?" k=10         in all languages
  python -m hybrid_ir search index=DIR query="Where is Ulm?" language=de  in one, or [de,en]
  python -m hybrid_ir search index=DIR queries=FILE language=own          each in its own
  python -m hybrid_ir search index=DIR queries=FILE format=trec out=FILE  a run for evaluate.py

On several GPUs:

  torchrun --nproc_per_node 8 -m hybrid_ir search index=DIR queries=FILE format=trec out=FILE
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import hydra
import torch
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.config.programs import PathsConfig
from hybrid_ir.config.rules.common_rules import check_values
from hybrid_ir.distributed import join_processes, rank_and_world
from hybrid_ir.launch.cli import entry_point
from hybrid_ir.search.balance import BALANCES
from hybrid_ir.search.index.index_folder import BACKENDS, Index
from hybrid_ir.search.index.reference import Reference
from hybrid_ir.search.queries import OWN, SINGLE, Query, pools, read_queries
from hybrid_ir.search.rendering import FORMS, Found, check_trec
from hybrid_ir.search.searcher import Hit, Searcher
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.errors import text_fault
from hybrid_ir.sources.untrusted import printable_lines

QUERY = "HYBRID_IR_QUERY"


@dataclass
class SearchConfig:
    """The configuration of the command, see conf/search.yaml."""

    name: str
    index: str
    query: str | None
    queries: str | None
    k: int
    language: str | list[str] | None
    balance: str
    backend: str
    format: str
    out: str | None
    encoder: str | None
    device: str
    query_chunk: int
    paths: PathsConfig


def check_search(cfg: DictConfig) -> None:
    """Check the configuration of a search.

    Raises:
        ValueError: not exactly one of query and queries is given, the query is empty, or a value is missing or
            invalid.
    """
    choices = {"backend": BACKENDS, "balance": BALANCES, "format": FORMS}
    check_values(cfg, SearchConfig, choices, "k", "query_chunk")
    if (cfg.query is None) == (cfg.queries is None):
        raise ValueError('give one of query="..." and queries=FILE')
    if cfg.query is not None and (fault := text_fault(cfg.query)):
        raise ValueError(f"the query {fault}")
    if cfg.language == OWN and cfg.query is not None:
        raise ValueError(f"language={OWN} is for queries=FILE, where each query has one; give it here: language=de")


def quote_query(words: list[str]) -> list[str]:
    """The arguments, with the question moved to an environment variable that they refer to.

    Hydra's grammar then does not parse the question, so it may contain commas, quotes and braces.
    """
    for word in words:
        if word.startswith("query="):
            os.environ[QUERY] = word.removeprefix("query=")
    return [f"query=${{oc.env:{QUERY}}}" if word.startswith("query=") else word for word in words]


@entry_point
@hydra.main(config_path="../../conf", config_name="search", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_search(cfg)
    queries = [Query(SINGLE, cfg.query)] if cfg.query is not None else read_queries(Path(cfg.queries))
    index = Index(Path(cfg.index))
    groups = pools(index, queries, cfg.language)
    for languages in groups:
        index.check_pool(languages, cfg.k)
    if cfg.format == "trec":
        check_trec(queries, index, {language for languages in groups for language in languages})
    device = join_processes(assembly.choose_device(cfg.device))
    searcher = open_searcher(cfg, index, device)
    hits: dict[int, list[Hit]] = {}
    for languages, positions in groups.items():
        texts = [queries[position].text for position in positions]
        hits |= dict(zip(positions, searcher.search(texts, cfg.k, languages, cfg.balance), strict=True))
    if rank_and_world()[0] == 0:
        write([(query, hits[position]) for position, query in enumerate(queries)], cfg.format, cfg.out)


def open_searcher(cfg: DictConfig, index: Index, device: torch.device) -> Searcher:
    """Open the index with its encoder, loaded from its recorded path or from `encoder`."""
    reference = Reference.read(index.folder / "index.json", index.facts["encoder"])
    encoder = reference.load(Path(cfg.paths.cache), device, cfg.encoder)
    return Searcher(index, encoder, cfg.backend, device, cfg.query_chunk)


def write(found: Found, form: str, out: str | None) -> None:
    """Print the results, or write them to a file atomically."""
    parts = FORMS[form](found)
    if out is None:
        sys.stdout.writelines(map(printable_lines, parts))
        return
    with replacing(out) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(parts)


if __name__ == "__main__":
    sys.argv[1:] = quote_query(sys.argv[1:])
    main()
