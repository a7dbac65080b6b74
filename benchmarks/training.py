"""Compares training throughput with sentence-transformers' trainer: same model, pairs, batches, optimiser, device.

Both train on the same batches (hybrid, alpha 0.5) with in-batch negatives at temperature 0.05, AdamW with the same
rates, clipping and the model's dropout; token embeddings are frozen. They alternate, a few steps each; the first step
of a turn warms up and does not count. A profile of our steps shows the time of their parts.

    python -m benchmarks.training --model FOLDER --data FOLDER [--batch 32] [--length 96] [--steps 5] [--turns 3]

`--model` is a hub name or folder; `--data` a folder of {language}.json in SQuAD's form, such as MLQA-R. Without them: a
12-layer encoder, 384 wide, with random weights, and the built-in corpus. Needs sentence-transformers and accelerate.
"""

import argparse
import logging
import platform
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import lightning as L
import torch
from datasets import Dataset
from lightning.pytorch.loggers import Logger
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import SequentialSampler
from transformers import TrainerCallback

from hybrid_ir.data.corpus import ParallelCorpus
from hybrid_ir.data.readers import cldr_facts as cldr
from hybrid_ir.data.readers import squad
from hybrid_ir.encoder.build import build_encoder
from hybrid_ir.encoder.model_config import ModelConfig, ScratchConfig
from hybrid_ir.losses.infonce import InfoNCE
from hybrid_ir.sampling.policy import Hybrid
from hybrid_ir.training.data.batch_config import BatchConfig
from hybrid_ir.training.data.datamodule import HybridDataModule
from hybrid_ir.training.module import DualEncoder
from hybrid_ir.training.optimizer import OptimizerConfig

RATE, CLIP, TEMPERATURE = 5e-5, 1.0, 0.05
MATMULS = ("aten::mm", "aten::addmm", "aten::bmm")


def intervals(moments: Sequence[float]) -> list[float]:
    """Seconds of every step except the first, from the end of the previous one, so that time between steps counts."""
    return [after - before for before, after in pairwise(moments)]


class OurClock(L.Callback):
    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: Any) -> None:
        self.ends.append(time.perf_counter())


class TheirClock(TrainerCallback):
    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ends.append(time.perf_counter())


class Ours:
    """This project's module, data module and Trainer."""

    def __init__(self, folder: str, corpus: ParallelCorpus, options: argparse.Namespace) -> None:
        limits = {"max_query_length": options.length, "max_passage_length": options.length}
        config = ModelConfig(name_or_path=folder, freeze_embeddings=True, **limits)
        self.encoder = build_encoder(config, list, Path(folder))
        batches = BatchConfig(batch_size=options.batch, num_workers=options.workers)
        self.data = HybridDataModule([corpus], Hybrid(0.5), self.encoder.tokenizer, batches, seed=1)
        self.corpus, self.limit = corpus, options.steps + 1

    def train(self, *callbacks: L.Callback, logger: Logger | None = None) -> list[float]:
        clock = OurClock()
        optimizer = OptimizerConfig(learning_rate=RATE)
        kinds = self.data.policy.kinds
        module = DualEncoder(self.encoder, InfoNCE(TEMPERATURE), optimizer, kinds, self.data.languages)
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
        trainer = L.Trainer(
            max_steps=self.limit, gradient_clip_val=CLIP, callbacks=[clock, *callbacks], logger=logger or False, **quiet
        )
        trainer.fit(module, self.data)
        return intervals(clock.ends)

    def pairs(self) -> list[tuple[str, str]]:
        """The training pairs of `train`, in its order."""
        plan = self.data.plan.epoch(0)
        rows = []
        for batch in (plan[step] for step in range(self.limit)):
            codes = [[self.data.languages[number] for number in side] for side in
                     (batch.question_languages, batch.passage_languages)]  # fmt: skip
            texts = self.corpus.fetch(batch.examples, *codes, 0)
            rows += list(zip(texts.questions, texts.passages, strict=True))
        return rows

    def matmul_share(self) -> float:
        """The share of a step's time spent in matrix products."""
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            self.train()
        events = profiler.key_averages()
        total = sum(event.self_cpu_time_total for event in events)
        return sum(event.self_cpu_time_total for event in events if event.key in MATMULS) / total


