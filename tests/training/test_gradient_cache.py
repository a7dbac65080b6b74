"""Gradient caching is the plain path in less memory: same loss, same gradient, same weights."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
import torch.distributed as dist

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import Tokens
from hybrid_ir.training.gradient_cache import return_large_blocks
from tests.training.conftest import Configure, Run
from tests.training.probes import Gradients, Recorder

SMALL = ("eval=[]", "model.max_tokens=96", "trainer.max_epochs=1", "data.negatives=1", "data.batch_size=16")
FEATURES = {
    "low temperature": ("loss.temperature=0.02",),
    "both ways": ("loss.learn_temperature=true", "loss.symmetric=true", "data.negatives=2"),
    "hard negatives alone": ("loss.negatives=hard", "data.negatives=2"),
    "frozen embeddings": ("model.freeze_embeddings=true",),
    "accumulated and clipped": ("trainer.accumulate_grad_batches=2", "trainer.gradient_clip_val=0.1"),
    "adapters": ("model.lora.rank=3", "model.lora.dropout=0.2", "model.freeze_embeddings=true"),
    "pooled": ("loss=pooled", "loss.languages=3", "model.dropout=0.2"),
    "semantic": ("loss=semantic_contrastive", "loss.questions=1", "model.dropout=0.2"),
    "language": ("loss=language_contrastive", "loss.semantic_weight=0.1", "model.dropout=0.2"),
    "alignment": ("loss=lakda", "model.dropout=0.2"),
    "alignment with a reference": ("loss=lakda", "loss.reference=en", "model.dropout=0.2"),
    "distillation": ("loss=distillation", "teacher.checkpoint={teacher}", "model.dropout=0.2"),
}
PLAIN = {"adapters": ("model.gradient_checkpointing=true",)}  # of the plain run alone


@pytest.mark.parametrize("feature", FEATURES)
def test_cached_gradients_are_the_plain_ones(configure: Configure, tmp_path: Path, feature: str) -> None:
    options = [*SMALL, "trainer.max_steps=3", *FEATURES[feature]]
    if feature == "distillation":
        other = ("model.scratch.hidden_size=48", "model.scratch.vocab_size=300", "model.query_prefix=Q")
        Run(configure(*SMALL, *other, "trainer.max_steps=1", run="teacher")).fit()
        options = [option.format(teacher=tmp_path / "teacher") for option in options]
    plain, cached = (Gradients(), Recorder()), (Gradients(), Recorder())
    Run(configure(*options, *PLAIN.get(feature, ()), run="plain"), *plain).fit()
    Run(configure(*options, "model.gradient_cache=true", run="cached"), *cached).fit()
    assert cached[1].losses == pytest.approx(plain[1].losses, rel=1e-5) and len(plain[1].losses) >= 3
    for expected, gradients in zip(plain[0].steps, cached[0].steps, strict=True):
        assert expected.keys() == gradients.keys()
        for name, gradient in expected.items():
            assert (gradients[name] - gradient).norm() <= 3e-5 * gradient.norm() + 1e-6, name


def test_cached_gradients_under_bf16(configure: Configure) -> None:
    """The second pass runs in the autocast of the first: otherwise it would differ by bf16's rounding, about 1 %."""
    plain, cached = Gradients(), Gradients()
    options = (*SMALL, "trainer.precision=bf16-mixed", "trainer.max_steps=1")
    Run(configure(*options, run="plain"), plain).fit()
    Run(configure(*options, "model.gradient_cache=true", run="cached"), cached).fit()
    for name, gradient in plain.steps[0].items():
        assert (cached.steps[0][name] - gradient).norm() <= 2e-3 * gradient.norm() + 1e-7, name


def test_activations_of_one_chunk_are_kept(configure: Configure) -> None:
    """Only one chunk's graph is alive at a time: counted by the tensors that autograd saves for the backward pass."""

    def most_saved(cache: bool) -> int:
        alive = {"now": 0, "most": 0}

        class Saved:
            def __init__(self, tensor: torch.Tensor) -> None:
                self.tensor, self.size = tensor, tensor.numel()
                alive["now"] += self.size
                alive["most"] = max(alive["most"], alive["now"])

            def __del__(self) -> None:
                alive["now"] -= self.size

        options = (*SMALL, "data.batch_size=48", "trainer.max_steps=1", f"model.gradient_cache={cache}")
        with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
            Run(configure(*options, run=f"cache-{cache}")).fit()
        return alive["most"]

    assert most_saved(cache=True) < 0.4 * most_saved(cache=False)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_one_all_reduce_a_step(configure: Configure, monkeypatch: pytest.MonkeyPatch, accumulate: int) -> None:
    """Gradients are averaged over the processes once an optimiser step, with its very last chunk.

    One process plays DDP here: its hook is called for every bucket of gradients that would be sent.
    """
    events: list[str] = []
    options = (f"trainer.accumulate_grad_batches={accumulate}", "trainer.max_steps=2", "trainer.max_epochs=4")
    run = Run(configure(*SMALL, *options, "trainer.strategy=ddp", "model.gradient_cache=true"))
    embed_rows = TextEncoder.embed_rows

    def noted(encoder: TextEncoder, tokens: Tokens, rows: Sequence[int]) -> torch.Tensor:
        events.append("chunk" if torch.is_grad_enabled() else "without graph")
        return embed_rows(encoder, tokens, rows)

    class Count(L.Callback):
        def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            def hook(state: object, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
                events.extend(["all-reduce"] if bucket.is_last() else [])
                future: torch.futures.Future[torch.Tensor] = torch.futures.Future()
                future.set_result(bucket.buffer())
                return future

            trainer.strategy.model.register_comm_hook(None, hook)

        def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Any) -> None:
            events.append("step")

    monkeypatch.setattr(TextEncoder, "embed_rows", noted)
    run.trainer.callbacks.append(Count())
    try:
        run.fit()
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
    steps = " ".join(event for event in events if event != "without graph").split(" step")[:-1]
    assert len(steps) == 2
    for step in steps:
        *chunks, last = step.split()
        assert last == "all-reduce" and set(chunks) == {"chunk"} and len(chunks) > 2 * accumulate


HELD = """
from pathlib import Path
import torch
from hybrid_ir.training.gradient_cache import return_large_blocks

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))

def held():
    before = resident()
    tensors = [torch.ones(2**19) for _ in range(40)]  # 2 MiB each
    last = tensors.pop()
    del tensors
    return (resident() - before) / 2**20

torch.ones(2**22)  # freed at once: from here on glibc by itself keeps blocks of up to 16 MiB
kept = held()
print(kept, held() if return_large_blocks() else "no glibc")
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from Linux' /proc")
def test_large_tensors_freed_below_one_that_is_held_are_returned() -> None:
    """MiB that a process holds of 40 tensors of 2 MiB, all but the last one freed."""
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_MMAP_THRESHOLD_"}
    done = subprocess.run([sys.executable, "-c", HELD], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    kept, returned = done.stdout.strip().split(" ", 1)
    if returned == "no glibc":
        pytest.skip("only glibc's allocator can be told to return memory")
    assert float(kept) > 60 and float(returned) < 8


def test_a_limit_set_by_the_user_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")
    assert not return_large_blocks.__wrapped__()
