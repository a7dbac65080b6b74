"""New weights for upper layers."""

import pytest
import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

from hybrid_ir.encoder.backbone import reinitialise_upper_layers

SHAPE = {"vocab_size": 30, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}


def backbone() -> BertModel:
    torch.manual_seed(0)
    model = BertModel(BertConfig(**SHAPE, initializer_range=0.05))
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 7.0)
    return model


def test_only_upper_layers_are_drawn_anew() -> None:
    model = backbone()
    torch.manual_seed(1)
    reinitialise_upper_layers(model, 2)
    for name, parameter in model.named_parameters():
        anew = name.startswith(("encoder.layer.1.", "encoder.layer.2."))
        assert anew != bool((parameter == 7.0).all()), name
        if anew and parameter.ndim == 2:
            assert parameter.std().item() == pytest.approx(0.05, rel=0.2)
        elif anew:
            assert set(parameter.tolist()) == ({1.0} if "LayerNorm.weight" in name else {0.0})


def test_seed_decides_and_none_changes_nothing() -> None:
    models = [backbone() for _ in range(3)]
    for model, seed in zip(models, (1, 1, 2), strict=True):
        torch.manual_seed(seed)
        reinitialise_upper_layers(model, 1)
    first, again, other = (model.encoder.layer[-1].output.dense.weight for model in models)
    assert torch.equal(first, again) and not torch.equal(first, other)
    reinitialise_upper_layers(model := backbone(), 0)
    assert all((parameter == 7.0).all() for parameter in model.parameters())


@pytest.mark.parametrize(
    ("model", "count", "message"),
    [
        (backbone(), 4, r"reinit_layers is 4, and this backbone \(BertModel\) has 3"),
        (backbone(), -1, "reinit_layers is -1"),
        (
            DistilBertModel(DistilBertConfig(vocab_size=30, n_layers=1, n_heads=2, dim=8, hidden_dim=8)),
            1,
            "keeps none in",
        ),
    ],
)
def test_what_cannot_be_drawn_anew(model: torch.nn.Module, count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reinitialise_upper_layers(model, count)  # type: ignore[arg-type]
