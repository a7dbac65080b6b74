"""Options that take one of a few words, checked before anything is read."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from lightning.pytorch.accelerators import AcceleratorRegistry
from omegaconf import DictConfig, OmegaConf

from hybrid_ir.encoder.forward.pooling import POOLINGS
from hybrid_ir.nearest import nearest
from hybrid_ir.sampling.policy import KINDS
from hybrid_ir.training.optimizer import SCHEDULES

CHOICES: dict[str, Callable[[], Collection[str]]] = {
    "sampler.kind": lambda: KINDS,
    "model.pooling": lambda: POOLINGS,
    "optim.schedule": lambda: SCHEDULES,
    "trainer.accelerator": lambda: ["auto", "gpu", *AcceleratorRegistry.available_accelerators()],
}


def check_choices(cfg: DictConfig, more: Mapping[str, Collection[str]] = MappingProxyType({})) -> None:
    """Refuse a word that an option does not know.

    Args:
        cfg: the configuration.
        more: options of one program: key -> its words.

    Raises:
        ValueError: names the option, the nearest of its words, and all of them.
    """
    for key, words in [*((key, words()) for key, words in CHOICES.items()), *more.items()]:
        value, known = OmegaConf.select(cfg, key), list(words)
        if value is not None and value not in known:
            near = nearest(str(value), known)
            hint = f"did you mean {near!r}? There are" if near else "there are"
            raise ValueError(f"{key} is {value!r}; {hint} {', '.join(known)}")
