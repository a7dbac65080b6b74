"""Gradient caching: the gradient of a batch of any size, in the memory of one chunk.

In-batch negatives need the vectors of the whole batch at once, but not its activations. Three steps (Gao et al.,
RepL4NLP 2021, section 3): embed every chunk without a graph; take the gradient of the loss in the vectors; embed every
chunk again, with a graph and the same dropout, and pass its vectors' gradient on to the parameters. The loss object is
the one that the plain path uses, so no temperature or mask can be lost on the way.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache

import torch
from lightning.pytorch.overrides.distributed import prepare_for_backward
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import Tokens

LARGE = 2**20  # bytes; a chunk's hidden state has several MiB, a bias's gradient some KiB
M_MMAP_THRESHOLD = -3  # of malloc.h


@dataclass(frozen=True)
class RandomState:
    """State of the random generators that a forward pass draws from."""

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
    """Vectors of texts embedded without a graph, and the second pass that takes their gradient to the parameters.

    Args:
        encoder: embeds the texts, one chunk at a time.
        tokens: N texts, on the encoder's device.

    Attributes:
        vectors: float32 (N, D), unit rows; a leaf to compute the loss from.
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
        """Accumulate the parameters' gradients, once `vectors.grad` is known.

        Args:
            context: opens the autocast context that the first pass ran in.
            average: averages the gradients of several processes with the last chunk.
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

    Create it inside the training step, before DDP's forward returns. It does nothing without DDP, or if DDP does not
    average in this step because gradients are being accumulated.

    Args:
        model: the model as the strategy wraps it.
        outside: parameters that the loss uses directly, such as its temperature. DDP waits for the gradient of every
            parameter, so theirs must be part of the last backward pass.
    """

    def __init__(self, model: nn.Module | None, outside: Iterable[nn.Parameter]) -> None:
        due = isinstance(model, DistributedDataParallel) and model.require_backward_grad_sync
        self._model = model if isinstance(model, DistributedDataParallel) and due else None
        self._outside = list(outside)
        if self._model is not None:
            self._model.require_backward_grad_sync = False

    def release(self, surrogate: Tensor) -> Tensor:
        """The surrogate loss of the last chunk, whose backward pass averages the gradients."""
        if self._model is None:
            return surrogate
        self._model.require_backward_grad_sync = True
        surrogate = surrogate + sum(0 * parameter.sum() for parameter in self._outside)
        prepare_for_backward(self._model, surrogate)
        return surrogate


@cache
def return_large_blocks() -> bool:
    """Have glibc map every allocation of 1 MiB or more by itself, for the rest of this process.

    A mapped block goes back to the system as soon as it is freed. By default glibc raises that limit to the largest
    block freed so far, up to 32 MiB, and keeps smaller ones in its heap for the next tensor. That is faster, but the
    holes do not fit tensors of slightly different sizes, and a loop over chunks takes more and more memory though it
    holds no more.

    Returns:
        Whether the process does so now: not with another allocator, and not if the user has set
        `MALLOC_MMAP_THRESHOLD_`.
    """
    if sys.platform != "linux" or "MALLOC_MMAP_THRESHOLD_" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(M_MMAP_THRESHOLD, LARGE) == 1
