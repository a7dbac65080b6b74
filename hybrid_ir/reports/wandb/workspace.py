"""Sets up the W&B workspace that compares runs: `python -m hybrid_ir.reports.wandb.workspace --entity ME`.

Alpha against the three mAPs and the rank distance by backbone, curves over epochs, bias by language, throughput. Needs
`pip install wandb-workspaces==0.4.13`, and a network to save it; `--out FILE` writes the definition instead.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hybrid_ir.evaluation.benchmarks.benchmark import SETTINGS
from hybrid_ir.evaluation.measures.definitions.language_bias import RankDistance
from hybrid_ir.reports.wandb.dashboard import BEST, EPOCHS
from hybrid_ir.sources.atomic import replacing

INSTALL = "pip install wandb-workspaces==0.4.13"
ALPHA, ALPHA_COLUMN = "batch_mix.monolingual", "batch_mix.value.monolingual"  # W&B keeps values one level below


def build_workspace(entity: str, project: str, benchmarks: Sequence[str], name: str = "Hybrid batches") -> Any:
    """The workspace, not yet saved: a `wandb_workspaces.workspaces.Workspace`.

    Args:
        entity: user or team at W&B.
        project: a project of the entity.
        benchmarks: benchmarks to show, each in its own sections.
        name: name of the saved view.

    Raises:
        ValueError: wandb-workspaces is not installed.
    """
    try:
        import wandb_workspaces.workspaces as ws
    except ImportError:
        raise ValueError(f"the workspace is built by wandb-workspaces, which is not installed: {INSTALL}") from None

    sections = [section for benchmark in benchmarks for section in _sections(benchmark)]
    return ws.Workspace(
        entity=entity,
        project=project,
        name=name,
        sections=[*sections, _training()],
        settings=ws.WorkspaceSettings(max_runs=50),
        runset_settings=ws.RunsetSettings(
            groupby=[ws.Config("model.name"), ws.Config("sampler.name"), ws.Config(ALPHA)],
            pinned_columns=[f"config:{ALPHA_COLUMN}", *(f"summary:{m}" for b in benchmarks for m in _headline(b))],
        ),
    )


def definition(workspace: Any) -> dict[str, Any]:
    """The definition that is sent to W&B to save the workspace."""
    content: dict[str, Any] = json.loads(workspace._to_model().model_dump_json(by_alias=True, exclude_none=True))
    return content


def _headline(benchmark: str) -> list[str]:
    return [*(f"{benchmark}/{setting}/map" for setting in SETTINGS), f"{benchmark}/{RankDistance.kind}"]


def _sections(benchmark: str) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr
    import wandb_workspaces.workspaces as ws

    names = _headline(benchmark)
    against_alpha: list[Any] = [
        wr.ScatterPlot(title=f"{_short(name)} against alpha", x=wr.Config(ALPHA), y=wr.SummaryMetric(name))
        for name in names
    ]
    by_backbone: list[Any] = [
        wr.BarPlot(
            title=f"best {_short(name)} by backbone (mean, standard error)",
            metrics=[f"{BEST}/{name}"],
            groupby=wr.Config("model.name"),
            groupby_aggfunc="mean",
            groupby_rangefunc="stderr",
        )
        for name in names
    ]
    curves: list[Any] = [
        wr.LinePlot(title=_short(name), x=EPOCHS, y=[name], title_x="epochs trained") for name in names
    ]
    advantage = f"{benchmark}/own_language_advantage@10"
    bias: list[Any] = [
        wr.LinePlot(
            title="rank distance by query language",
            x=EPOCHS,
            metric_regex=rf"^{benchmark}/{RankDistance.kind}/.*$",
            title_x="epochs trained",
        ),
        wr.LinePlot(title="own-language advantage@10", x=EPOCHS, y=[advantage], title_x="epochs trained"),
        wr.MediaBrowser(title="mAP, question by passage language", media_keys=[f"{benchmark}/heat_map/map"]),
        wr.WeavePanelSummaryTable(table_name=f"{benchmark}/languages"),
    ]
    return [
        ws.Section(name=f"{benchmark}: alpha and backbone", panels=[*against_alpha, *by_backbone], is_open=True),
        ws.Section(name=f"{benchmark}: curves", panels=curves, is_open=True),
        ws.Section(name=f"{benchmark}: languages and bias", panels=bias),
    ]


def _training() -> Any:
    import wandb_workspaces.reports.v2 as wr
    import wandb_workspaces.workspaces as ws

    steps = "trainer/global_step"
    names = ("loss", "accuracy", "learning_rate", "gradient_norm", "pairs_per_second", "tokens_per_second")
    panels: list[Any] = [wr.LinePlot(title=name.replace("_", " "), x=steps, y=[f"train/{name}"]) for name in names]
    mix = wr.LinePlot(title="share of monolingual batches", x=EPOCHS, y=["train_epoch/share/monolingual"])
    return ws.Section(name="Training", panels=[*panels, mix])


def _short(name: str) -> str:
    return " ".join(name.split("/")[1:]).replace("_", " ").replace("map", "mAP")


def main(arguments: list[str]) -> str:
    """Save the workspace that the command line describes, or write its definition; returns a message.

    Raises:
        ValueError: wandb-workspaces is not installed, or W&B rejects the workspace or cannot be reached.
    """
    description, _, epilog = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m hybrid_ir.reports.wandb.workspace", description=description, epilog=epilog
    )
    parser.add_argument("--entity", required=True, help="user or team at W&B")
    parser.add_argument("--project", default="hybrid_ir", help="its project (%(default)s)")
    parser.add_argument("--benchmarks", nargs="+", default=["xquad_r", "mlqa_r"], metavar="NAME", help="(%(default)s)")
    parser.add_argument("--name", default="Hybrid batches", help="name of the view (%(default)s)")
    parser.add_argument("--out", type=Path, help="write the definition to this file; nothing is sent")
    options = parser.parse_args(arguments)
    workspace = build_workspace(options.entity, options.project, options.benchmarks, options.name)
    if options.out:
        with replacing(options.out) as draft:
            draft.write_text(json.dumps(definition(workspace), indent=1) + "\n", encoding="utf-8")
        return f"wrote {options.out}; nothing was sent to W&B"
    try:
        workspace.save()
    except Exception as error:  # W&B raises many kinds: no login, no such project, no network
        raise ValueError(
            f"W&B did not save the workspace: {error}. It needs a network, an account (wandb login or WANDB_API_KEY) "
            f"and the project {options.entity}/{options.project}; --out FILE writes the definition without them"
        ) from error
    return f"saved: {workspace.url}"


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"error: {error}")
