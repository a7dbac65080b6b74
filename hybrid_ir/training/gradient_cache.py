"""Gradient caching: the gradient of a batch of any size in the memory of one chunk.

In-batch negatives need the vectors of the whole batch at once, but not its activations. Three steps (Gao et al.,
RepL4NLP 2021, section 3): embed every chunk without a graph; take the gradient of the loss in the vectors; embed every
chunk again, with a graph and the same dropout, and send its vectors' gradient on into the parameters. The loss object
is the one that the plain path uses, so no temperature or mask can be lost on the way.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from lightning.pytorch.overrides.distributed import prepare_for_backward
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import Tokens
from hybrid_ir.training.heap import return_large_blocks


@dataclass(frozen=True)
class RandomState:
    """The random generators that a forward pass draws from."""

    cpu: Tensor
    cuda: Tensor | None

    @classmethod
    def now(cls, device: torch.device) -> "RandomState":
        return cls(torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None)

    @contextmanager
    def replayed(self, device: torch.device) -> Iterator[None]:
        """Draw the same numbers again; afterwards the generators are as they were before."""
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.set_rng_state(self.cpu)
            if self.cuda is not None:
                torch.cuda.set_rng_state(self.cuda, device)
            yield


class CachedEncoding:
    """Texts embedded without a graph, and the second pass that brings their gradient into the parameters.

    Attributes:
        vectors: float32 (N, D), unit rows; a leaf that the loss is computed from.
    """

    def __init__(self, encoder: TextEncoder, tokens: Tokens) -> None:
        if encoder.device.type == "cpu":
            return_large_blocks()
        self._encoder, self._tokens = encoder, tokens
        self._chunks = encoder.chunks(tokens.lengths)
        self._states: list[RandomState] = []
        with torch.no_grad():
            parts = []
            for rows in self._chunks:
                self._states.append(RandomState.now(encoder.device))
                parts.append(encoder.embed_rows(tokens, rows))
        self.vectors = encoder.in_order(parts, self._chunks).requires_grad_()

    def backward(
        self,
        context: Callable[[], AbstractContextManager[object]],
        average: "DelayedAverage",
    ) -> None:
        """Accumulate the parameters' gradients, once `vectors.grad` is there.

        Args:
            context: opens the autocast context that the first pass ran in.
            average: lets the gradients of several processes meet in the last chunk.
        """
        assert self.vectors.grad is not None
        for number, (rows, state) in enumerate(zip(self._chunks, self._states, strict=True)):
            with state.replayed(self._encoder.device), context():
                vectors = self._encoder.embed_rows(self._tokens, rows)
            surrogate = (vectors * self.vectors.grad[rows]).sum()
            if number == len(self._chunks) - 1:
                surrogate = average.release(surrogate)
            surrogate.backward()


class DelayedAverage:
    """Keeps DDP from averaging gradients over the processes before the last chunk: one all-reduce a step.

    Create it inside the training step, before DDP's forward returns. Where DDP is not in use, or holds back by itself
    because gradients are being accumulated, it does nothing.

    Args:
        model: the model as the strategy wraps it.
        outside: parameters that the loss reaches without passing through an encoding. DDP waits for the gradient of
            every parameter, so theirs must be part of the last backward pass.
    """

    def __init__(self, model: nn.Module | None, outside: Iterable[nn.Parameter]) -> None:
        due = isinstance(model, DistributedDataParallel) and model.require_backward_grad_sync
        self._model = model if isinstance(model, DistributedDataParallel) and due else None
        self._outside = list(outside)
        if self._model is not None:
            self._model.require_backward_grad_sync = False

    def release(self, surrogate: Tensor) -> Tensor:
        """Average with the backward pass of what is returned."""
        if self._model is None:
            return surrogate
        self._model.require_backward_grad_sync = True
        surrogate = surrogate + sum(0 * parameter.sum() for parameter in self._outside)
        prepare_for_backward(self._model, surrogate)
        return surrogate
