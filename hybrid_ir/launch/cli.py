"""The command line: resolvers of the configuration, and short messages for user errors."""

import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import torch
from hydra.errors import HydraException, InstantiationException
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hybrid_ir.config.processes import node_count, processes_per_node
from hybrid_ir.config.rules.metric_rules import hardest_metric
from hybrid_ir.config.secrets import check_command, redact_logs, redacted
from hybrid_ir.launch import sweep_names as names
from hybrid_ir.launch.arguments import check_arguments
from hybrid_ir.launch.help import asked_help
from hybrid_ir.launch.job_record import SWEEP
from hybrid_ir.launch.run_folder import run_dir
from hybrid_ir.launch.suggest import helpful
from hybrid_ir.sources.untrusted import printable_lines

OURS = "HYBRID_IR_CATCHES_ERRORS"  # set if this module set HYDRA_FULL_ERROR, and not the user
PACKAGE = str(Path(__file__).resolve().parents[1])


def entry_point(main: Callable[[], Any]) -> Callable[[], Any]:
    """Wrap a `hydra.main` function: register resolvers, and print user errors as a message instead of a traceback.

    A user error is a configuration that Hydra refuses, or a `ValueError` or training error that this project raised.
    All other errors keep their traceback. `HYDRA_FULL_ERROR=1` shows every traceback.
    """
    if os.environ.get("HYDRA_FULL_ERROR") != "1":
        # Hydra then passes errors on. Processes that DDP starts inherit both.
        os.environ.update({"HYDRA_FULL_ERROR": "1", OURS: "1"})
    prepare_process()

    @wraps(main)
    def run() -> Any:
        fine = False
        try:
            check_command(sys.argv[1:])  # Hydra records the command before it calls `main`
            check_arguments(sys.argv[1:])
            if (text := asked_help(sys.argv[1:])) is not None:
                print(text)
                result = None
            else:
                result = main()
            fine = True
        except Exception as error:
            if not report_error(error):
                raise
        finally:
            fine = SWEEP.end() and fine
        if not fine:
            sys.exit(1)
        return result

    return run


def report_error(error: BaseException) -> bool:
    """Print the message of a user error. Returns False for a bug, or if the user wants every traceback."""
    message = explain(error)
    if OURS not in os.environ or message is None:
        return False
    print(f"error: {printable_lines(redacted(message))}", file=sys.stderr)
    return True


def prepare_process() -> None:
    """Set up a process that composes a configuration: register resolvers and silence libraries."""
    register_resolvers()
    quiet_libraries()
    redact_logs()


def explain(error: BaseException) -> str | None:
    """The message of a user error; None for a bug."""
    if isinstance(error, InstantiationException) and error.__cause__ is not None:
        return explain(error.__cause__)
    if isinstance(error, HydraException | OmegaConfBaseException):
        return helpful(error)
    if isinstance(error, MisconfigurationException):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    if (
        isinstance(error, ValueError | RuntimeError)
        and frames
        and os.path.abspath(frames[-1].filename).startswith(PACKAGE)
    ):
        return str(error)
    return None


def register_resolvers() -> None:
    """Register the resolvers that the YAML files use."""
    names.register_resolvers()
    OmegaConf.register_new_resolver("run_dir", run_dir, use_cache=True, replace=True)
    OmegaConf.register_new_resolver("evaluated", evaluated, replace=True)
    OmegaConf.register_new_resolver("default_metric", default_metric, replace=True)
    OmegaConf.register_new_resolver("precision", lambda _: best_precision(), replace=True)
    OmegaConf.register_new_resolver("nodes", node_count, replace=True)
    OmegaConf.register_new_resolver("processes_per_node", processes_per_node, replace=True)


def quiet_libraries() -> None:
    """Silence product tips of libraries, and warnings about intended behaviour."""
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)  # devices found, product tips
    # The warning for each saved checkpoint that it holds more than weights.
    logging.getLogger("lightning.pytorch.trainer.connectors.checkpoint_connector").setLevel(logging.WARNING)
    for message in (
        "Total length of `list` across ranks is zero",  # there is no validation loss
        "`isinstance\\(treespec, LeafSpec\\)` is deprecated",  # between Lightning and PyTorch
        ".*does not have many workers",  # batches are small, and a CPU has no spare cores
        "It is recommended to use .*sync_dist=True",  # logged values are already the same on all ranks
        ".*could not find the monitored key",  # normal between evaluations; the rules check the metric
        "You're resuming from a checkpoint that ended before the epoch ended",  # the DataModule knows the position
        "Checkpoint directory .* exists and is not empty",  # normal for a resumed run
        "You defined a `validation_step` but have no `val_dataloader`",  # the same
    ):
        warnings.filterwarnings("ignore", message=message)


def evaluated(run: str | None, baseline: str | None, model: str) -> str:
    """The default name of an evaluation: `run`, the baseline, or the model."""
    return Path(run).stem if run else baseline or model


def default_metric(benchmarks: Mapping[str, Any] | None, measures: Mapping[str, Sequence[str]]) -> str | None:
    """`hardest_metric` of the first benchmark, such as multilingual mAP; None without benchmarks."""
    if not benchmarks or any(isinstance(names, str) for names in measures.values()):  # the validator says what is wrong
        return None
    return hardest_metric(next(iter(benchmarks.values())), measures)


def best_precision() -> str:
    """`bf16-mixed` on a GPU that supports it, else `32-true`: on most CPUs, bf16 is several times slower."""
    return "bf16-mixed" if torch.cuda.is_available() and torch.cuda.is_bf16_supported(False) else "32-true"
