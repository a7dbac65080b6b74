"""Zero-shot evaluation on full benchmarks, before training and after epochs."""

from collections.abc import Mapping, Sequence
from typing import cast

import lightning as L
from lightning.pytorch.utilities import rank_zero_only

from hybrid_ir.evaluation.benchmarks.benchmark import CROSSLINGUAL, Benchmark
from hybrid_ir.evaluation.benchmarks.evaluation_set import EvaluationSet
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.console import print_headline
from hybrid_ir.evaluation.results.history import RUNS, RunHistory
from hybrid_ir.evaluation.results.result import Result
from hybrid_ir.evaluation.results.result_files import check_run_ids, write_runs
from hybrid_ir.evaluation.vectors.encoder import FULL, DescribedEncoder, at_precision
from hybrid_ir.training.callbacks.observer import Evaluation, log_scalars, observers
from hybrid_ir.training.module import DualEncoder


class ZeroShotEvaluation(L.Callback):
    """Evaluates the encoder on every benchmark and passes the results to loggers, files and observers.

    Every rank takes part and gets the same metrics, so checkpointing and early stopping may monitor them.

    Args:
        benchmarks: what to evaluate on.
        history: collects the run's results and writes them to its folder.
        measures: setting -> names of measures, for benchmarks without measures of their own.
        every_n_epochs: evaluate after every n-th epoch, and when training ends.
        at_start: evaluate before training.
        save_runs: number of best passages of each query to write to `runs/`, for the newest evaluation; 0 for none.
        precision: precision of the embedding, see `at_precision`.

    Raises:
        ValueError: a benchmark is streamed from disk, and hence too large to encode after every epoch; or runs are
            saved, and `check_run_ids` raises it.
    """

    def __init__(
        self,
        benchmarks: Sequence[EvaluationSet],
        history: RunHistory,
        measures: Mapping[str, Sequence[str]],
        every_n_epochs: int = 1,
        at_start: bool = True,
        save_runs: int = 0,
        precision: str = FULL,
    ) -> None:
        large = [benchmark.name for benchmark in benchmarks if not benchmark.in_memory]
        if large:
            raise ValueError(
                f"{', '.join(large)} is too large to encode after every epoch; train with a sample "
                "(eval=miracl_sample), and evaluate the checkpoint afterwards: evaluate.py checkpoint=RUN eval=miracl"
            )
        if save_runs:
            for benchmark in benchmarks:
                check_run_ids(benchmark)
        self.benchmarks = cast(Sequence[Benchmark], benchmarks)  # all of them are in memory
        self.history, self.measures = history, measures
        self.every_n_epochs, self.at_start, self.save_runs = every_n_epochs, at_start, save_runs
        self.precision = precision
        self._evaluated_step: int | None = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.is_global_zero:
            self.history.adopt_changes()  # only now that the checkpoint has been accepted with them
        if self.at_start and trainer.global_step == 0:
            results = self._evaluate(trainer, pl_module, epoch=0)
            log_scalars(trainer, scalars(results), step=0)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        ended = epoch == trainer.max_epochs or trainer.global_step == trainer.max_steps or trainer.should_stop
        if epoch % self.every_n_epochs == 0 or ended:
            results = self._evaluate(trainer, pl_module, epoch)
            pl_module.log_dict(scalars(results), sync_dist=False)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Evaluate the final weights if early stopping ended training after an epoch without evaluation."""
        if self._evaluated_step != trainer.global_step:
            results = self._evaluate(trainer, pl_module, trainer.current_epoch)
            log_scalars(trainer, scalars(results), step=trainer.global_step)

    def _evaluate(self, trainer: L.Trainer, pl_module: L.LightningModule, epoch: int) -> list[Result]:
        assert isinstance(pl_module, DualEncoder)
        results = []
        system = at_precision(pl_module, self.precision, pl_module.device)
        for benchmark in self.benchmarks:
            for observer in observers(trainer):
                observer.on_evaluation_start(trainer, benchmark.name)
            # Outside the autocast of training steps, as evaluate.py does.
            results.append(evaluate(system, benchmark, self.measures, device=pl_module.device, keep=self.save_runs))
        self._evaluated_step = trainer.global_step
        self._render(trainer, system, epoch, results)
        return results

    @rank_zero_only
    def _render(self, trainer: L.Trainer, system: DescribedEncoder, epoch: int, results: Sequence[Result]) -> None:
        step = trainer.global_step
        self.history.add(step, epoch, results, system.describe())
        for result in results:
            write_runs(self.history.run / RUNS, result)
        for observer in observers(trainer):
            observer.on_evaluation_end(trainer, Evaluation(step, epoch, results))
        title = f"zero-shot at step {step} (epoch {epoch})"
        if step == 0:
            print_headline(macro(results), title=title)
        else:
            before = self.history.before_training()
            print_headline(macro(results), before, f"{title}{', with the change since step 0' if before else ''}")


def scalars(results: Sequence[Result]) -> dict[str, float]:
    """Metrics that are logged as curves and can be monitored: macro averages and single languages.

    Language pairs, 110 on XQuAD-R, appear only in tables and files.
    """
    languages = {row.name: row.value for result in results for row in result.rows if row.setting.kind != CROSSLINGUAL}
    return macro(results) | languages


def macro(results: Sequence[Result]) -> dict[str, float]:
    """The macro averages of all benchmarks, by metric name."""
    return {name: value for result in results for name, value in result.macro.items()}
