"""Mine hard negatives: passages of a training corpus that a system confuses with the answers.

  python -m hybrid_ir mine data=squad_xtreme model=labse           with a pretrained model
  python -m hybrid_ir mine data=cldr checkpoint=outputs/NAME/TIME  with what train.py made
  python -m hybrid_ir mine data=cldr baseline=bm25                 in place of a model
  python -m hybrid_ir mine data=cldr baseline=bm25 out=FILE        for data=parallel_jsonl

Writes the corpus with its negatives. On several GPUs:

  torchrun --nproc_per_node 8 -m hybrid_ir mine model=labse
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.config.names import check_names
from hybrid_ir.config.programs import CorporaConfig, PathsConfig
from hybrid_ir.config.rules.common_rules import check_values
from hybrid_ir.config.rules.system_rules import check_system
from hybrid_ir.config.validate import typed
from hybrid_ir.distributed import join_processes, rank_and_world
from hybrid_ir.encoder.model_config import ModelConfig
from hybrid_ir.evaluation.vectors.corpus_vectors import VectorStore
from hybrid_ir.launch.cli import entry_point
from hybrid_ir.launch.provenance import provenance
from hybrid_ir.mining.mined_files import provenance_of, write_mined
from hybrid_ir.mining.negatives import MiningConfig, mine


@dataclass
class MineConfig:
    """The configuration of the command, see conf/mine.yaml."""

    name: str
    checkpoint: str | None
    device: str
    query_chunk: int
    out: str
    mining: MiningConfig
    paths: PathsConfig
    model: ModelConfig
    baseline: Any
    data: CorporaConfig


def check_mine(cfg: DictConfig) -> None:
    """Check the configuration of mining.

    Raises:
        ValueError: there is not exactly one corpus and one system, or a value is missing or invalid.
    """
    check_values(cfg, MineConfig, {}, "query_chunk")
    check_names(cfg)
    if len(cfg.data.corpora) != 1:
        raise ValueError(
            f"negatives are mined for one corpus at a time, got {len(cfg.data.corpora)}; choose one, such as "
            "data=squad_xtreme"
        )
    typed(cfg.mining, MiningConfig)
    check_system(cfg)


@entry_point
@hydra.main(config_path="../../conf", config_name="mine", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_mine(cfg)
    config = typed(cfg.mining, MiningConfig)
    device = join_processes(assembly.choose_device(cfg.device))
    system = assembly.build_system(cfg, device)  # before data are read: a backbone that cannot work is refused here
    (corpus,) = assembly.build_corpora(cfg)
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
