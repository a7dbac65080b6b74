"""Mines hard negatives: `python -m hybrid_ir mine checkpoint=PATH data=squad_xtreme`, or `baseline=bm25`.

Writes the corpus with its negatives as a file for `data=parallel_jsonl`. On several GPUs:
`torchrun --nproc_per_node 8 -m hybrid_ir mine model=labse`.
"""

from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from hybrid_ir import assembly
from hybrid_ir.commands.rules.systems import check_mine
from hybrid_ir.commands.schemas import register_commands
from hybrid_ir.distributed import join_processes, rank_and_world
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.launch.cli import entry_point
from hybrid_ir.launch.provenance import provenance
from hybrid_ir.mining.mined_files import provenance_of, write_mined
from hybrid_ir.mining.mining_config import MiningConfig
from hybrid_ir.mining.negatives import mine

register_commands()


@entry_point
@hydra.main(config_path="../../conf", config_name="mine", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_mine(cfg)
    config: MiningConfig = OmegaConf.to_object(cfg.mining)  # type: ignore[assignment]
    (corpus,) = assembly.build_corpora(cfg)
    device = join_processes(assembly.choose_device(cfg.device))
    system = assembly.build_system(cfg, device)
    store = VectorStore(Path(config.store), config.dtype, config.block_size)
    mined = mine(system, corpus, config, store, cfg.query_chunk, device)
    if rank_and_world()[0] > 0:
        return
    facts = {"model": system.describe(), "counts": dict(mined.counts), **provenance(), "config": assembly.plain(cfg)}
    out = Path(cfg.out)
    write_mined(out, corpus, mined, config.keep, facts)
    print("\n".join(f"{name:>10} {count:>12,}" for name, count in mined.counts.items()))
    print(f"{len(corpus):,} examples in {out}, provenance in {provenance_of(out)}")


if __name__ == "__main__":
    main()
