"""Gradient caching: the exact gradient of a batch of any size, with the activations of one chunk in memory.

In-batch negatives need the vectors of the whole batch at once, but not its activations. Three steps (Gao et al.,
RepL4NLP 2021, section 3): embed every chunk without a graph; compute the gradient of the loss with respect to the
vectors; embed every chunk again, with a graph and the same dropout, and propagate the gradient of its vectors to the
parameters. The loss object is the plain path's, so temperature and masks are the same.
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
        """Draw the same numbers again, and restore the generators afterwards."""
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.set_rng_state(self.cpu)
            if self.cuda is not None:
                torch.cuda.set_rng_state(self.cuda, device)
            yield


class CachedEncoding:
    """Vectors of texts embedded without a graph, and the second pass that propagates their gradient to the parameters.

    Args:
        encoder: embeds the texts, one chunk at a time.
        tokens: N texts, on the encoder's device.

    Attributes:
        vectors: float32 (N, D), unit rows; a leaf tensor for the loss.
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
            context: opens the autocast context of the first pass.
            average: averages the gradients of several processes in the last chunk's backward pass.
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
    """Delays DDP's averaging of gradients to the last chunk, so that a step has one all-reduce.

    Create it inside the training step, before DDP's forward returns. It does nothing without DDP, or in a step that
    only accumulates gradients.

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
    """Make glibc map every allocation of 1 MiB or more separately, for the rest of this process.

    A mapped block returns to the system as soon as it is freed. By default, glibc raises the threshold to the largest
    block freed so far, up to 32 MiB, and keeps smaller blocks in its heap for reuse. That is faster, but tensors of
    slightly different sizes fragment the heap, and the memory of a loop over chunks keeps growing.

    Returns:
        Whether the setting took effect: it does not with another allocator, or if the user has set
        `MALLOC_MMAP_THRESHOLD_`.
    """
    if sys.platform != "linux" or "MALLOC_MMAP_THRESHOLD_" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(M_MMAP_THRESHOLD, LARGE) == 1
