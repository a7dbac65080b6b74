"""Uploads, against a stand-in for the hub that knows the signatures of its client."""

from pathlib import Path
from unittest.mock import Mock, create_autospec

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import OfflineModeIsEnabled

from hybrid_ir.export import push
from hybrid_ir.export.push import Upload

TOKEN = "hf_" + "5ec2e7" * 5


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A hub that can be reached, knows the token and has no repository."""
    api: Mock = create_autospec(HfApi, instance=True)
    api.repo_exists.return_value = False
    api.create_repo.return_value = "https://huggingface.co/org/model"
    monkeypatch.setattr(push, "HfApi", lambda: api)
    monkeypatch.setattr(push, "hub_reachable", lambda: True)
    monkeypatch.setattr(push, "get_token", lambda: TOKEN)
    return api


@pytest.mark.parametrize("private", [True, False])
def test_a_folder_becomes_a_repository(hub: Mock, private: bool, tmp_path: Path) -> None:
    upload = Upload("org/model", private)
    upload.check()
    assert upload.send(tmp_path) == "https://huggingface.co/org/model"
    hub.create_repo.assert_called_once_with("org/model", private=private, exist_ok=True)
    (call,) = hub.upload_folder.call_args_list
    assert (call.kwargs["repo_id"], call.kwargs["folder_path"]) == ("org/model", tmp_path)
    assert call.kwargs["delete_patterns"] == "*"  # what an earlier model left is not this one's
    assert TOKEN not in repr(hub.mock_calls)  # the client finds it by itself


def test_without_a_token_nothing_is_asked(hub: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "get_token", lambda: None)
    with pytest.raises(ValueError, match=r"push=org/model needs a token .* HF_TOKEN .* hf auth login"):
        Upload("org/model").check()
    assert not hub.mock_calls


def test_a_repository_that_exists_is_not_touched_unasked(hub: Mock) -> None:
    hub.repo_exists.return_value = True
    with pytest.raises(ValueError, match=r"there is such a repository.*overwrite=true"):
        Upload("org/model").check()
    Upload("org/model", overwrite=True).check()
    assert not hub.create_repo.called and not hub.upload_folder.called


def test_a_hub_out_of_reach_or_unwilling_is_an_error_of_one_line(
    hub: Mock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub.repo_exists.side_effect = OfflineModeIsEnabled("no network\nat all")
    with pytest.raises(ValueError, match=r"the hub refuses: no network$"):
        Upload("org/model").check()
    hub.upload_folder.side_effect = OSError("413 too large\nRequest id")
    with pytest.raises(ValueError, match=rf"not uploaded: 413 too large. .* hf upload org/model {tmp_path}$") as caught:
        Upload("org/model").send(tmp_path)
    assert TOKEN not in str(caught.value)
    monkeypatch.setattr(push, "hub_reachable", lambda: False)
    with pytest.raises(ValueError, match="cannot be reached; nothing was done"):
        Upload("org/model").check()
