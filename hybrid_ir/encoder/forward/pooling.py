"""Poolings: functions that turn the token states of a text into one vector."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.utils import cached_file

from hybrid_ir.sources.errors import InputError
from hybrid_ir.sources.json_file import read_json_value

Pooling = Callable[[BaseModelOutputWithPooling, Tensor], Tensor]


def mean(output: BaseModelOutputWithPooling, mask: Tensor) -> Tensor:
    """Mean of the token states (E5, XLM-R). mask (B, L) -> (B, D) float32."""
    assert output.last_hidden_state is not None
    weights = mask.unsqueeze(-1).float()
    return (output.last_hidden_state.float() * weights).sum(1) / weights.sum(1)


def cls(output: BaseModelOutputWithPooling, mask: Tensor) -> Tensor:
    """State of the first token (BERT's [CLS]). mask (B, L) -> (B, D) float32."""
    assert output.last_hidden_state is not None
    return output.last_hidden_state[:, 0].float()


def pooler(output: BaseModelOutputWithPooling, mask: Tensor) -> Tensor:
    """tanh(W h_cls + b), as LaBSE was trained (Feng et al., ACL 2022). mask (B, L) -> (B, D) float32."""
    assert output.pooler_output is not None
    return output.pooler_output.float()


POOLINGS: dict[str, Pooling] = {"mean": mean, "cls": cls, "pooler": pooler}


def prepare_backbone(backbone: PreTrainedModel, pooling: str) -> None:
    """Remove the backbone's pooler if it is unused, since DDP rejects parameters without a gradient.

    Raises:
        ValueError: the pooling is unknown, or is `pooler` and the backbone has none.
    """
    if pooling not in POOLINGS:
        raise ValueError(f"model.pooling is {pooling!r}; there are {', '.join(POOLINGS)}")
    if pooling != "pooler" and getattr(backbone, "pooler", None) is not None:
        backbone.register_module("pooler", None)
    if pooling == "pooler" and getattr(backbone, "pooler", None) is None:
        raise ValueError(f"model.pooling=pooler, but a {type(backbone).__name__} has no pooler; use mean or cls")


def load_dense(
    backbone: PreTrainedModel, name_or_path: str, revision: str | None = None, local_files_only: bool = False
) -> bool:
    """Load a sentence-transformers repository's `Dense` weights into the backbone's pooler.

    LaBSE's repository stores its trained dense-tanh layer in `2_Dense/`, apart from the transformer; the pooler
    computes the same function.

    Returns:
        Whether the repository has such a layer.
    """

    def fetch(filename: str) -> str | None:
        found: str | None = cached_file(
            name_or_path,
            filename,
            revision=revision,
            local_files_only=local_files_only,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        return found

    modules = fetch("modules.json")
    if modules is None:
        return False
    try:
        listed = read_json_value(modules)
        dense = [str(module["path"]) for module in listed if module["type"].endswith(".Dense")]
    except (TypeError, KeyError, AttributeError):
        raise InputError(modules, "must hold a list of modules with type and path") from None
    if not dense:
        return False
    if ".." in Path(dense[0]).parts or Path(dense[0]).is_absolute():
        raise InputError(modules, f"the module's path {dense[0]!r} leads out of the folder")
    if (safe := fetch(f"{dense[0]}/model.safetensors")) is not None:
        state = load_file(safe)
    elif (pickled := fetch(f"{dense[0]}/pytorch_model.bin")) is not None:
        state = torch.load(pickled, weights_only=True)
    else:
        raise ValueError(f"{name_or_path} lists a Dense layer in modules.json but holds no weights in {dense[0]}/")
    assert isinstance(backbone.pooler, nn.Module)
    layer = backbone.pooler.get_submodule("dense")
    layer.load_state_dict({key.removeprefix("linear."): value for key, value in state.items()})
    return True
