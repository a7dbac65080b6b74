"""Evaluate a model, a checkpoint, a baseline or a run made elsewhere, without training.

  python evaluate.py model=labse eval=xquad_r          a pretrained model
  python evaluate.py checkpoint=outputs/NAME/TIME      what train.py made
  python evaluate.py baseline=bm25 eval=xquad_r        in place of a model
  python evaluate.py run=FILE qrels=FILE               a TREC run of any other system

On several GPUs, which share texts and scores:

  torchrun --nproc_per_node 8 evaluate.py model=labse eval=miracl
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig

from hybrid_ir import assembly
from hybrid_ir.config.rules.system_rules import check_evaluate
from hybrid_ir.distributed import join_processes, rank_and_world
from hybrid_ir.encoder.loading.published import read_training
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.console import print_headline
from hybrid_ir.evaluation.results.history import RUNS
from hybrid_ir.evaluation.results.result import Result
from hybrid_ir.evaluation.results.result_files import check_run_ids, write_runs
from hybrid_ir.evaluation.run_scoring import score_run
from hybrid_ir.evaluation.vectors.encoder import at_precision
from hybrid_ir.evaluation.vectors.vector_cache import CachedEncoder
from hybrid_ir.launch.cli import entry_point
from hybrid_ir.launch.provenance import file_hash


@entry_point
@hydra.main(config_path="conf", config_name="evaluate", version_base="1.3")
def main(cfg: DictConfig) -> None:
    check_evaluate(cfg)
    results, described = _evaluate_run(cfg) if cfg.run else _evaluate_system(cfg)
    if rank_and_world()[0] > 0:
        return
    history = assembly.build_history(cfg)
    training = read_training(Path(cfg.checkpoint)) if cfg.checkpoint else None
    if training is None:
        history.add(0, 0, results, described)
    else:
        history.provenance["trained"] = training.config  # lets reports show the arm of the checkpoint
        history.add(training.step, training.epoch, results, described)
    for result in results:
        write_runs(Path(cfg.paths.run) / RUNS, result)
    print_headline({name: value for result in results for name, value in result.macro.items()})
    print(f"results in {cfg.paths.run}/results.json")


def _evaluate_run(cfg: DictConfig) -> tuple[list[Result], Mapping[str, Any]]:
    run, qrels = Path(cfg.run), Path(cfg.qrels)
    result = score_run(run, qrels, cfg.run_measures, cfg.run_relevance_level, cfg.run_ignore_identical_ids)
    return [result], {"run": str(run), "run_hash": file_hash(run), "qrels": str(qrels), "qrels_hash": file_hash(qrels)}


def _evaluate_system(cfg: DictConfig) -> tuple[list[Result], Mapping[str, Any]]:
    device = join_processes(assembly.choose_device(cfg.device))
    system = assembly.build_system(cfg, device)  # before data are read: a backbone that cannot work is refused here
    benchmarks = assembly.build_benchmarks(cfg)
    if cfg.eval.save_runs:
        for benchmark in benchmarks:
            check_run_ids(benchmark)
    if not cfg.baseline:
        system = at_precision(system, cfg.eval.precision, device)
    if cfg.cache_gib and not cfg.baseline:
        system = CachedEncoder(system, Path(cfg.paths.cache) / "vectors", int(cfg.cache_gib * 2**30))
    measures, keep = assembly.plain(cfg.eval.measures), cfg.eval.save_runs
    results = []
    for benchmark in benchmarks:
        # A benchmark on disk stores its own vectors, so the cache would duplicate them.
        evaluated = system
        if not benchmark.in_memory and isinstance(system, CachedEncoder):
            evaluated = system.encoder
        results.append(evaluate(evaluated, benchmark, measures, cfg.query_chunk, device, keep))
    return results, system.describe()


if __name__ == "__main__":
    main()
