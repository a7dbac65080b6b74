"""Upper layers that start anew: pretraining's knowledge of texts without its alignment of languages."""

import torch
from torch import nn
from transformers import PreTrainedModel


@torch.no_grad()
def reinitialise_upper_layers(backbone: PreTrainedModel, count: int) -> None:
    """Draw the weights of the `count` uppermost layers anew, as before pretraining.

    Weights are normal with the configuration's `initializer_range`, biases 0, layer norms 1 and 0 (as in Zhang et al.,
    ICLR 2021, arXiv:2006.05987, who start fine-tuning so). The numbers come from torch's generator: seed it.

    Raises:
        ValueError: the backbone has fewer layers, or keeps them elsewhere than in `encoder.layer`.
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