class Theirs:
    """sentence-transformers' trainer over the same pairs in the same order."""

    def __init__(self, folder: str, pairs: Sequence[tuple[str, str]], options: argparse.Namespace) -> None:
        self.model = SentenceTransformer(folder, device="cpu" if not torch.cuda.is_available() else "cuda")
        self.model.max_seq_length = options.length
        self.model[0].auto_model.get_input_embeddings().requires_grad_(False)
        questions, passages = zip(*pairs, strict=True)
        self.data = Dataset.from_dict({"anchor": questions, "positive": passages})
        self.options = options

    def train(self) -> list[float]:
        clock = TheirClock()
        with tempfile.TemporaryDirectory() as folder:
            SentenceTransformerTrainer(
                self.model,
                SentenceTransformerTrainingArguments(
                    folder,
                    per_device_train_batch_size=self.options.batch,
                    max_steps=self.options.steps + 1,
                    learning_rate=RATE,
                    weight_decay=1e-2,
                    warmup_steps=0.1,
                    max_grad_norm=CLIP,
                    dataloader_num_workers=self.options.workers,
                    batch_sampler=in_order,
                    save_strategy="no",
                    report_to="none",
                    disable_tqdm=True,
                    use_cpu=not torch.cuda.is_available(),
                ),
                train_dataset=self.data,
                loss=MultipleNegativesRankingLoss(self.model, scale=1 / TEMPERATURE),
                callbacks=[clock],
            ).train()
        return intervals(clock.ends)


def in_order(dataset: Dataset, batch_size: int, drop_last: bool, **_: Any) -> DefaultBatchSampler:
    return DefaultBatchSampler(SequentialSampler(dataset), batch_size, drop_last)  # type: ignore[arg-type]


def build_folder(options: argparse.Namespace, corpus: ParallelCorpus, work: Path) -> str:
    """The model as a Hugging Face folder, which both sides can load."""
    if options.model:
        return str(options.model)
    scratch = ScratchConfig(hidden_size=384, layers=12, heads=12, max_positions=options.length + 2)
    limits = {"max_query_length": options.length, "max_passage_length": options.length}
    encoder = build_encoder(ModelConfig(scratch=scratch, **limits), corpus.texts, work)
    encoder.backbone.save_pretrained(work / "model")
    encoder.tokenizer.tokenizer.save_pretrained(work / "model")
    return str(work / "model")


def describe_tokens(ours: Ours, pairs: Sequence[tuple[str, str]], batch: int) -> str:
    """Tokens per pair, and their ratio to tokens when each side of a batch is padded to its longest text."""
    sides = [ours.encoder.tokenizer([pair[side] for pair in pairs], kind).lengths
             for side, kind in ((0, "query"), (1, "passage"))]  # fmt: skip
    real = sum(map(sum, sides))
    padded = sum(batch * max(side[start : start + batch]) for side in sides for start in range(0, len(pairs), batch))
    return f"{real / len(pairs):.1f} tokens a pair, {padded / real:.2f} times as many padded"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", help="hub name or folder")
    parser.add_argument("--data", help="folder of {language}.json in SQuAD's form")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--length", type=int, default=96, help="tokens of a text at most")
    parser.add_argument("--steps", type=int, default=5, help="steps of a turn that count")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0, help="processes that tokenise")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        corpus = squad.read("pairs", options.data, name) if options.data else cldr.read("pairs", name)
        folder = build_folder(options, corpus, work)
        ours = Ours(folder, corpus, options)
        pairs = ours.pairs()
        theirs = Theirs(folder, pairs, options)
        turns = [(median(ours.train()), median(theirs.train())) for _ in range(options.turns)]
        share = ours.matmul_share()
    print(f"{platform.machine()}, torch {torch.__version__}, {options.threads} threads; batch {options.batch}, at most "
          f"{options.length} tokens a text; {describe_tokens(ours, pairs, options.batch)}")  # fmt: skip
    print("| trainer | s a step, median of each turn | pairs/s |\n|---|---|---:|")
    for trainer, seconds in zip(("hybrid_ir", "sentence-transformers"), zip(*turns, strict=True), strict=True):
        listed = " ".join(f"{value:.2f}" for value in seconds)
        print(f"| {trainer} | {listed} | {options.batch / median(seconds):.1f} |")
    ratios = sorted(slow / fast for fast, slow in turns)
    print(f"ratio {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}); matrix products: {share:.0%} of our time")


if __name__ == "__main__":
    main()
