"""A published sentence-transformers model as a baseline."""

from collections.abc import Sequence
from pickle import UnpicklingError
from typing import Any

from torch import Tensor

from hybrid_ir.sources.errors import first_line
from hybrid_ir.sources.hub.fetch import UnreachableError
from hybrid_ir.sources.hub.model_guard import check_sentence_model
from hybrid_ir.sources.hub.repository import hub_source
from hybrid_ir.sources.records import TextKind


class SentenceTransformerEncoder:
    """An encoder that calls the library's own `encode`, with its pooling, batching and length limit.

    Args:
        name_or_path: a hub model or a folder.
        revision: commit or tag on the hub; None for the pinned commit, or the newest if none is pinned.
        query_prefix: put before every query, if the model needs it (`"query: "` for E5).
        passage_prefix: put before every passage.
        batch_size: texts of one forward pass.
        device: where to encode; None chooses a GPU if available.

    Raises:
        ValueError: sentence-transformers is not installed, or the model cannot be read.
    """

    def __init__(
        self,
        name_or_path: str,
        revision: str | None = None,
        query_prefix: str = "",
        passage_prefix: str = "",
        batch_size: int = 32,
        device: str | None = None,
    ) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise ValueError(
                "this baseline needs the library sentence-transformers: pip install sentence-transformers"
            ) from None
        source = hub_source(name_or_path, revision)
        self.name_or_path, self.revision, self.batch_size = name_or_path, source["revision"], batch_size
        self.prefixes: dict[TextKind, str] = {"query": query_prefix, "passage": passage_prefix}
        try:
            check_sentence_model(name_or_path, source)  # the library passes on arguments from the model's files
            arguments = {"trust_remote_code": False}
            self.model = SentenceTransformer(
                name_or_path,
                device=device,
                trust_remote_code=False,
                model_kwargs=arguments | {"weights_only": True, "attn_implementation": "sdpa"},
                processor_kwargs=arguments,
                config_kwargs=arguments,
                **source,
            )
        except UnpicklingError as error:
            raise ValueError(f"the weights of {name_or_path} are refused: {first_line(error)}") from error
        except OSError as error:
            raise UnreachableError(f"the model {name_or_path}", first_line(error)) from error

    def encode(self, texts: Sequence[str], kind: TextKind) -> Tensor:
        """Float32 (N, D) on the model's device, unit rows."""
        prefixed = [self.prefixes[kind] + text for text in texts]
        vectors: Tensor = self.model.encode(
            prefixed,
            batch_size=self.batch_size,
            convert_to_tensor=True,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return vectors.float()

    def describe(self) -> dict[str, Any]:
        """The settings of the baseline, for results."""
        from sentence_transformers import __version__

        return {
            "baseline": "sentence_transformers",
            "name_or_path": self.name_or_path,
            "revision": self.revision,
            "query_prefix": self.prefixes["query"],
            "passage_prefix": self.prefixes["passage"],
            "max_length": self.model.max_seq_length,
            "library": f"sentence-transformers {__version__}",
        }
