"""Keys and types are checked against the code that takes them, and defaults in YAML are those of the code."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from hybrid_ir.config.programs import DataConfig, EvalConfig, PathsConfig
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.config.signatures import OURS, REQUIRED, signature, signature_of
from hybrid_ir.config.validate import typed
from hybrid_ir.encoder.backbone import LoraConfig
from hybrid_ir.encoder.model_config import ModelConfig, ScratchConfig
from hybrid_ir.mining.negatives import MiningConfig
from hybrid_ir.search.index.approximate import FaissConfig
from hybrid_ir.training.optimizer import OptimizerConfig
from tests.compose import CONF, compose_config


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sampler.alpha=abc", "sampler.alpha must be a number, got 'abc'"),
        ("data.batch_size=many", "data.batch_size must be a whole number, got 'many'"),
        ("data.batch_size=2.5", "data.batch_size must be a whole number, got 2.5"),
        ("data.languages=[false,de]", r"data.languages\[0\] must be a text, got False; a YAML file reads no, off"),
        ("sampler.weights.question={false:2}", "weights.question has a key that is true or false; a YAML file"),
        ("data.languages=de", "data.languages must be a list of a text or null, got 'de'"),
        ("data.corpora.squad_xtreme.languages=[true]", r"squad_xtreme.languages\[0\] must be a text, got True"),
        ("data.corpora.squad_xtreme.on_invalid=dorp", "must be 'error', 'drop', got 'dorp'; did you mean 'drop'"),
        ("eval.benchmarks.xquad_r.held_out=x", "eval.benchmarks.xquad_r.held_out must be a number, got 'x'"),
        ("eval.measures.monolingual=map", "eval.measures.monolingual must be a list of a text, got 'map'"),
        ("trainer.max_epochs=ten", "trainer.max_epochs must be a whole number or null, got 'ten'"),
        ("callbacks.best.save_top_k=all", "callbacks.best.save_top_k must be a whole number, got 'all'"),
        ("callbacks.last.every_n_minutes=x", "callbacks.last.every_n_minutes must be a number or null, got 'x'"),
        ("sampler.weights=3", "sampler.weights must be a mapping that describes LanguageWeights, got 3"),
        ("sampler.schedule=0.5", "sampler.schedule must be a mapping that describes AlphaSchedule or null, got 0.5"),
        ("loss.symmetric=1", "loss.symmetric must be true or false, got 1"),
        ("optim.betas=[0.9]", r"optim.betas must be a list of a number, got \[0.9\]"),
        ("model.lora=null", "model.lora must be a mapping that describes LoraConfig, got None"),
        ("logger.csv.save_dir=null", "logger.csv.save_dir must be a text or a path, got None"),
        ("seed=null", "seed must be a whole number, got None"),
        ("name=1.5", "name must be a text, got 1.5; write a text in quotes"),
        ("+loss.temprature=1", "loss.temprature is unknown to InfoNCE; did you mean loss.temperature"),
        ("+loss.weight=1", "loss.weight is unknown to InfoNCE; there are temperature, learn_temperature"),
        ("+model.poling=cls", "model.poling is unknown to ModelConfig; did you mean model.pooling"),
        ("+data.corpora.squad_xtreme.rot=x", "squad_xtreme.rot is unknown to read; did you mean .*squad_xtreme.root"),
        ("+trainer.max_epoch=1", "trainer.max_epoch is unknown to Trainer; did you mean trainer.max_epochs"),
        ("+logger.csv.nme=x", "logger.csv.nme is unknown to CSVLogger; did you mean logger.csv.name"),
        ("+nothing=1", "nothing is unknown to TrainConfig"),
        ("+callbacks.x._target_=a.b.C", "callbacks.x._target_ a.b.C does not exist"),
        (f"+callbacks.x._target_={OURS}training.callbacks.last_checkpoint.LastCheckpoint",
         "no value for callbacks.x.folder, which LastCheckpoint requires"),
    ],
)  # fmt: skip
def test_wrong_keys_and_types_are_refused(override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        check_train(compose_config("train", [override], tmp_path))


def test_whole_numbers_become_what_is_expected(tmp_path: Path) -> None:
    """So a run stores the same configuration however it was typed; references stay references."""
    cfg = compose_config("train", ["sampler.alpha=1", "name=2024", "optim.betas=[0,0.5]"], tmp_path)
    check_train(cfg)
    assert [repr(value) for value in (cfg.sampler.alpha, cfg.name, cfg.optim.betas)] == ["1.0", "'2024'", "[0.0, 0.5]"]
    assert OmegaConf.is_interpolation(cfg.trainer, "default_root_dir")


def test_norwegian_is_a_language_on_the_command_line(tmp_path: Path) -> None:
    """Only YAML files read `no` as false."""
    cfg = compose_config("train", ["data.languages=[no,de]", "sampler.weights.question={no:2}"], tmp_path)
    check_train(cfg)
    assert (cfg.data.languages, cfg.sampler.weights.question) == (["no", "de"], {"no": 2.0})


def test_groups_in_yaml_have_the_defaults_of_the_code(tmp_path: Path) -> None:
    cfg = compose_config("train", ["model=default", "data=[]", "eval=[]"], tmp_path)
    assert typed(cfg.model, ModelConfig) == ModelConfig()
    assert typed(cfg.data, DataConfig) == DataConfig()
    assert typed(cfg.eval, EvalConfig) == EvalConfig()
    assert asdict(typed(cfg.optim, OptimizerConfig)) | {"betas": (0.9, 0.999)} == asdict(OptimizerConfig())
    mining = typed(compose_config("mine", [], tmp_path).mining, MiningConfig)
    assert mining == MiningConfig(store=mining.store)
    assert typed(compose_config("index", ["corpus=x", "out=y"], tmp_path).faiss, FaissConfig) == FaissConfig()
    groups = {"model": ModelConfig, "data": DataConfig, "eval": EvalConfig, "optim": OptimizerConfig,
              "paths": PathsConfig, "model.lora": LoraConfig}  # fmt: skip
    for key, kind in groups.items():
        assert set(OmegaConf.select(cfg, key)) == set(signature(kind).parameters), key
    tiny = compose_config("train", ["model=tiny"], tmp_path).model.scratch
    assert set(tiny) == set(signature(ScratchConfig).parameters)


DELIBERATE = {  # of choices that are presets of one function: their YAML is another default than the code's
    "folder", "root", "languages", "cache", "measures", "settings", "part", "depth", "passages", "queries",
    "every_n_minutes", "name", "kind", "shape", "schedule", "runs", "nested", "where", "answers", "starts",
    "hard_negatives",
}  # fmt: skip
BUILT = ("loss", "sampler", "sampler/schedule", "data", "eval", "baseline", "callbacks")  # by functions of this package
OURS_IN_YAML = sorted(path for group in BUILT for path in (CONF / group).glob("*.yaml") if path.stem != "default")
PINS = {"revision", "english_revision", "display", "smoothing"}  # pinned commits, and what a terminal shows


@pytest.mark.parametrize("path", OURS_IN_YAML, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_choices_name_every_parameter_with_its_default(path: Path, tmp_path: Path) -> None:
    group = path.parent.relative_to(CONF).as_posix()
    cfg = compose_config("evaluate" if group == "baseline" else "train", [f"{group}={path.stem}"], tmp_path)
    for node in _nodes(OmegaConf.to_container(cfg[group.split("/")[0]])):
        for name, parameter in signature_of(node["_target_"]).parameters.items():
            assert name in node or name in PINS, f"{node['_target_']} takes {name}"
            plain = isinstance(parameter.default, str | int | float | None) and parameter.default is not REQUIRED
            if plain and name in node and name not in DELIBERATE:
                assert node[name] == parameter.default or str(node[name]).startswith("${"), name


def _nodes(value: Any) -> list[dict[str, Any]]:
    """The nodes of this package at any depth."""
    if not isinstance(value, dict):
        return []
    own = [value] if str(value.get("_target_", "")).startswith(OURS) else []
    return own + [node for child in value.values() for node in _nodes(child)]
