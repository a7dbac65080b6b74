"""Reference to the encoder of an index: the path to load it from, and a description to verify it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from hybrid_ir import assembly
from hybrid_ir.config.stored_configs import current_target
from hybrid_ir.encoder.model_config import ATTENTION, ModelConfig
from hybrid_ir.evaluation.ranking.scoring import Retriever
from hybrid_ir.evaluation.vectors.encoder import Encoder
from hybrid_ir.sources.errors import InputError

SOURCES = ("checkpoint", "baseline", "model")  # configuration keys; the first that is given names the encoder
RANDOM = "hybrid_ir.evaluation.baselines.random_scores.RandomEncoder"
SENTENCE = "hybrid_ir.evaluation.baselines.sentence_transformers.SentenceTransformerEncoder"
BASELINES = (RANDOM, SENTENCE)


@dataclass(frozen=True)
class Reference:
    """Reference to the encoder that an index was made with.

    Attributes:
        source: `checkpoint`, `baseline` or `model`.
        value: the absolute path of a checkpoint, or the configuration of a baseline or model.
        description: the encoder's description of itself, including the fingerprint of its weights.
    """

    source: str
    value: Any
    description: Mapping[str, Any]

    @classmethod
    def of(cls, cfg: DictConfig, system: Encoder | Retriever) -> "Reference":
        """Reference to the system that `assembly.build_system(cfg)` built.

        Raises:
            ValueError: the system does not embed texts.
        """
        if isinstance(system, Retriever):
            raise ValueError(
                f"baseline={system.describe()['baseline']} scores texts without vectors, but an index consists "  # type: ignore[attr-defined]
                "of vectors; give a model, a checkpoint or baseline=sentence_transformers"
            )
        source = next(name for name in SOURCES if cfg[name] is not None)
        if source == "checkpoint":
            return cls(source, str(Path(cfg.checkpoint).absolute()), _description(system))
        value = assembly.plain(cfg[source])
        name = value.get("name_or_path")
        if name is not None and Path(name).is_dir():
            value["name_or_path"] = str(Path(name).absolute())
        return cls(source, value, _description(system))

    @property
    def path(self) -> str:
        """Path or name of the encoder, for messages."""
        return str(self.value if self.source == "checkpoint" else self.value.get("name_or_path", self.source))

    def load(self, cache: Path, device: torch.device, moved: str | None = None) -> Encoder:
        """Load the encoder, and check that it is the one that the index was made with.

        Args:
            cache: folder of cached files, such as learned vocabularies.
            device: device of the encoder.
            moved: its current path, if it is no longer at `path`.

        Raises:
            ValueError: it cannot be loaded, is another encoder, or could run code that the user did not name.
        """
        self._check(moved)
        path = moved or self.path
        try:
            encoder: Encoder = assembly.build_system(self._config(cache, moved), device)
        except ValueError as error:
            raise ValueError(
                f"the encoder of this index cannot be loaded from {path}: {error}. If it was moved, give its new "
                "path with encoder=PATH"
            ) from error
        found = _description(encoder)
        different = [key for key in {**self.description, **found} if self.description.get(key) != found.get(key)]
        if different:
            raise ValueError(
                f"{path} is another encoder than this index was made with; different: {', '.join(different)}. Vectors "
                "of two encoders cannot be compared: give the right one with encoder=PATH, or make the index again"
            )
        return encoder

    @classmethod
    def read(cls, path: Path, facts: Mapping[str, Any]) -> "Reference":
        """Read the reference from an index's facts.

        Raises:
            InputError: the facts contain no valid reference.
        """
        reference = cls(str(facts.get("source")), facts.get("value"), facts.get("description") or {})
        fits = isinstance(reference.value, str if reference.source == "checkpoint" else dict)
        if reference.source not in SOURCES or not fits or not isinstance(reference.description, dict):
            raise InputError(path, "damaged: it does not name its encoder")
        return reference

    def _check(self, moved: str | None) -> None:
        """Refuse a reference that could run untrusted code: by a `_target_`, a kernel from the hub, or a resolver.

        Other libraries load a model only if the user names it, since an index may name any folder or repository.
        """
        value = self.value if isinstance(self.value, Mapping) else {}
        target = current_target(str(value.get("_target_")))
        if self.source == "baseline":
            plain = not any(isinstance(inner, Mapping | list) for inner in value.values())
            harmless = plain and target in BASELINES
        else:
            texts = all(isinstance(value.get(key), str | None) for key in ("name_or_path", "revision"))
            harmless = texts and value.get("attention", "sdpa") in ATTENTION and not value.get("compile")
        if harmless and target == SENTENCE and moved is None:
            raise ValueError(
                f"the index was made with the sentence-transformers model {value.get('name_or_path')!r}, which is not "
                "loaded just because an index names it. If you trust the model, give it yourself: "
                "encoder=NAME_OR_FOLDER"
            )
        if not harmless or "${" in json.dumps(self.value):
            raise ValueError(
                f"the index names an encoder that could run code from its author: {self.value!r}. Allowed are a "
                f"checkpoint, a model with attention={' or '.join(ATTENTION)}, and {' or '.join(BASELINES)}"
            )

    def _config(self, cache: Path, moved: str | None) -> DictConfig:
        value = self.value
        if moved is not None:
            revision = value.get("revision") if self.source != "checkpoint" and moved == self.path else None
            value = moved if self.source == "checkpoint" else {**value, "name_or_path": moved, "revision": revision}
        if self.source == "baseline":
            value = {**value, "_target_": current_target(value["_target_"])}
        chosen = dict.fromkeys(SOURCES) | {self.source: value}
        if self.source == "model":
            chosen["model"] = OmegaConf.merge(OmegaConf.structured(ModelConfig), value)
        return OmegaConf.create({**chosen, "paths": {"cache": str(cache)}})


def _description(encoder: Encoder) -> dict[str, Any]:
    """The encoder's description after a round trip through JSON, comparable with one from a file."""
    described: dict[str, Any] = json.loads(json.dumps(dict(encoder.describe()), default=str))  # type: ignore[attr-defined]
    return described
