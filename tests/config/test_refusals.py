"""Wrong keys, types and combinations are refused before any work, with words that help."""

import re
import sys
from pathlib import Path

import pytest
from hydra.errors import HydraException, InstantiationException

from hybrid_ir.commands.index import check_index
from hybrid_ir.commands.mine import check_mine
from hybrid_ir.commands.search import check_search
from hybrid_ir.config.rules.system_rules import check_evaluate
from hybrid_ir.config.rules.train_rules import check_train
from hybrid_ir.launch.cli import explain
from tests.compose import compose_config

MISSPELT = {
    "train": [
        ("sampler.alhpa=0.3", "Did you mean 'sampler.alpha'?"),
        ("loss.temprature=0.3", "Did you mean 'loss.temperature'?"),
        ("model.poling=cls", "Did you mean 'model.pooling'?"),
        ("samplr.alpha=0.3", "Did you mean 'sampler.alpha'?"),
        ("alpha=0.3", "Did you mean 'sampler.alpha' or 'model.lora.alpha'?"),
        ("optim.lr=1e-4", "Did you mean 'optim.learning_rate'?"),
        ("sampler.schedule.start=.9", "add sampler/schedule=linear"),
        ("logger.wandb.project=x", "add logger=wandb"),
        ("model.scratch.hidden_size=32", "add model=tiny"),
        ("baseline.k1=1.2", "'baseline.k1' is not a setting of this program"),
        ("objective=x", "'objective' is now called 'optimized_metric'"),
        ("experiment=alpha_sweep", "experiment=alpha_sweep is now called sweep=alpha"),
        ("experiment=study_a", "experiment=study_a is now called study=a"),
        ("sampler.temperature=0.3", "'data.temperature' or 'loss.temperature' or 'sampler.weights.temperature'?"),
        ("data.corpora.squad_xtreme.langauges=[de]", "Did you mean 'data.corpora.squad_xtreme.languages'?"),
        ("modle=labse", "Did you mean 'model'?"),
        ("experimnt=quickstart", "Did you mean 'experiment'?"),
        ("hydra/lancher=joblib", "Did you mean 'hydra/launcher'?"),
        ("hydra.swep.dir=x", "Did you mean 'hydra.sweep.dir'?"),
        ("model=labze", "Did you mean 'model=labse'?"),
        ("model@teacher.model=labze", "Did you mean 'model@teacher.model=labse'?"),
        ("data=[cldr,mmarko]", "Did you mean 'data=[cldr,mmarco]'?"),
        ("sampler/schedule=linaer", "Did you mean 'sampler/schedule=linear'?"),
        ("sampler=hybird", "hybrid"),
    ],
    "index": [("corpsu=x", "Did you mean 'corpus'?"), ("faiss.prob=3", "Did you mean 'faiss.probes'?")],
    "search": [("balence=centroid", "Did you mean 'balance'?"), ("qeury=x", "Did you mean 'query'?")],
}


@pytest.mark.parametrize(
    ("program", "override", "message"), [(program, *case) for program, cases in MISSPELT.items() for case in cases]
)
def test_misspelt_keys_and_choices_are_refused(
    program: str, override: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [f"{program}.py", override])
    with pytest.raises(HydraException) as caught:
        compose_config(program, [override], tmp_path)
    said = str(explain(caught.value))
    assert message in said and "\n" not in said


