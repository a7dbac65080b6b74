"""Every YAML composes, and its values are those that the documentation promises."""

import os
from pathlib import Path

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from hybrid_ir.config.rules.metric_rules import macro_metrics
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.encoder.build import find_checkpoint
from hybrid_ir.launch.run_folder import run_dir
from hybrid_ir.sampling.translations import Translations
from tests.compose import CONF, compose_config

CHOICES = sorted(
    (path.parent.name, path.stem)
    for path in CONF.glob("*/*.yaml")
    if path.parent.name not in ("hydra", "paths")
    and (path.parent.name, path.stem) not in {("data", "default"), ("eval", "default"), ("sampler", "default")}
)
FILL = {
    ("data", "squad"): ["data.corpora.squad.path=x"],
    ("data", "parallel_jsonl"): ["data.corpora.parallel_jsonl.path=x"],
    ("data", "pair_table"): [
        f"data.corpora.pair_table.{key}=x" for key in ("repository", "revision", "files", "question", "passage")
    ],
    ("eval", "folder"): ["eval.benchmarks.folder.path=x"],
    ("eval", "miracl_hard"): ["eval.benchmarks.miracl_hard.runs=x"],
}


@pytest.mark.parametrize(("group", "choice"), CHOICES, ids=lambda value: value)
def test_every_choice_composes_and_resolves(group: str, choice: str, tmp_path: Path) -> None:
    fill = FILL.get((group, choice), [])
    if group != "baseline":
        cfg = compose_config("train", [f"{group}={choice}", *fill], tmp_path)
        OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    if group in ("model", "eval", "baseline"):
        OmegaConf.resolve(compose_config("evaluate", [f"{group}={choice}", *fill], tmp_path))
    if group in ("model", "data", "baseline"):
        OmegaConf.resolve(compose_config("mine", [f"{group}={choice}", *fill], tmp_path))
    if group in ("model", "baseline"):
        OmegaConf.resolve(compose_config("index", [f"{group}={choice}", "corpus=x", "out=y"], tmp_path))


@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear", "steps"])
def test_every_schedule_composes_and_passes_the_rules(schedule: str, tmp_path: Path) -> None:
    cfg = compose_config("train", [f"sampler/schedule={schedule}", "sampler.alpha=0.2"], tmp_path)
    OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    check_train(cfg)
    policy = instantiate(cfg.sampler)
    assert policy.shares(np.ones(1))[0, policy.kinds.index("monolingual")] == pytest.approx(0.2)
    assert compose_config("train", [], tmp_path).sampler.schedule is None


@pytest.mark.parametrize(
    ("sampler", "kinds", "languages"),
    [("hybrid", {"monolingual", "crosslingual"}, None), ("mono", {"monolingual"}, None), ("mixed", {"mixed"}, None),
     ("cross", {"crosslingual"}, None), ("english", {"monolingual"}, ("en",))],
)  # fmt: skip
def test_samplers_draw_their_kinds_and_languages(
    sampler: str, kinds: set[str], languages: tuple[str, ...] | None, tmp_path: Path
) -> None:
    policy = instantiate(compose_config("train", [f"sampler={sampler}"], tmp_path).sampler)
    used = {kind for kind, share in zip(policy.kinds, policy.shares(np.zeros(1))[0], strict=True) if share > 0}
    assert (used, policy.languages and tuple(policy.languages)) == (kinds, languages)


def test_weights_are_given_as_mappings(tmp_path: Path) -> None:
    overrides = ["sampler.weights.question={de: 2}", "sampler.weights.pairs={de: {en: 0}}"]
    for sampler in ("hybrid", "mono", "cross", "mixed", "english"):
        cfg = compose_config("train", [f"sampler={sampler}", *overrides, "sampler.weights.temperature=3"], tmp_path)
        check_train(cfg)
        weights = instantiate(cfg.sampler).weights
        assert (weights.question, weights.passage, weights.pairs) == ({"de": 2}, None, {"de": {"en": 0}})
        assert weights.temperature == 3


CONTRACT = """
    model=labse model=xlmr model=xlmr_large model=mbert model=e5_small model=e5_base model=tiny sampler=hybrid
    sampler=mono sampler=cross sampler=mixed sampler=english data=squad_xtreme data=mmarco data=parallel_jsonl
    data=squad data=cldr eval=xquad_r eval=mlqa_r eval=miracl eval=mini_miracl eval=miracl_sample eval=miracl_hard
    eval=folder
    logger=wandb logger=csv logger=tensorboard logger=none trainer=cpu trainer=gpu trainer=ddp trainer=ddp_cpu
    trainer=slurm experiment=quickstart experiment=paper_labse experiment=paper_xlmr"""


def test_the_choices_of_the_contract_exist() -> None:
    assert {*CONTRACT.split()} <= {f"{group}={choice}" for group, choice in CHOICES}


def test_values_of_the_paper() -> None:
    cfg = compose_config("train", ["model=labse", "sampler=hybrid"], Path("x"))
    assert (cfg.optim.learning_rate, cfg.optim.weight_decay, cfg.data.batch_size) == (3e-5, 1e-2, 100)
    assert (cfg.sampler.alpha, cfg.model.query_prefix, cfg.model.passage_prefix) == (0.5, "Query: ", "Passage: ")
    assert cfg.model.pooling == "pooler"


