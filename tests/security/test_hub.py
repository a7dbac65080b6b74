"""The hub and downloads: who gets the token, and what is taken for a file."""

import http.server
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hybrid_ir.sources.hub import fetch as downloads
from hybrid_ir.sources.hub import network
from hybrid_ir.sources.hub.fetch import fetch
from hybrid_ir.sources.hub.network import HubAnswerError, guard_hub, no_hub, refuse_answer, withhold_token


class Server(http.server.BaseHTTPRequestHandler):
    """Answers everything with one body, and remembers the headers that it got."""

    body, kind, seen = b"", "application/json", list[dict[str, str]]()

    def do_GET(self) -> None:
        type(self).seen.append({key.lower(): value for key, value in self.headers.items()})
        self.send_response(200)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Server.body, Server.kind, Server.seen = b"{}", "application/json", []
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


@pytest.mark.parametrize(
    ("hub", "url", "kept"),
    [
        ("https://huggingface.co", "https://huggingface.co/api/models/x", True),
        ("https://huggingface.co", "http://huggingface.co/api/models/x", False),
        ("https://huggingface.co", "https://huggingface.co.evil.org/x", False),
        ("https://huggingface.co", "https://cdn.hf.co/x", False),
        ("https://huggingface.co", "https://huggingface.co:8443/x", False),
        ("https://mirror.org", "https://huggingface.co/x", False),
        ("https://mirror.org:8443", "https://mirror.org:8443/x", True),
        ("http://mirror.org", "http://mirror.org/x", False),
    ],
)
def test_the_token_goes_to_the_configured_hub_over_https_alone(
    monkeypatch: pytest.MonkeyPatch, hub: str, url: str, kept: bool
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub)
    request = SimpleNamespace(url=url, headers={"authorization": "Bearer x", "accept": "*/*"})
    withhold_token(request)
    assert ("authorization" in request.headers) == kept and "accept" in request.headers


def test_a_hub_over_http_gets_no_token_and_a_warning(
    server: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The real client, with a token of the environment."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.utils import _http

    monkeypatch.setattr(constants, "ENDPOINT", server)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(_http, "_GLOBAL_CLIENT_FACTORY", _http._GLOBAL_CLIENT_FACTORY)
    monkeypatch.setenv("HF_TOKEN", "hf_" + "aB3" * 12)
    guard_hub.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            guard_hub()
        with pytest.raises(Exception):  # noqa: B017, PT011 (an empty answer is none of the hub)
            HfApi(endpoint=server).model_info("somebody/model")
        assert Server.seen and not any("authorization" in headers for headers in Server.seen)
        assert "without encryption" in caplog.text
        with no_hub(), pytest.raises(Exception, match="offline"):
            HfApi(endpoint=server).model_info("somebody/model")
    finally:
        guard_hub.cache_clear()
        _http.close_session()


def test_a_web_page_and_a_file_without_end_are_no_answers() -> None:
    def answer(status: int = 200, **headers: str) -> Any:
        request = SimpleNamespace(url=SimpleNamespace(host="huggingface.co"))
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return SimpleNamespace(status_code=status, headers=named, request=request)

    for fine in (answer(content_type="application/json"), answer(404, content_type="text/html"), answer()):
        refuse_answer(fine)
    with pytest.raises(HubAnswerError, match="a web page"):
        refuse_answer(answer(content_type="Text/HTML; charset=utf-8"))
    with pytest.raises(HubAnswerError, match="a file of"):
        refuse_answer(answer(content_length=str(network.LARGEST_FILE + 1)))


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("text/html", b"{}", "a web page"),
        ("application/octet-stream", b"\n<!DOCTYPE HTML><html>log in</html>", "a web page"),
        ("application/json", b"x" * 200, "more than 100 bytes"),
    ],
    ids=["header", "content", "size"],
)
def test_a_download_is_bounded_and_no_web_page(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, body: bytes, message: str
) -> None:
    Server.body, Server.kind = body, kind
    monkeypatch.setattr(downloads, "LARGEST", 100)
    with pytest.raises(ValueError, match=message):
        fetch(f"{server}/file", tmp_path / "file", "0" * 64)
    assert not (tmp_path / "file").exists()
