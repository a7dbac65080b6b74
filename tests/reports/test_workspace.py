"""The saved W&B workspace, as far as it goes without W&B."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hybrid_ir.reports.wandb.workspace import main

HERE = ["--entity", "me", "--project", "p", "--benchmarks", "xquad_r"]


def test_definition_compares_alpha_backbone_curves_and_bias(tmp_path: Path) -> None:
    pytest.importorskip("wandb_workspaces")
    out = tmp_path / "workspace.json"
    assert main([*HERE, "--out", str(out)]) == f"wrote {out}; nothing was sent to W&B"
    content = json.loads(out.read_text())
    assert (content["entity"], content["project"]) == ("me", "p")
    section = content["spec"]["section"]
    panels = {
        each["name"]: [panel["config"] for panel in each["panels"]] for each in section["panelBankConfig"]["sections"]
    }
    kinds = ("monolingual/map", "crosslingual/map", "multilingual/map", "rank_distance")
    names = [f"xquad_r/{kind}" for kind in kinds]
    alpha, scatter = "config:batch_mix.value.monolingual", panels["xquad_r: alpha and backbone"][:4]
    assert [(each["xAxis"], each["yAxis"]) for each in scatter] == [(alpha, f"summary:{name}") for name in names]
    assert [each["metrics"] for each in panels["xquad_r: curves"]] == [[name] for name in names]
    assert "xquad_r/heat_map/map" in json.dumps(panels["xquad_r: languages and bias"])


def test_without_a_network_it_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    workspaces = pytest.importorskip("wandb_workspaces.workspaces")

    def save(self: Any) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(workspaces.Workspace, "save", save)
    with pytest.raises(ValueError, match=r"no route to host.*wandb login.*project me/p; --out FILE"):
        main(HERE)


def test_without_the_package_it_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb_workspaces.workspaces", None)
    with pytest.raises(ValueError, match=r"not installed: pip install wandb-workspaces==0\.4\.13"):
        main(HERE)