def test_lists_mix_corpora_and_benchmarks(tmp_path: Path) -> None:
    cfg = compose_config("train", ["data=[cldr,mmarco]", "eval=xquad_r", "logger=[csv,wandb]"], tmp_path)
    assert list(cfg.data.corpora) == ["cldr", "mmarco"]
    assert list(cfg.eval.benchmarks) == ["xquad_r"]
    assert list(cfg.logger) == ["csv", "wandb"]


MINE = ["eval=folder", *FILL["eval", "folder"]]


@pytest.mark.parametrize(
    ("overrides", "objective", "count"),
    [
        ([], "xquad_r/multilingual/map", 2 * 9),
        (["eval=[miracl_sample,xquad_r]"], "miracl_sample/monolingual/ndcg@10", 2 + 9),
        (["eval=mini_miracl", "eval.benchmarks.mini_miracl.measures.monolingual=[rr@10]"],
         "mini_miracl/monolingual/rr@10", 1),
        (["eval.measures.multilingual=[ndcg@10,rank_distance]"], "xquad_r/multilingual/ndcg@10", 2 * 6),
        (["eval.measures.multilingual=[language_share@5,rr]"], "xquad_r/multilingual/rr", 2 * 6),
        (["eval.measures.multilingual=[language_share@5]"], "xquad_r/crosslingual/map", 2 * 5),
        ([*MINE, "eval.benchmarks.folder.languages=[de,en]", "eval.measures.multilingual=[language_share@5,rr]"],
         "folder/multilingual/rr", 2 + 2 + 2 + 1),
        ([*MINE, "eval.benchmarks.folder.settings=[monolingual,crosslingual]"], "folder/crosslingual/map", 4),
        (["eval=[]"], None, 0),
        (["eval=xquad_r", "eval.every_n_steps=500"], "xquad_r/multilingual/map", 2 * 9),
        (["eval=xquad_r", "eval.every_n_steps=500", "optimized_metric=xquad_r_subset/multilingual/map",
          "eval.every_n_epochs=3", "callbacks=early_stopping"], "xquad_r_subset/multilingual/map", 2 * 9),
    ],
)  # fmt: skip
def test_the_objective_is_of_the_hardest_setting_of_the_first_benchmark(
    overrides: list[str], objective: str | None, count: int, tmp_path: Path
) -> None:
    cfg = compose_config("train", overrides, tmp_path)
    check_train(cfg)
    assert cfg.optimized_metric == objective
    assert len(macro_metrics(cfg)) == count and (objective is None or objective in macro_metrics(cfg))


SHARES = ["eval.measures.multilingual=[map,language_share@10]"]


@pytest.mark.parametrize(
    ("metric", "overrides"),
    [
        ("xquad_r/language_share_de@10", SHARES),
        ("xquad_r/language_share_zh-Hans@10/en", SHARES),
        ("xquad_r/multilingual/map/de", []),
        ("train/gradient_norm", []),
        ("train/loss/crosslingual", []),
        ("train/pairs_per_second", []),
        ("train/missing_translations", ["loss=pooled"]),
        ("train/semantic", ["loss=semantic_contrastive"]),
        ("train_epoch/share/question/de", []),
        ("train_epoch/accuracy/monolingual", []),
        ("validation/alignment", ["loss=lakda", "data.holdout=100"]),
        ("validation/loss", ["data/validation=[squadshifts,squad]", "data.validation.corpora.squad.path=x"]),
    ],
)
def test_what_is_logged_may_be_monitored(metric: str, overrides: list[str], tmp_path: Path) -> None:
    check_train(compose_config("train", [*overrides, f"optimized_metric={metric}"], tmp_path))


@pytest.mark.parametrize(
    ("overrides", "wanted"),
    [
        ([], Translations()),
        (["loss=pooled"], Translations(passages=1)),
        (["loss=pooled", "loss.languages=4"], Translations(passages=3)),
        (["loss=semantic_contrastive"], Translations(passages=1)),
        (["loss=language_contrastive", "loss.questions=2"], Translations(2, 1)),
        (["loss=lakda"], Translations(questions=1)),
        (["loss=lakda", "loss.reference=en"], Translations(1, 0, "en")),
    ],
)
def test_losses_say_which_translations_they_compare(overrides: list[str], wanted: Translations, tmp_path: Path) -> None:
    cfg = compose_config("train", overrides, tmp_path)
    check_train(cfg)
    assert instantiate(cfg.loss).translations == wanted


def test_last_continues_the_newest_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no run in .*demo has a checkpoint"):
        run_dir(str(tmp_path), "demo", "last")
    for number, run in enumerate(("a", "b")):
        checkpoint = tmp_path / "demo" / run / "checkpoints" / "last.ckpt"
        checkpoint.parent.mkdir(parents=True)
        checkpoint.touch()
        os.utime(checkpoint, (number, number))
    assert run_dir(str(tmp_path), "demo", "last") == str(tmp_path / "demo" / "b")
    assert find_checkpoint(tmp_path / "demo") == tmp_path / "demo" / "b" / "checkpoints" / "last.ckpt"
    assert run_dir(str(tmp_path), "demo", None) != run_dir(str(tmp_path), "demo", "last")
