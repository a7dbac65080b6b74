"""Downloads: complete and checked, or an error that says how to work offline."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_ir.sources.hub.fetch import UnreachableError, fetch, sha256_of

CONTENT = "Übung".encode()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/file":
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT)
        elif self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT) + 10))
            self.end_headers()
            self.wfile.write(CONTENT)
        else:
            self.send_error(404, "Not Found")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_file_is_downloaded_into_new_folders(server: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    fetch(f"{server}/file", path, SHA256)
    assert path.read_bytes() == CONTENT and sha256_of(path) == SHA256
    assert list(path.parent.iterdir()) == [path]


def test_another_content_than_pinned_is_refused_and_nothing_is_left(server: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(ValueError, match=rf"does not hold the pinned file: SHA-256 {SHA256}, expected 0000"):
        fetch(f"{server}/file", path, "0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("page", "reason"), [("/absent", "the server answers 404"), ("/cut", "the transfer broke off")]
)
def test_a_server_that_does_not_deliver(server: str, tmp_path: Path, page: str, reason: str) -> None:
    with pytest.raises(UnreachableError) as error:
        fetch(f"{server}{page}", tmp_path / "file", SHA256)
    assert f"{server}{page}" in str(error.value) and reason in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unreachable_host_names_the_offline_ways(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError) as error:
        fetch((tmp_path / "absent").as_uri(), tmp_path / "file", SHA256)
    for way in ("experiment=quickstart", "model.name_or_path=DIR", "paths.data=DIR"):
        assert way in str(error.value)


def test_a_place_that_cannot_be_written_is_no_network_fault(server: str, tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file where a folder should be")
    with pytest.raises(ValueError, match=r"cannot write .*folder/file .*paths\.data=DIR") as error:
        fetch(f"{server}/file", tmp_path / "folder" / "file", SHA256)
    assert not isinstance(error.value, UnreachableError)
