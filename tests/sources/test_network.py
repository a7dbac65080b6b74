"""Where the hub is looked for."""

import socket
from unittest.mock import Mock

import pytest

from hybrid_ir.sources.hub.model_pins import SECONDS, hub_reachable


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
