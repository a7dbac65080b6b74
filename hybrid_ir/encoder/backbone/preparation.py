"""Preparation of a backbone for training: new weights for its upper layers, and compilation."""

import torch
from torch import nn
from transformers import PreTrainedModel


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
