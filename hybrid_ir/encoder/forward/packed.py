"""Padding-free forward pass: texts are packed into one row, and attention stays within each text.

All layers but attention work token by token, so they need no padding. On a GPU, flash attention's variable-length
kernels learn the texts' boundaries from the arguments that transformers passes to them (`cu_seq_lens_q` and others).
The CPU has no such kernel: there `packed_attention` takes the boundaries from `blocks`.
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

PACKED = "packed"  # the name that transformers knows our attention by
ARCHITECTURES = ("bert", "roberta", "xlm-roberta")  # those that pass these arguments on; each has an equality test
BLOCK_OVERHEAD = 64  # the cost of one more block, in tokens of padding


@dataclass(frozen=True)
class AttentionBlock:
    """Neighbouring texts of similar length, padded to the longest for the attention only.

    Attributes:
        count: number of texts.
        width: tokens of the longest text.
        tokens: the slice of the packed row that holds their tokens.
        positions: int64 (count * width,), the position in the row for each padded position; None if nothing is padded.
        mask: bool (count, 1, 1, width), True at a token; None if nothing is padded.
        kept: int64 (tokens,), the padded positions that hold a token; None if nothing is padded.
    """

    count: int
    width: int
    tokens: slice
    positions: Tensor | None = None
    mask: Tensor | None = None
    kept: Tensor | None = None

    def padded(self, side: Tensor) -> Tensor:
        """(T, heads, head width) -> (count, heads, width, head width); a view if nothing is padded."""
        rows: Tensor = side[self.tokens] if self.positions is None else side.index_select(0, self.positions)
        return rows.view(self.count, self.width, *rows.shape[1:]).transpose(1, 2)

    def unpadded(self, attended: Tensor) -> Tensor:
        """(count, heads, width, head width) -> (tokens, heads, head width)."""
        rows = attended.transpose(1, 2).flatten(0, 1)
        return rows if self.kept is None else rows.index_select(0, self.kept)


def attention_blocks(lengths: Sequence[int]) -> list[AttentionBlock]:
    """Blocks of texts, given in descending order of length, with the lowest sum of padding and cost of blocks."""
    assert list(lengths) == sorted(lengths, reverse=True), "blocks are of texts in descending order of length"
    found, begin = [], 0
    for rows in cut(lengths, sum(lengths), BLOCK_OVERHEAD):
        sizes = torch.tensor([lengths[row] for row in rows])
        count, width, size = len(rows), int(sizes[0]), int(sizes.sum())
        tokens = slice(begin, begin + size)
        if size == count * width:
            found.append(AttentionBlock(count, width, tokens))
        else:
            mask = torch.arange(width) < sizes[:, None]
            starts = begin + sizes.cumsum(0) - sizes
            positions = torch.where(mask, starts[:, None] + torch.arange(width), begin).flatten()
            kept = mask.flatten().nonzero().flatten()
            found.append(AttentionBlock(count, width, tokens, positions, mask[:, None, None], kept))
        begin += size
    return found


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    blocks: Sequence[AttentionBlock] | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention within each of several packed texts, in the form that transformers expects of an implementation.

    Args:
        module: the attention layer.
        query: (1, heads, T, width), T tokens in all.
        key: the same shape.
        value: the same shape.
        attention_mask: of padded texts; unused for packed ones.
        dropout: probability.
        scaling: factor of the scores; None for 1 / sqrt(width).
        blocks: where the packed texts are; None for padded texts, which `sdpa` handles.
        **kwargs: arguments of other implementations.

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
        outputs.append(block.unpadded(_attend(q, k, v, block.mask, dropout, scaling)))
    return torch.cat(outputs).unsqueeze(0), None


def _attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout: float, scaling: float | None) -> Tensor:
    if not dropout:
        return F.scaled_dot_product_attention(q, k, v, mask, scale=scaling)
    # With dropout, PyTorch's CPU implementation takes twice as many passes over the scores.
    scores = (q * (scaling or q.shape[-1] ** -0.5)) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return F.dropout(scores.softmax(-1), dropout) @ v


AttentionInterface.register(PACKED, packed_attention)
AttentionMaskInterface.register(PACKED, sdpa_mask)


def prepare(backbone: PreTrainedModel) -> None:
    """Make a backbone with `sdpa` attention accept packed texts, if its architecture allows.

    A compiled backbone stays with padded texts, as it would compile a graph for every combination of lengths.
    """
    if (
        backbone._compiled_call_impl is None
        and backbone.config._attn_implementation == "sdpa"
        and _attends_both_ways(backbone)
    ):
        backbone.set_attn_implementation(PACKED)


def supports(backbone: PreTrainedModel, device: torch.device) -> bool:
    """Whether the backbone's architecture and its attention on this device can take packed texts."""
    attention = backbone.config._attn_implementation or ""
    kernel = attention == PACKED if device.type == "cpu" else attention.startswith("flash_attention")
    return kernel and _attends_both_ways(backbone)


