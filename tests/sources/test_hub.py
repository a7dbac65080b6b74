"""The hub: its address, and data sets from a local folder, the cache, or an error that says what to do offline."""

import socket
from pathlib import Path
from unittest.mock import Mock, patch

import pytest
from huggingface_hub import constants
from huggingface_hub.errors import RepositoryNotFoundError

from hybrid_ir.sources.hub.fetch import UnreachableError
from hybrid_ir.sources.hub.network import SECONDS
from hybrid_ir.sources.hub.repository import Repository, hub_reachable

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = Repository("owner/name", COMMIT)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Hugging Face cache of this test's own."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    return tmp_path / "hf"


def test_a_local_folder_goes_before_a_filled_cache(tmp_path: Path, cache: Path) -> None:
    local, snapshot = tmp_path / "data" / "owner" / "name", cache / "datasets--owner--name" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "a.tsv").write_text("1\ta\n")
    assert REPOSITORY.folder(["*.tsv"], tmp_path / "data") == snapshot
    local.mkdir(parents=True)
    assert REPOSITORY.folder(["*.tsv"], tmp_path / "data") == local


@pytest.mark.parametrize("root", [None, "data"])
def test_without_any_the_error_says_where_it_looked_and_what_to_do(root: str | None) -> None:
    with pytest.raises(UnreachableError, match=r"owner/name .*HF_HOME=DIR.*experiment=quickstart") as error:
        REPOSITORY.folder(["*.tsv"], root)
    assert ("no folder data/owner/name" in str(error.value)) == (root is not None)


def test_with_a_network_what_the_patterns_name_is_downloaded(tmp_path: Path) -> None:
    with (
        patch("huggingface_hub.HfApi.repo_info"),
        patch("huggingface_hub.snapshot_download", return_value=str(tmp_path)) as download,
    ):
        assert REPOSITORY.folder(["a/*.tsv"], tmp_path / "data") == tmp_path
    options = {"repo_type": "dataset", "revision": COMMIT, "allow_patterns": ["a/*.tsv"], "local_files_only": False}
    download.assert_called_once_with("owner/name", **options)


def test_a_repository_that_does_not_exist_is_no_matter_of_the_network() -> None:
    gone = RepositoryNotFoundError("404: no such repository\nmore", response=Mock())
    with (
        patch("huggingface_hub.HfApi.repo_info", side_effect=gone),
        pytest.raises(ValueError, match=rf"owner/name \(revision {COMMIT}\) .* is not available: 404") as error,
    ):
        REPOSITORY.folder(["*.tsv"])
    assert not isinstance(error.value, UnreachableError)


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        (None, ("huggingface.co", 443)),
        ("http://mirror", ("mirror", 80)),
        ("http://mirror:8090/hub", ("mirror", 8090)),
        ("https://mirror", ("mirror", 443)),
    ],
)
def test_the_port_is_that_of_the_scheme(
    monkeypatch: pytest.MonkeyPatch, endpoint: str | None, address: tuple[str, int]
) -> None:
    for name in ("HF_HUB_OFFLINE", "HF_ENDPOINT", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    if endpoint is not None:
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
    connect = Mock()
    monkeypatch.setattr(socket, "create_connection", connect)
    assert hub_reachable.__wrapped__()  # not what an earlier question found
    connect.assert_called_once_with(address, timeout=SECONDS)
