"""Data sets of the Hugging Face hub, pinned to a revision, or the same files in a local folder."""

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
        revision: commit (a pin) or branch.
    """

    name: str
    revision: str

    def folder(self, patterns: Sequence[str], root: str | Path | None = None) -> Path:
        """A folder with the repository's files, laid out as on the hub.

        Args:
            patterns: which files to download, as glob patterns on their paths in the repository.
            root: a folder of repositories; `root/owner/name` is used where it exists, and then nothing is downloaded
                and the revision is whatever lies there.

        Returns:
            The folder. Whether every file is in it is for the caller to check: a local copy may lack some.

        Raises:
            UnreachableError: nothing local, nothing in the cache, and the hub cannot be reached.
            ValueError: the repository or revision does not exist or is closed to this user.
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
        try:  # a download would try again for half a minute before it gives up
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
            reason = f"{tried}no copy in the Hugging Face cache (a filled one is found with HF_HOME=DIR)"
            raise UnreachableError(what, f"{reason}; {first_line(offline or error)}") from error
        return Path(folder)
