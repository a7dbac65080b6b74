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
        if self.path == "/absent":
            self.send_error(404, "Not Found")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) + (10 if self.path == "/cut" else 0)))
        self.end_headers()
        self.wfile.write(CONTENT)

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


OFFLINE = r".*experiment=quickstart.*model\.name_or_path=DIR.*paths\.data=DIR"


@pytest.mark.parametrize(
    ("url", "checksum", "error", "message"),
    [
        ("SERVER/file", "0" * 64, ValueError, f"SERVER/file.* not hold the pinned .*{SHA256}, expected 00"),
        ("SERVER/absent", SHA256, UnreachableError, f"SERVER/absent.*the server answers 404{OFFLINE}"),
        ("SERVER/cut", SHA256, UnreachableError, f"SERVER/cut.*the transfer broke off{OFFLINE}"),
        ("file:///absent", SHA256, UnreachableError, f"file:///absent{OFFLINE}"),
    ],
)
def test_what_is_not_delivered_leaves_nothing(
    server: str, tmp_path: Path, url: str, checksum: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match="(?s)" + message.replace("SERVER", server)):
        fetch(url.replace("SERVER", server), tmp_path / "file", checksum)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_no_network_fault(server: str, tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file where a folder should be")
    with pytest.raises(ValueError, match=r"cannot write .*folder/file .*paths\.data=DIR") as error:
        fetch(f"{server}/file", tmp_path / "folder" / "file", SHA256)
    assert not isinstance(error.value, UnreachableError)