DEVICES = r"trainer.devices must be a number, auto or a list of devices, got .*trainer.devices=\[0,1\]"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data=parallel_jsonl"], "no value for data.corpora.parallel_jsonl.path"),
        (["trainer.use_distributed_sampler=true"], "must be false"),
        (["trainer=cpu", "trainer.precision=16-mixed"], "16-mixed needs a GPU .* on a CPU use 32-true or bf16-mixed"),
        (["trainer=cpu", "trainer.precision=bf16-true"], "rounds away updates at usual .* rates; use bf16-mixed"),
        *((["trainer=cpu", f"trainer.devices={devices}"], DEVICES) for devices in ("'0,1'", "two", "-2")),
        (["+trainer.overfit_batches=1"], "use debug=overfit or trainer.limit_train_batches"),
        (["trainer=ddp_cpu", "data.batch_size=33"], "must be divisible by the 2 processes"),
        (["data=squad", "data.corpora.squad.path=data/xquad_r"], "both read .*xquad_r, which is not zero-shot"),
        (["data=squad", "data.corpora.squad.path=data/xquad_r", "data.corpora.squad.part=train",
          "eval.benchmarks.xquad_r.part=held_out", "eval.benchmarks.xquad_r.held_out=0.3"],
         "both read .*xquad_r, which is not zero-shot"),
        (["data=squad", "data.corpora.squad.path={de: data/xquad_r/de.json}", "data.corpora.squad.part=train",
          "eval.benchmarks.xquad_r.part=held_out"],
         r"names single files .* share articles. .*squad.path=.*/data/xquad_r data.corpora.squad.languages=\[de\]"),
        (["eval.precision=16-mixed"], "eval.precision must be 32-true or bf16-mixed, got '16-mixed'"),
        (["eval=mlqa_r", "optimized_metric=xquad_r/multilingual/map"], "not logged .* mean 'mlqa_r/multilingual/map'"),
        (["callbacks=validation_loss"], "needs a validation loss"),
        (["data/validation=squadshifts", "data.holdout=9"], "data.holdout=9 and data/validation=.* both name"),
        (["sampler@data.validation.sampler=mono"], "data.validation.sampler has no corpus; choose one"),
        (["data/validation=squadshifts", "data.validation.corpora.squadshifts.name=../x"], "name is '../x'"),
        (["callbacks=early_stopping", "eval.every_n_epochs=4"], "measured every 4 epochs, and patience counts epochs"),
        (["optimized_metric=xquad_r/crosslingual/map/de-en"], "not logged in this run"),
        (["eval.measures.multilingual=[language_share@10]", "optimized_metric=xquad_r/language_share@10"],
         r"not logged .* mean 'xquad_r/language_share_\{language\}@10'"),
        (["eval=folder", "eval.benchmarks.folder.path=x", "eval.benchmarks.folder.languages=[de,en]",
          "eval.measures.multilingual=[language_share@10]", "optimized_metric=folder/language_share_sw@10"],
         "not logged .* mean 'folder/language_share_en@10'"),
        (["optimized_metric=train_epoch/typo"], "train_epoch/typo is not logged in this run"),
        (["optimized_metric=validation/los", "data.holdout=100"], "not logged .* mean 'validation/loss'"),
        (["optimized_metric=train/loss/monolingual", "sampler=cross"], "not logged .* mean 'train/loss/crosslingual'"),
        (["trainer.max_epochs=-1"], "no end: trainer.max_epochs=-1 and trainer.max_steps=-1. Set one of them"),
        (["trainer.max_epochs=null", "callbacks=early_stopping"], "no end: trainer.max_epochs=None"),
        (["data.batches_per_epoch=0"], "data.batches_per_epoch is 0; it must be at least 1, or null"),
        (["model.max_query_length=1"], "model.max_query_length is 1; it must be at least 3"),
        (["model.max_tokens=0"], "model.max_tokens is 0; it must be at least 1, or null"),
        (["eval.every_n_epochs=0"], "eval.every_n_epochs is 0; it must be at least 1"),
        (["eval.every_n_steps=0"], "eval.every_n_steps is 0; it must be at least 1, or null for none"),
        (["eval.save_runs=-1"], "eval.save_runs is -1; it must not be negative"),
        (["optim.warmup=2"], r"optim.warmup=2.0 in \[0, 1\)"),
        (["eval.measures.monolingual=[mpa]"], "mpa"),
        (["eval=mini_miracl", "eval.benchmarks.mini_miracl.measures.monolingual=[mpa]"], "unknown measure 'mpa'"),
        (["+trainer.gradient_clip_algorithm=value"], "clipped by their global norm"),
        (["eval=miracl_hard"], "no value for eval.benchmarks.miracl_hard.runs"),
        (["eval=mini_miracl", "optimized_metric=mini_miracl/multilingual/map"], "mean 'mini_miracl/monolingual/ndcg"),
        (["optimized_metric=xquad_r_subset/multilingual/map"], "not logged .* mean 'xquad_r/multilingual/map'"),
        (["model.attention=flash_attention_2", "trainer=cpu"], "half precision; use trainer.precision=bf16-mixed"),
        (["model.query_prefix='a\\nb'"], "model.query_prefix has a backslash and an n where a line break is meant"),
        (["model.pooling=meen"], "model.pooling is 'meen'; did you mean 'mean'"),
        (["model.attention=spda"], "model.attention is 'spda'; there are sdpa, eager, flash_attention_2"),
        (["loss=distillation", "model@teacher.model=labse", "teacher.model.attention=spda"],
         "model.attention is 'spda'"),
        (["model.dropout=3"], r"model.dropout is 3.0; it must be in \[0, 1\)"),
        (["optim.schedule=linaer"], "did you mean 'linear'"),
        (["sampler=mono", "sampler.kind=monolingal"], "did you mean 'monolingual'"),
        (["trainer.accelerator=gup"], "did you mean 'gpu'"),
        (["optimized_metric=xquad_r/multilingual/mpa"], "did you mean 'xquad_r/multilingual/map'"),
        (["loss=pooled", "sampler=english"], r"compares translations, but sampler.languages=\['en'\] has only one"),
        (["loss=lakda", "data.languages=[de]"], r"compares translations, but data.languages=\['de'\] has only one"),
        (["loss=pooled", "loss.negatives=hard"], "hard negatives alone, .* set data.negatives=1"),
        (["loss=pooled", "teacher.checkpoint=x"], r"teacher\.checkpoint is given, but this loss has no teacher"),
        (["loss=distillation"], "this loss needs a teacher"),
        (["loss=distillation", "model@teacher.model=tiny"], "from scratch, which is untrained"),
        (["loss=distillation", "model@teacher.model=labse", "teacher.checkpoint=x"], "are given; give one of them"),
    ],
)  # fmt: skip
def test_fields_that_disagree_are_refused(overrides: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        check_train(compose_config("train", overrides, tmp_path))


@pytest.mark.parametrize(
    ("override", "choice"),
    [
        ("loss.temperature=0", []),
        ("sampler.alpha=1.5", []),
        ("sampler.schedule.start=1.5", ["sampler/schedule=linear"]),
        ("sampler.weights.temperature=-1", []),
        ("loss.languages=0", ["loss=pooled"]),
        ("loss.parallel_temperature=0", ["loss=semantic_contrastive"]),
        ("loss.parallel_temperature=-1", ["loss=language_contrastive"]),
        ("loss.weight=-1", ["loss=lakda"]),
    ],
)
def test_values_of_library_style_groups_are_checked_early(override: str, choice: list[str], tmp_path: Path) -> None:
    with pytest.raises(InstantiationException) as caught:
        check_train(compose_config("train", [*choice, override], tmp_path))
    key, value = map(re.escape, override.split("="))
    message = explain(caught.value)
    assert message is not None and re.match(rf"`?{key}\b`? (is {value}\b|must .*, got {value}\b)", message)


CHECKS = {"evaluate": check_evaluate, "mine": check_mine, "index": check_index, "search": check_search}
REFUSED = {
    "evaluate": [
        (["model=tiny"], "nothing to search with"),
        (["eval=[]"], "no benchmark"),
        (["eval=folder"], "no value for eval.benchmarks.folder.path"),
        (["model=labse", "checkpoint=x.ckpt"], "give one of them"),
        (["baseline=bm25", "model=labse"], "baseline takes the place of a model"),
        (["baseline=bm25", "checkpoint=x.ckpt"], "baseline takes the place of a model"),
        (["baseline=sentence_transformers"], "no value for baseline.name_or_path"),
        (["model=labse", "query_chunk=0"], "query_chunk is 0; it must be at least 1"),
        (["model=labse", "model.max_passage_length=0"], "model.max_passage_length is 0"),
        (
            ["baseline=bm25", "eval.precision=bf16-mixed"],
            "eval.precision=bf16-mixed only applies to models",
        ),
        (["run=x.trec"], "give both: run=FILE qrels=FILE"),
        (["run=x.trec", "qrels=y", "eval=xquad_r"], "run=x.trec is scored without a system; leave out eval"),
    ],
    "mine": [
        (["data=[cldr,mmarco]"], "mined for one corpus at a time, got 2"),
        (["model=tiny"], "nothing to search with"),
        (["baseline=bm25", "checkpoint=x.ckpt"], "baseline takes the place of a model"),
        (["mining.languages=all"], "mining.languages must be passage or any, got 'all'"),
        (["mining.skip=100"], "mining.skip=100 must be at least 0 and below mining.depth=100"),
        (["mining.max_score_ratio=1.5"], "as a share of the gold passage's score, or null for no limit, got 1.5"),
        (["mining.count=0"], "must both be at least 1"),
        (["query_chunk=0"], "query_chunk is 0; it must be at least 1"),
        (["model.pooling=meen"], "model.pooling is 'meen'; did you mean 'mean'"),
    ],
    "index": [
        (["out=y"], "no value for corpus"),
        (["corpus=x"], "no value for out"),
        (["corpus=x", "out=y", "model=tiny"], "nothing to search with"),
        (["corpus=x", "out=y", "model=labse", "checkpoint=x.ckpt"], "give one of them"),
        (["corpus=x", "out=y", "dtype=float61"], "dtype is 'float61'; did you mean 'float16'"),
        (["corpus=x", "out=y", "backend=fais"], "backend is 'fais'; did you mean 'faiss'"),
        (["corpus=x", "out=y", "language='d e'"], "language: language code 'd e' must be made of letters"),
        (["corpus=x", "out=y", "block_size=0"], "block_size is 0; it must be at least 1"),
        (["corpus=x", "out=y", "faiss.probes=0"], "faiss.probes is 0; it must be at least 1"),
    ],
    "search": [
        (["query=x"], "no value for index"),
        (["index=x"], "give one of query"),
        (["index=x", "query=x", "queries=y"], "give one of query"),
        (["index=x", "query=' '"], "the query is empty"),
        (["index=x", "query=x", "k=many"], "k must be a whole number, got 'many'"),
        (["index=x", "query=x", "k=0"], "k is 0; it must be at least 1"),
        (["index=x", "query=x", "language=own"], "language=own is for queries=FILE"),
        (["index=x", "query=x", "balance=centriod"], "balance is 'centriod'; did you mean 'centroid'"),
        (["index=x", "query=x", "format=json"], "format is 'json'; did you mean 'jsonl'"),
    ],
}


@pytest.mark.parametrize(
    ("program", "overrides", "message"),
    [(program, *case) for program, cases in REFUSED.items() for case in cases],
)
def test_the_other_programs_refuse_what_has_no_sense(
    program: str, overrides: list[str], message: str, tmp_path: Path
) -> None:
    given = ["data=[cldr]", *overrides] if program == "mine" else overrides
    with pytest.raises(ValueError, match=message):
        CHECKS[program](compose_config(program, given, tmp_path))
