"""Zero-shot retrieval without training: `python evaluate.py checkpoint=PATH` or `python evaluate.py model=labse`.

On several GPUs: `torchrun --nproc_per_node 8 evaluate.py model=labse eval=miracl`; they share texts and scores.
"""

from pathlib import Path

import hydra
import torch
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.config.cli import entry_point
from hybrid_ir.config.rules import check_evaluate
from hybrid_ir.distributed import join_processes, rank_and_world
from hybrid_ir.model.build import find_checkpoint, load_checkpoint_encoder
from hybrid_ir.reporting.console import print_headline
from hybrid_ir.retrieval.evaluator import evaluate


@entry_point
@hydra.main(config_path="conf", config_name="evaluate", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_evaluate(cfg)
    benchmarks = assembly.build_benchmarks(cfg)
    encoder = (
        load_checkpoint_encoder(find_checkpoint(Path(cfg.checkpoint))) if cfg.checkpoint else assembly.build_model(cfg)
    )
    device = join_processes(_device(cfg.device))
    encoder.to(device)

    measures = assembly.plain(cfg.eval.measures)
    results = [evaluate(encoder, benchmark, measures, cfg.query_chunk, device) for benchmark in benchmarks]
    if rank_and_world()[0] > 0:
        return
    history = assembly.build_history(cfg)
    history.add(0, 0, results)
    print_headline({name: value for result in results for name, value in result.macro.items()})
    print(f"results in {cfg.paths.run}/results.json")


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


if __name__ == "__main__":
    main()
