"""A port that cannot be listened on is one sentence, for the server and for the page."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.ports import open_port
from robo_refer.referrer import Referrer
from robo_refer.serve.app import create_app
from robo_refer.serve.config import ServeConfig
from robo_refer.serve.listening import run
from robo_refer.ui.cli import main as open_page
from tests.robo_refer.serve.serving import ColourEngine


def test_a_free_port_is_opened() -> None:
    with open_port("localhost", 0) as listening:
        assert listening.getsockname()[1] > 0


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 99_999), ("192.0.2.1", 8000), ("not a host", 8000)]
)
def test_what_cannot_be_opened_is_said(host: str, port: int) -> None:
    with pytest.raises(RoboReferError, match=f"{host}, port {port}") as refused:
        open_port(host, port)
    assert refused.value.code is ErrorCode.BAD_REQUEST


def test_a_taken_port_is_refused_by_the_server_and_by_the_page() -> None:
    with open_port("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        config = ServeConfig(port=port)
        with pytest.raises(RoboReferError, match=f"port {port}"):
            run(create_app(config, Referrer(ColourEngine())), config)
        with pytest.raises(RoboReferError, match=f"port {port}"):
            open_page(["--port", str(port), "--no-browser"])


def test_a_page_for_others_is_said_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    with open_port("0.0.0.0", 0) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(RoboReferError, match=port):
            open_page(["--host", "0.0.0.0", "--port", port, "--no-browser"])
    assert "everyone who reaches 0.0.0.0" in capsys.readouterr().err


def test_a_page_on_any_port_is_told_which(monkeypatch: pytest.MonkeyPatch) -> None:
    launched: dict[str, Any] = {}
    page = SimpleNamespace(launch=lambda **options: launched.update(options))
    monkeypatch.setattr("robo_refer.ui.page.build", lambda referrer: page)
    open_page(["--port", "0", "--no-browser"])
    assert launched["server_port"] > 0
    assert (launched["server_name"], launched["share"]) == ("127.0.0.1", False)


def test_what_is_accepted_is_known_to_be_tcp() -> None:
    with open_port("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP, "asyncio sets TCP_NODELAY by this"