def _attends_both_ways(backbone: PreTrainedModel) -> bool:
    """Whether this is one of ARCHITECTURES, and no decoder, whose tokens do not see those after them."""
    return backbone.config.model_type in ARCHITECTURES and not getattr(backbone.config, "is_decoder", False)


def pack(lengths: list[int], max_tokens: int) -> list[list[int]]:
    """Distribute texts over packed forward passes, longest first, as many as fit into each.

    Args:
        lengths: tokens of each text.
        max_tokens: the largest number of tokens of one pass; a longer text gets a pass of its own.

    Returns:
        The indices of the texts of each pass.
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
    """Run the backbone over packed texts. The result is padded, as the poolings expect.

    Args:
        backbone: one that `supports` packed texts.
        tokens: texts, on its device.
        rows: indices of the N texts to embed, longest first.
        with_pooler: also compute the pooler's output.

    Returns:
        The states, (N, L, D) with zeros after the shorter texts, and the pooler's output, (N, D) or None; and the mask,
        int64 (N, L), 1 at a token.
    """
    lengths = [tokens.lengths[row] for row in rows]
    ids, device = tokens.joined(rows), tokens.ids.device
    offsets = torch.tensor([0, *lengths], device=device).cumsum(0, dtype=torch.int32)
    states = backbone(
        blocks=attention_blocks(lengths) if device.type == "cpu" else None,
        input_ids=ids.unsqueeze(0),
        position_ids=_positions(backbone, ids, lengths).unsqueeze(0),
        cu_seq_lens_q=offsets,
        cu_seq_lens_k=offsets,
        max_length_q=max(lengths),
        max_length_k=max(lengths),
    ).last_hidden_state[0]
    padded = pad_sequence(list(states.split(lengths)), batch_first=True)
    pooled = backbone.pooler(padded) if with_pooler else None  # type: ignore[operator]
    mask = torch.arange(max(lengths), device=device) < torch.tensor(lengths, device=device)[:, None]
    return BaseModelOutputWithPooling(last_hidden_state=padded, pooler_output=pooled), mask.long()


def _positions(backbone: PreTrainedModel, ids: Tensor, lengths: list[int]) -> Tensor:
    """Positions within each text, as the backbone counts them itself: int64, one for each of `ids`.

    BERT counts from 0. The RoBERTa family counts from the padding id plus 1, and leaves out tokens with this id, which
    texts may hold: `<pad>` can be written, and the tokenizer may use the id for another token.
    """
    if backbone.config.model_type == "bert":
        return torch.cat([torch.arange(length, device=ids.device) for length in lengths])
    padding = int(backbone.config.pad_token_id)
    counted = (ids != padding).long()
    before = torch.cat([part.cumsum(0) for part in counted.split(lengths)])
    return before * counted + padding
