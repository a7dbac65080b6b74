"""The contract of the padding-free path: packed texts give the values and gradients of padded ones."""

import pytest
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModel, BertConfig, BertModel, PreTrainedModel, PreTrainedTokenizerBase

from hybrid_ir.encoder.forward import packed
from hybrid_ir.encoder.text_encoder import TextEncoder
from hybrid_ir.encoder.tokenization import TextTokenizer, Tokens

BACKBONES = ("bert", "roberta", "xlm-roberta")
LENGTHS = (9, 3, 9, 30, 1, 12, 3, 17)
SHAPE = {
    "vocab_size": 90,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


def backbone(name: str, attention: str) -> PreTrainedModel:
    torch.manual_seed(1)
    return AutoModel.from_config(AutoConfig.for_model(name, **SHAPE), attn_implementation=attention)


def encoder(name: str, attention: str, tokenizer: PreTrainedTokenizerBase, pooling: str, **options: int) -> TextEncoder:
    return TextEncoder(backbone(name, attention), TextTokenizer(tokenizer), pooling, **options)


def tokens() -> Tokens:
    """Some of the ids are the backbones' padding ids, 0 and 1, which texts may hold (`<pad>`)."""
    ids = torch.randint(0, 90, (sum(LENGTHS),), generator=torch.Generator().manual_seed(2))
    ids[::7], ids[3::7] = 0, 1
    return Tokens(ids, LENGTHS)


def gradients(model: TextEncoder, vectors: Tensor) -> dict[str, Tensor]:
    target = torch.linspace(-1, 1, vectors.numel()).view_as(vectors)
    (vectors * target).sum().backward()
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


def test_every_architecture_is_tested() -> None:
    assert set(packed.ARCHITECTURES) == set(BACKBONES)


@pytest.mark.parametrize("max_tokens", [20, 1000])
@pytest.mark.parametrize("pooling", ["mean", "cls", "pooler"])
@pytest.mark.parametrize("name", BACKBONES)
def test_packed_is_padded(name: str, pooling: str, max_tokens: int, tokenizer: PreTrainedTokenizerBase) -> None:
    ours = encoder(name, "sdpa", tokenizer, pooling, max_tokens=max_tokens)
    padded = encoder(name, "eager", tokenizer, pooling, max_tokens=max_tokens)
    cpu = torch.device("cpu")
    assert packed.supports(ours.backbone, cpu) and not packed.supports(padded.backbone, cpu)
    vectors, plain = ours(tokens()), padded(tokens())
    torch.testing.assert_close(vectors, plain, rtol=1e-5, atol=1e-6)
    expected = gradients(padded, plain)
    largest = max(gradient.norm() for gradient in expected.values())  # sums that cancel keep rounding
    for parameter, gradient in gradients(ours, vectors).items():
        error = (gradient - expected[parameter]).norm()
        assert error <= 1e-5 * expected[parameter].norm() + 1e-6 * largest, parameter


def test_no_token_of_padding_reaches_the_backbone(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = encoder("bert", "sdpa", tokenizer, "mean", max_tokens=40)
    seen: list[int] = []
    real = model.backbone.forward

    def spy(**inputs: Tensor) -> object:
        seen.append(inputs["input_ids"].numel())
        return real(**inputs)

    monkeypatch.setattr(model.backbone, "forward", spy)
    model(tokens())
    assert sum(seen) == sum(LENGTHS) and max(seen) <= 40


def test_a_text_does_not_see_its_neighbours(tokenizer: PreTrainedTokenizerBase) -> None:
    model = encoder("xlm-roberta", "sdpa", tokenizer, "mean")
    batch = tokens()
    changed = batch.ids.clone()
    changed[sum(LENGTHS[:3]) : sum(LENGTHS[:4])] = 7
    before, after = model(batch), model(Tokens(changed, LENGTHS))
    others = [row for row in range(len(LENGTHS)) if row != 3]
    torch.testing.assert_close(before[others], after[others], rtol=0, atol=0)
    assert not torch.allclose(before[3], after[3])


def test_padded_callers_of_the_backbone_get_what_sdpa_gives(tokenizer: PreTrainedTokenizerBase) -> None:
    prepared, untouched = encoder("bert", "sdpa", tokenizer, "mean").backbone, backbone("bert", "sdpa")
    ids = torch.randint(5, 90, (3, 8), generator=torch.Generator().manual_seed(3))
    mask = torch.tensor([[1] * 8, [1] * 5 + [0] * 3, [1] * 2 + [0] * 6])
    for attention_mask in (mask, None):
        torch.testing.assert_close(
            prepared(ids, attention_mask=attention_mask).last_hidden_state,
            untouched(ids, attention_mask=attention_mask).last_hidden_state,
        )


def test_the_stored_configuration_does_not_name_our_attention(tokenizer: PreTrainedTokenizerBase) -> None:
    model = encoder("bert", "sdpa", tokenizer, "mean")
    assert packed.PACKED not in str(model.blueprint()["backbone"])


def test_dropout_acts_and_is_reproducible(tokenizer: PreTrainedTokenizerBase) -> None:
    torch.manual_seed(1)
    shape = SHAPE | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.5}
    model = TextEncoder(BertModel(BertConfig(**shape)), TextTokenizer(tokenizer), "mean")
    draws = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        draws.append(model(tokens()))
    assert torch.equal(draws[0], draws[1]) and not torch.allclose(draws[0], draws[2])
    assert not torch.allclose(draws[0], model.eval()(tokens()))


def test_dropout_does_not_change_which_tokens_are_attended_to() -> None:
    q, k, v = torch.randn(3, 2, 4, 5, 8, generator=torch.Generator().manual_seed(4)).unbind()
    mask = (torch.arange(5) < torch.tensor([5, 3])[:, None])[:, None, None]
    torch.testing.assert_close(packed._attend(q, k, v, mask, 1e-12, None), packed._attend(q, k, v, mask, 0.0, None))
