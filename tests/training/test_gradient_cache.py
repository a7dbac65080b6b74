"""Gradient caching is the plain path in less memory: same loss, same gradient, same weights."""

from collections.abc import Sequence
from typing import Any

import lightning as L
import pytest
import torch
import torch.distributed as dist

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import Tokens
from tests.training.conftest import Configure, Run
from tests.training.test_fit import Recorder

SMALL = ("model.max_tokens=96", "trainer.max_epochs=1", "eval.at_start=false", "data.negatives=1", "data.batch_size=16")


class Gradients(L.Callback):
    """Keeps every parameter's gradient as the optimiser meets it."""

    def __init__(self) -> None:
        self.steps: list[dict[str, torch.Tensor]] = []

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Any) -> None:
        self.steps.append({name: p.grad.clone() for name, p in pl_module.named_parameters() if p.grad is not None})


@pytest.mark.parametrize(
    "options",
    [
        ["loss.temperature=0.02"],
        ["loss.learn_temperature=true", "loss.symmetric=true", "data.negatives=2"],
        ["model.dropout=0.2"],
        ["model.freeze_embeddings=true"],
        ["trainer.accumulate_grad_batches=2", "trainer.gradient_clip_val=0.1"],
    ],
    ids=" ".join,
)
def test_cached_gradients_are_the_plain_ones(configure: Configure, options: list[str]) -> None:
    plain, cached = (Gradients(), Recorder()), (Gradients(), Recorder())
    Run(configure(*SMALL, *options, run="plain"), *plain).fit()
    Run(configure(*SMALL, *options, "model.gradient_cache=true", run="cached"), *cached).fit()
    assert [entry[-1] for entry in plain[1].batches] == pytest.approx(
        [entry[-1] for entry in cached[1].batches], rel=1e-5
    )
    for expected, found in zip(plain[0].steps, cached[0].steps, strict=True):
        assert expected.keys() == found.keys()
        for name, gradient in expected.items():
            torch.testing.assert_close(
                found[name], gradient, rtol=1e-4, atol=5e-6, msg=lambda text, n=name: f"{n}: {text}"
            )


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
