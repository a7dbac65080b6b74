"""What training changes in a backbone: LoRA adapters (by peft), new weights for upper layers, and compilation."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

ADAPTER = "default"


@dataclass
class LoraConfig:
    """Settings of LoRA: W x becomes W x + (alpha / rank) B A x, with W frozen.

    A (rank, in) starts random and B (out, rank) zero; only A and B are trained (Hu et al., ICLR 2022,
    arXiv:2106.09685).

    Attributes:
        rank: rank of B A; 0 trains all weights instead.
        alpha: scale of the update.
        dropout: dropout on the adapters' input.
        target_modules: names, or last parts of names, of the linear layers to adapt.
    """

    rank: int = 0
    alpha: float = 16.0
    dropout: float = 0.0
    target_modules: list[str] = field(default_factory=lambda: ["query", "value"])

    def __post_init__(self) -> None:
        if self.rank < 0 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise ValueError(
                f"model.lora: rank={self.rank} must not be negative, alpha={self.alpha} must be positive and "
                f"dropout={self.dropout} in [0, 1)"
            )


def add_adapters(backbone: PreTrainedModel, config: LoraConfig) -> None:
    """Add adapters to a backbone in place and freeze all other weights.

    Raises:
        ValueError: peft is not installed, or a target names no linear layer of the backbone.
    """
    try:
        import peft
    except ImportError:
        raise ValueError("model.lora needs the library peft: pip install peft") from None
    layers = [name for name, module in backbone.named_modules() if isinstance(module, nn.Linear)]
    for target in config.target_modules:
        if not any(name == target or name.endswith(f".{target}") for name in layers):
            known = sorted({name.rsplit(".", 1)[-1] for name in layers})
            raise ValueError(
                f"model.lora.target_modules: a {type(backbone).__name__} has no linear layer {target!r}; its linear "
                f"layers are called {', '.join(known)}"
            )
    settings: Any = {"r": config.rank, "lora_alpha": config.alpha, "lora_dropout": config.dropout}
    peft.inject_adapter_in_model(
        peft.LoraConfig(**settings, target_modules=list(config.target_modules)), backbone, adapter_name=ADAPTER
    )


@torch.no_grad()
def merged_weights(backbone: PreTrainedModel) -> dict[str, Tensor]:
    """The backbone's state dict with its adapters merged into the weights they adapt.

    W + (alpha / rank) B A is computed in float64 on the CPU, so it is the same on every device.
    """
    state = {key: value for key, value in backbone.state_dict().items() if ".lora_" not in key}
    for name, layer in _adapted(backbone):
        key = f"{name}.base_layer.weight"
        low, high = (part[ADAPTER].weight.double().cpu() for part in (layer.lora_A, layer.lora_B))
        state[key] = (state[key].double().cpu() + layer.scaling[ADAPTER] * (high @ low)).to(state[key])
    return {key.replace(".base_layer.", "."): value for key, value in state.items()}


def _adapted(backbone: PreTrainedModel) -> list[tuple[str, Any]]:
    return [(name, module) for name, module in backbone.named_modules() if hasattr(module, "lora_A")]


@torch.no_grad()
def reinitialise_upper_layers(backbone: PreTrainedModel, count: int) -> None:
    """Give the `count` uppermost layers new random weights.

    Lower layers keep what pretraining taught them; how languages are aligned is learned from scratch.
    Weights are normal with the configuration's `initializer_range`, biases 0, layer norms 1 and 0, as Zhang et al. do
    before fine-tuning (ICLR 2021, arXiv:2006.05987). The numbers come from torch's global generator: seed it.

    Raises:
        ValueError: the backbone has fewer layers, or does not keep them in `encoder.layer`.
    """
    layers = getattr(getattr(backbone, "encoder", None), "layer", None)
    if not isinstance(layers, nn.ModuleList) or not 0 <= count <= len(layers):
        found = f"has {len(layers)}" if isinstance(layers, nn.ModuleList) else "keeps none in encoder.layer"
        raise ValueError(
            f"model.reinit_layers is {count}, and this backbone ({type(backbone).__name__}) {found}: it must be "
            "between 0 and the number of layers"
        )
    for layer in layers[len(layers) - count :]:
        for module in layer.modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(std=backbone.config.initializer_range)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.LayerNorm):
                module.reset_parameters()


def compile_in_place(backbone: nn.Module, backend: str) -> None:
    """Compile a backbone's forward pass; the module and the names of its weights stay the same.

    Shapes are symbolic from the start: texts differ in length, and each length would compile a graph of its own.
    Dropout draws the same numbers as without compilation, so that the second pass of gradient caching can replay the
    first.

    Raises:
        ValueError: PyTorch has no such backend.
    """
    known = torch.compiler.list_backends(exclude_tags=("experimental",))
    if backend not in [*known, *torch.compiler.list_backends()]:
        raise ValueError(f"model.compile is {backend!r}; this PyTorch has {', '.join(known)}")
    backbone.compile(
        backend=backend, dynamic=True, options={"fallback_random": True} if backend == "inductor" else None
    )
