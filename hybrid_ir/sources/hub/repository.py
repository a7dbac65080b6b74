"""Pinned sources on the Hugging Face hub, or their local copies: files of data sets, and revisions of models.

The owner of a name on the hub can replace its weights at any time, but a commit never changes. The pins of models are
the commits that MTEB 2.26.24 evaluates (`revision` in its model registry). They have not been compared with the hub
itself, which could not be reached.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_ir.sources.errors import first_line
from hybrid_ir.sources.hub.fetch import UnreachableError
from hybrid_ir.sources.hub.network import HubAnswerError, guard_hub, hub_reachable


@dataclass(frozen=True)
class Repository:
    """A data set repository at one revision.

    Attributes:
        name: owner/name on the hub.
        revision: commit or branch.
    """

    name: str
    revision: str

    def folder(self, patterns: Sequence[str], root: str | Path | None = None) -> Path:
        """A local folder with the repository's files, in the layout of the hub.

        Args:
            patterns: the files to download, as glob patterns on their paths in the repository.
            root: a folder of repositories. If `root/owner/name` exists it is used as it is, whatever its revision, and
                nothing is downloaded.

        Returns:
            The folder. The caller checks that it has every file, since a local copy may lack some.

        Raises:
            UnreachableError: there is no local or cached copy, and the hub cannot be reached.
            ValueError: the repository or revision does not exist, or this user has no access.
        """
        local = Path(root) / self.name if root is not None else None
        if local is not None and local.is_dir():
            return local
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.errors import (
            HTTPError,
            LocalEntryNotFoundError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        guard_hub()
        what = f"the data set {self.name} (revision {self.revision}) on the Hugging Face hub"
        offline: Exception | None = None
        try:  # a download would retry for half a minute
            HfApi().repo_info(self.name, repo_type="dataset", revision=self.revision)
        except (RepositoryNotFoundError, RevisionNotFoundError) as error:
            raise ValueError(f"{what} is not available: {first_line(error)}") from error
        except (HTTPError, ConnectionError, HubAnswerError) as error:
            offline = error
        try:
            folder = snapshot_download(
                self.name,
                repo_type="dataset",
                revision=self.revision,
                allow_patterns=list(patterns),
                local_files_only=offline is not None,
            )
        except (LocalEntryNotFoundError, HTTPError, HubAnswerError) as error:
            tried = f"no folder {local}, " if local else ""
            reason = f"{tried}no copy in the Hugging Face cache (HF_HOME=DIR names another cache)"
            raise UnreachableError(what, f"{reason}; {first_line(offline or error)}") from error
        return Path(folder)


MODEL_PINS: Mapping[str, str] = {
    "sentence-transformers/LaBSE": "e34fab64a3011d2176c99545a93d5cbddc9a91b7",
    "FacebookAI/xlm-roberta-base": "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089",
    "FacebookAI/xlm-roberta-large": "c23d21b0620b635a76227c604d44e43a9f0ee389",
    "intfloat/multilingual-e5-small": "fd1525a9fd15316a2d503bf26ab031a61d056e98",
    "intfloat/multilingual-e5-base": "d13f1b27baf31030b7fd040960d60d909913633f",
}


def hub_source(name_or_path: str, revision: str | None = None) -> dict[str, Any]:
    """The arguments `revision` and `local_files_only` of transformers, the same for every file of a model.

    Args:
        name_or_path: a folder, or a name on the hub.
        revision: the configured revision; None for the pinned commit, or the newest if the model has no pin.
    """
    guard_hub()
    local = Path(name_or_path).is_dir() or not hub_reachable()
    return {"revision": revision or MODEL_PINS.get(name_or_path), "local_files_only": local}
