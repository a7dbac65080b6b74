"""Searches an index: `python -m hybrid_ir search index=DIR query="Where is Ulm?" k=10`, or `queries=FILE`.

On several GPUs: `torchrun --nproc_per_node 8 -m hybrid_ir search index=DIR queries=FILE format=trec out=FILE`.
"""

import sys
from pathlib import Path

import hydra
import torch
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.commands.rules.search_rules import check_search
from hybrid_ir.commands.schemas import register_commands
from hybrid_ir.distributed import join_processes, rank_and_world
from hybrid_ir.launch.cli import entry_point
from hybrid_ir.launch.literal import take_literally
from hybrid_ir.search.index.index_folder import Index
from hybrid_ir.search.index.reference import Reference
from hybrid_ir.search.queries import SINGLE, Query, pools, read_queries
from hybrid_ir.search.rendering import FORMS, Found
from hybrid_ir.search.searcher import Hit, Searcher
from hybrid_ir.sources.atomic import replacing
from hybrid_ir.sources.untrusted import printable_lines

register_commands()


@entry_point
@hydra.main(config_path="../../conf", config_name="search", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_search(cfg)
    queries = [Query(SINGLE, cfg.query)] if cfg.query is not None else read_queries(Path(cfg.queries))
    index = Index(Path(cfg.index))
    groups = pools(index, queries, cfg.language)
    for languages in groups:
        index.check_pool(languages, cfg.k)
    device = join_processes(assembly.choose_device(cfg.device))
    searcher = open_searcher(cfg, index, device)
    hits: dict[int, list[Hit]] = {}
    for languages, positions in groups.items():
        texts = [queries[position].text for position in positions]
        hits |= dict(zip(positions, searcher.search(texts, cfg.k, languages, cfg.balance), strict=True))
    if rank_and_world()[0] == 0:
        write([(query, hits[position]) for position, query in enumerate(queries)], cfg.format, cfg.out)


def open_searcher(cfg: DictConfig, index: Index, device: torch.device) -> Searcher:
    """The index with its encoder, loaded from where it was or from where it was moved to."""
    reference = Reference.read(index.folder / "index.json", index.facts["encoder"])
    encoder = reference.load(Path(cfg.paths.cache), device, cfg.encoder)
    return Searcher(index, encoder, cfg.backend, device, cfg.query_chunk)


def write(found: Found, form: str, out: str | None) -> None:
    """Print what was found, or write it to a file, whole or not at all."""
    parts = FORMS[form](found)
    if out is None:
        sys.stdout.writelines(map(printable_lines, parts))
        return
    with replacing(out) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(parts)


if __name__ == "__main__":
    take_literally(("query",))
    main()
