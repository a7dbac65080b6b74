"""Forwards without padding: the texts of a forward lie end to end in one row, and attention stays within each.

All layers but attention work token by token, so they need no padding. Attention is told where the texts lie by the
arguments that transformers gives to flash attention's variable-length kernels (`cu_seq_lens_q` and its kin). On the
CPU, where there is no such kernel, `ragged_attention` takes its own, `blocks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask
from transformers.modeling_outputs import BaseModelOutputWithPooling

from hybrid_ir.encoder.forward.chunking import cut
from hybrid_ir.encoder.tokenization import Tokens

RAGGED = "ragged"
ARCHITECTURES = ("bert", "roberta", "xlm-roberta")  # that hand these arguments through; each has an equality test
BLOCK_OVERHEAD = 64  # tokens that a block's attention may be padded by, rather than be one more block


@dataclass(frozen=True)
class Block:
    """Neighbouring texts of about one length, whose attention is computed together.

    Attributes:
        count: texts.
        width: tokens of the longest.
        tokens: where their tokens lie in the row.
        places: int64 (count * width,), the token of each padded place; None where all texts are equally long.
        mask: bool (count, 1, 1, width), which places hold a token; None likewise.
        kept: int64, the places that hold one; None likewise.
    """

    count: int
    width: int
    tokens: slice
    places: Tensor | None = None
    mask: Tensor | None = None
    kept: Tensor | None = None

    def padded(self, side: Tensor) -> Tensor:
        """(T, heads, width of a head) -> (count, heads, width, width of a head), a view where nothing is padded."""
        rows: Tensor = side[self.tokens] if self.places is None else side.index_select(0, self.places)
        return rows.view(self.count, self.width, *rows.shape[1:]).transpose(1, 2)

    def joined(self, attended: Tensor) -> Tensor:
        """(count, heads, width, width of a head) -> (tokens, heads, width of a head)."""
        rows = attended.transpose(1, 2).flatten(0, 1)
        return rows if self.kept is None else rows.index_select(0, self.kept)


def blocks(lengths: Sequence[int]) -> list[Block]:
    """Cut texts in descending order of length into blocks, with as little padding as a block's own cost suggests."""
    assert list(lengths) == sorted(lengths, reverse=True), "blocks are of texts in descending order of length"
    found, begin = [], 0
    for rows in cut(lengths, sum(lengths), BLOCK_OVERHEAD):
        sizes = torch.tensor([lengths[row] for row in rows])
        count, width, size = len(rows), int(sizes[0]), int(sizes.sum())
        tokens = slice(begin, begin + size)
        if size == count * width:
            found.append(Block(count, width, tokens))
        else:
            mask = torch.arange(width) < sizes[:, None]
            starts = begin + sizes.cumsum(0) - sizes
            places = torch.where(mask, starts[:, None] + torch.arange(width), begin).flatten()
            found.append(Block(count, width, tokens, places, mask[:, None, None], mask.flatten().nonzero().flatten()))
        begin += size
    return found


def ragged_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    blocks: Sequence[Block] | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention within each of several texts that lie end to end.

    Args:
        module: the attention layer.
        query: (1, heads, T, width), T tokens in all.
        key: the same shape.
        value: the same shape.
        attention_mask: for padded texts alone.
        dropout: probability.
        scaling: of the scores; None for 1 / sqrt(width).
        blocks: where the texts lie. None for padded texts, which go the way of `sdpa`.
        **kwargs: what other implementations take.

    Returns:
        (1, T, heads, width) and no attention weights.
    """
    if blocks is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    sides = [side[0].transpose(0, 1) for side in (query, key, value)]
    outputs = []
    for block in blocks:
        q, k, v = (block.padded(side) for side in sides)
        outputs.append(block.joined(_attend(q, k, v, block.mask, dropout, scaling)))
    return torch.cat(outputs).unsqueeze(0), None


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout: float, scaling: float | None) -> Tensor:
    if not dropout:
        return F.scaled_dot_product_attention(q, k, v, mask, scale=scaling)
    # On the CPU PyTorch's own takes twice as many passes over the scores where there is dropout.
    scores = (q * (scaling or q.shape[-1] ** -0.5)) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return F.dropout(scores.softmax(-1), dropout) @ v


AttentionInterface.register(RAGGED, ragged_attention)
AttentionMaskInterface.register(RAGGED, sdpa_mask)


def prepare(backbone: PreTrainedModel) -> None:
    """Let a backbone that attends by `sdpa` take texts end to end where it can.

    One that is compiled stays with padded texts: a graph for every arrangement would be compiled for ever.
    """
    if (
        backbone._compiled_call_impl is None
        and backbone.config._attn_implementation == "sdpa"
        and backbone.config.model_type in ARCHITECTURES
    ):
        backbone.set_attn_implementation(RAGGED)


def works(backbone: PreTrainedModel, device: torch.device) -> bool:
    """Whether texts may lie end to end: the architecture and its attention on this device allow it."""
    attention = backbone.config._attn_implementation or ""
    kernel = attention == RAGGED if device.type == "cpu" else attention.startswith("flash_attention")
    return kernel and backbone.config.model_type in ARCHITECTURES


def fill(lengths: list[int], max_tokens: int) -> list[list[int]]:
    """Rows of each forward where nothing is padded: longest first, as many texts as fit.

    Args:
        lengths: tokens of each text.
        max_tokens: tokens of one forward at most; a longer text gets a forward of its own.
    """
    chunks: list[list[int]] = []
    room = 0
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if lengths[row] > room:
            chunks.append([])
            room = max_tokens
        chunks[-1].append(row)
        room -= lengths[row]
    return chunks


def forward(
    backbone: PreTrainedModel, tokens: Tokens, rows: Sequence[int], with_pooler: bool
) -> tuple[BaseModelOutputWithPooling, Tensor]:
    """The backbone over texts end to end; what it returns is padded, as poolings expect it.

    Args:
        backbone: see `works`.
        tokens: texts, on its device.
        rows: which of them.
        with_pooler: also compute the pooler's output.

    Returns:
        States (N, L, D) with zeros behind the shorter texts and the pooler's output (N, D) where asked for; int64
        (N, L), 1 where there is a token.
    """
    lengths = [tokens.lengths[row] for row in rows]
    device = tokens.ids.device
    offsets = torch.tensor([0, *lengths], device=device).cumsum(0, dtype=torch.int32)
    states = backbone(
        blocks=blocks(lengths) if device.type == "cpu" else None,
        input_ids=tokens.joined(rows).unsqueeze(0),
        position_ids=_positions(backbone, lengths, device).unsqueeze(0),
        cu_seq_lens_q=offsets,
        cu_seq_lens_k=offsets,
        max_length_q=max(lengths),
        max_length_k=max(lengths),
    ).last_hidden_state[0]
    padded = pad_sequence(list(states.split(lengths)), batch_first=True)
    pooled = backbone.pooler(padded) if with_pooler else None  # type: ignore[operator]
    mask = torch.arange(max(lengths), device=device) < torch.tensor(lengths, device=device)[:, None]
    return BaseModelOutputWithPooling(last_hidden_state=padded, pooler_output=pooled), mask.long()


def _positions(backbone: PreTrainedModel, lengths: list[int], device: torch.device) -> Tensor:
    """Positions within each text; the RoBERTa family counts them from behind its padding number."""
    first = 0 if backbone.config.model_type == "bert" else int(backbone.config.pad_token_id) + 1
    return torch.cat([torch.arange(length, device=device) for length in lengths]) + first
