"""What a model card says, and what it leaves open."""

from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from omegaconf import OmegaConf

from hybrid_ir.encoder.build import load_checkpoint_encoder
from hybrid_ir.evaluation.baselines.random_scores import RandomEncoder
from hybrid_ir.evaluation.evaluator import evaluate
from hybrid_ir.evaluation.results.history import RunHistory
from hybrid_ir.export.card import backbone_on_hub, bias_tables, markdown, result_tables, training_table
from hybrid_ir.export.export_folder import export
from hybrid_ir.export.origin import Origin
from tests.compose import compose_config
from tests.evaluation.samples import parallel_benchmark
from tests.export.conftest import MakeCheckpoint


def config_of(folder: Path, *overrides: str) -> dict[str, Any]:
    cfg = compose_config("train", ["model=labse", "data=cldr", *overrides], folder)
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    return {str(key): value for key, value in config.items()}


def test_a_card_of_a_run_has_its_data_results_and_bias(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    config = config_of(tmp_path, "sampler.alpha=0.3", "model.revision=abc1234")
    checkpoint = tmp_path / "run" / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    make_checkpoint(config=config).rename(checkpoint)
    model = load_checkpoint_encoder(checkpoint).describe()
    corpora = {"cldr": {"languages": ["de", "en"], "examples": 1234, "notes": ["5 rows were left out"]}}
    history = RunHistory(tmp_path / "run", {"config": config, "corpora": corpora, "hybrid_ir": "0.1.0"})
    before, after, later = (evaluate(RandomEncoder(seed=seed), parallel_benchmark(6)) for seed in range(3))
    history.add(0, 0, [before], {"weights": "others"})
    history.add(9, 1, [after], model)
    history.add(12, 2, [later], {"weights": "others"})  # the newest, and not of this checkpoint
    export(checkpoint, tmp_path / "out", "org/model", license_name="mit")
    card = ModelCard.load(tmp_path / "out" / "README.md")
    data = card.data.to_dict()
    found = data["license"], data["language"], data["base_model"]
    assert found == ("mit", ["de", "en"], "sentence-transformers/LaBSE")
    assert data["library_name"] == "sentence-transformers" and "eval_results" not in data
    for said in (
        "| backbone | `sentence-transformers/LaBSE`, revision abc1234 |",
        "| training data | `cldr`, 1,234 examples in de, en |",
        "monolingual with probability alpha = 0.3, else cross-lingual",
        "| optimiser steps | 9 |",
        "`cldr`: 5 rows were left out",
        "after 9 optimiser steps; before training in brackets",
        "states the licence `mit`",
        f"`{model['weights']}`",
        f"fingerprint `{after.fingerprint}`",
        markdown(result_tables(after.metrics, before.metrics)["toy"]),
        markdown(bias_tables(after.rows)["toy"]),
    ):
        assert said in card.text, said
    name = "toy/multilingual/map"
    assert f"{after.macro[name]:.4f} ({before.macro[name]:.4f})" in card.text
    assert str(tmp_path) not in card.text


def test_a_card_claims_nothing_that_is_not_known(make_checkpoint: MakeCheckpoint, tmp_path: Path) -> None:
    export(make_checkpoint(), tmp_path / "out", "out")
    card = ModelCard.load(tmp_path / "out" / "README.md")
    data = card.data.to_dict()
    assert not {"license", "base_model", "language", "datasets"} & data.keys()
    assert "No licence has been stated" in card.text and "no results of exactly these weights" in card.text
    assert training_table(Origin({}, 9)) == [["what", "how"], ["optimiser steps", "9"]]


def test_folders_of_the_machine_are_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my" / "backbone").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    config = config_of(tmp_path)
    for place in ("my/backbone", f"{tmp_path}/my/backbone"):
        origin = Origin(config | {"model": config["model"] | {"name_or_path": place}}, 1)
        assert backbone_on_hub(origin) is None
        assert training_table(origin)[1] == ["backbone", "a local folder, `backbone`"]


def test_training_in_words(tmp_path: Path) -> None:
    overrides = ["model=tiny", "model.lora.rank=4", "loss.learn_temperature=true", "sampler/schedule=linear"]
    table = training_table(Origin(config_of(tmp_path, *overrides), 1))
    words = "`hybrid`: monolingual with probability alpha = 0.5 in the end (schedule: Ramp), else cross-lingual"
    assert ["backbone", "trained from scratch"] in table and ["batches", words] in table
    assert ["LoRA", "rank 4, alpha 16.0; merged into the weights"] in table
    assert ["loss", "InfoNCE, temperature 0.05 at first, then learned"] in table
    assert ["batches", "`cross`: all crosslingual"] in training_table(Origin(config_of(tmp_path, "sampler=cross"), 1))
