"""Uploads a model folder to the Hugging Face hub."""

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HTTPError

from hybrid_ir.sources.errors import first_line
from hybrid_ir.sources.hub.network import guard_hub, hub_reachable


@dataclass(frozen=True)
class Upload:
    """An upload to a hub repository, with the token of huggingface_hub (`HF_TOKEN`, or that of `hf auth login`).

    Attributes:
        repository: ORG/NAME.
        private: create it as a private repository, if it does not exist.
        overwrite: replace all files of an existing repository.
    """

    repository: str
    private: bool = True
    overwrite: bool = False

    def check(self) -> None:
        """Check, before the export starts, that an upload can succeed.

        Raises:
            ValueError: there is no token, the hub cannot be reached or rejects the token, or the repository exists and
                must not be overwritten.
        """
        guard_hub()
        if get_token() is None:
            raise ValueError(
                f"push={self.repository} needs a token of the Hugging Face hub that may write; set HF_TOKEN in the "
                "environment, or log in with: hf auth login"
            )
        if not hub_reachable():
            raise ValueError(f"push={self.repository}: the Hugging Face hub cannot be reached; nothing was done")
        try:
            exists = HfApi().repo_exists(self.repository)
        except (HTTPError, OSError) as error:
            raise ValueError(f"push={self.repository}: the hub refuses: {first_line(error)}") from None
        if exists and not self.overwrite:
            raise ValueError(
                f"push={self.repository}: there is such a repository; name another one, or let this model take its "
                "place with overwrite=true (its history keeps the other)"
            )

    def send(self, folder: Path) -> str:
        """Upload a folder as the only content of the repository.

        Returns:
            The repository's address.

        Raises:
            ValueError: the hub rejects the upload, or the connection failed. The folder is intact for another try.
        """
        api = HfApi()
        try:
            address = api.create_repo(self.repository, private=self.private, exist_ok=True)
            api.upload_folder(
                repo_id=self.repository,
                folder_path=folder,
                commit_message="Exported by hybrid_ir",
                delete_patterns="*",
            )
        except (HTTPError, OSError) as error:
            raise ValueError(
                f"push={self.repository}: not uploaded: {first_line(error)}. The model is intact in {folder}; upload "
                f"it with: hf upload {self.repository} {folder}"
            ) from None
        return str(address)
