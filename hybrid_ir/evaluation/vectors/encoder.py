"""The encoder interface that evaluation needs of a model, and the precision of its embedding."""

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, signature
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from hybrid_ir.sources.records import TextKind

FULL, BF16 = "32-true", "bf16-mixed"
PRECISIONS = (FULL, BF16)


class Encoder(Protocol):
    """Anything that turns texts into vectors: a trained model, a baseline, a constant.

    If vectors are kept on disk, it must be a `DescribedEncoder`.
    """

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """Embed texts. The score of a query and a passage is the dot product of their vectors.

        Args:
            texts: one or more texts of any length; batching is up to the encoder.
            kind: queries or passages, for encoders that treat them differently (prefixes, length limits).

        Returns:
            float (N, D), a row for each text in the given order, on any device. Unit vectors make the score a cosine.
        """
        ...


class PlainEncoder:
    """An `Encoder` from a function of texts, or from an object whose `encode` does not take the kind of the texts.

    `encode_query` and `encode_document`, which a SentenceTransformer has, are preferred to `encode`. Vectors are taken
    as they are: unit vectors make the score a cosine.
    """

    def __init__(self, system: Any) -> None:
        encode = getattr(system, "encode", system)
        self._encode: dict[TextKind, Callable[[list[str]], Any]] = {
            "query": getattr(system, "encode_query", encode),
            "passage": getattr(system, "encode_document", encode),
        }

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """See `Encoder`."""
        return as_tensor(self._encode[kind](list(texts)))


class _OfKind:
    """An `Encoder` from a function of texts and their kind."""

    def __init__(self, encode: Callable[[list[str], TextKind], Any]) -> None:
        self._encode = encode

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        return as_tensor(self._encode(list(texts), kind))


def as_encoder(system: Any) -> Encoder:
    """The system as an encoder: itself, if its `encode` takes the kind of the texts.

    Raises:
        ValueError: it has no `encode` and is not a function.
    """
    encode = getattr(system, "encode", system)
    if isinstance(system, str) or not callable(encode):  # a string has an `encode`, too
        raise ValueError(
            f"a system must have encode(texts, kind) or scorer(benchmark), or be a function of texts; "
            f"{type(system).__name__} is none of them"
        )
    if not _takes_kind(encode):
        return PlainEncoder(system)
    return _OfKind(encode) if encode is system else cast(Encoder, system)


def as_tensor(vectors: Any) -> Tensor:
    """Vectors as a tensor (N, D), from a tensor, a numpy array, or a list of either or of lists of numbers."""
    if isinstance(vectors, list | tuple) and vectors and not isinstance(vectors[0], list | tuple):
        vectors = torch.stack([torch.as_tensor(vector) for vector in vectors])
    flags = getattr(vectors, "flags", None)
    writable = getattr(flags, "writeable", True)  # torch warns about numpy arrays that are not
    return torch.as_tensor(vectors if writable else vectors.copy())


def _takes_kind(encode: Any) -> bool:
    """Whether a function takes the kind of the texts: by that name, or as a second argument that it needs."""
    try:
        parameters = list(signature(encode).parameters.values())
    except (TypeError, ValueError):  # of a function that is not written in Python
        return False
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    needed = len(positional) > 1 and positional[1].default is Parameter.empty
    return needed or any(each.name == "kind" for each in positional[:2])


class DescribedEncoder(Protocol):
    """An encoder with a description of everything that decides its vectors."""

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor: ...

    def describe(self) -> Mapping[str, Any]:
        """Everything that decides a vector; a key with `query` or `passage` in it concerns only texts of that kind."""
        ...


class Bfloat16Encoder:
    """An encoder that runs under bfloat16 autocast: faster if the hardware supports it, with slightly other vectors.

    Vectors and scores are still float32.

    Args:
        encoder: the wrapped encoder; its weights are not changed.
        device: device that it runs on.
    """

    def __init__(self, encoder: DescribedEncoder, device: torch.device) -> None:
        self.encoder, self.device = encoder, device

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """Embed texts in bfloat16: float32 (N, D)."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            return self.encoder.encode(texts, kind).float()

    def describe(self) -> Mapping[str, Any]:
        """The wrapped encoder's description and the precision, which decides vectors too."""
        return {**self.encoder.describe(), "precision": BF16}


def check_precision(precision: str) -> None:
    """Raises ValueError if the precision is not one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ValueError(f"eval.precision must be {' or '.join(PRECISIONS)}, got {precision!r}")


def at_precision(encoder: DescribedEncoder, precision: str, device: torch.device) -> DescribedEncoder:
    """The encoder, embedding at one of `PRECISIONS`."""
    return encoder if precision == FULL else Bfloat16Encoder(encoder, device)
