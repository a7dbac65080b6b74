"""Data sets on the Hugging Face hub, pinned to a revision, or the same files in a local folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_ir.sources.errors import first_line
from hybrid_ir.sources.hub.fetch import UnreachableError
from hybrid_ir.sources.hub.network import HubAnswerError, guard_hub


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
