"""The server as its callers see it: three protocols, every limit, and nobody else's answer."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from threading import Event
from typing import Any

import httpx2
import numpy as np
import pytest

from robo_refer.engines.base import Request
from robo_refer.engines.chat_endpoint import ChatEndpoint
from robo_refer.engines.http_engine import ChatEngine
from robo_refer.errors import RoboReferError
from robo_refer.geometry import from_quaternion, transform_points
from robo_refer.referrer import Referrer
from robo_refer.serve import app, listening
from robo_refer.serve.batcher import Batcher
from robo_refer.serve.config import ServeConfig
from robo_refer.types import CameraModel, Frame, Referral
from tests.robo_refer.serve.serving import (
    PATIENCE_S,
    ColourEngine,
    depth,
    encoded,
    picture,
    serving,
)

CAMERA = {"fx": 30.0, "fy": 30.0, "cx": 15.5, "cy": 11.5, "width": 32, "height": 24}


@pytest.fixture(scope="module")
def engine() -> ColourEngine:
    return ColourEngine()


@pytest.fixture(scope="module")
def url(engine: ColourEngine):
    with serving(engine, max_body_mb=1.0) as address:
        yield address


def post(url: str, path: str, body: Any, **options: Any) -> httpx2.Response:
    return httpx2.post(f"{url}{path}", json=body, timeout=PATIENCE_S, **options)


def get(url: str, **options: Any) -> httpx2.Response:
    return httpx2.get(url, timeout=PATIENCE_S, **options)


def refused(response: httpx2.Response, status: int, *words: str) -> None:
    body = response.json()
    assert response.status_code == status, body
    assert body["result"] == 0
    assert body["remedy"]
    assert body["error"]["message"]
    for word in words:
        assert word in body["message"]


def test_roborefers_clients_get_roborefers_answer(url: str, engine: ColourEngine) -> None:
    asked = {"image_url": [picture(64)], "depth_url": [], "enable_depth": 0, "text": "the mug"}
    reply = post(url, "/query", asked).json()
    assert reply == {"result": 1, "answer": "[(0.250, 0.500)]"}
    relative = encoded(np.dstack([np.arange(24 * 32, dtype=np.uint8).reshape(24, 32)] * 3))
    for sent in (depth(), relative):
        body = asked | {"depth_url": [sent], "enable_depth": 1}
        assert post(url, "/query", body).json()["result"] == 1
        seen = engine.seen[-1].frame.depth_m
        assert seen is not None
        assert np.isfinite(seen).all()
    assert seen[0, 0] > seen[0, -1], "bright is near"


def test_our_own_client_and_openais_ask_the_same(url: str) -> None:
    frame = Frame(np.full((24, 32, 3), 128, np.uint8))
    ours = Referrer.from_pretrained(url).refer(frame, "the mug")
    endpoint = ChatEndpoint(f"{url}/v1", "colour")
    theirs = Referrer(ChatEngine(endpoint, reader="robo_refer", depth="metric")).refer(frame, "it")
    assert ours.points[0].uv_norm == theirs.points[0].uv_norm == (0.5, 0.5)


def test_a_stream_is_the_same_answer_in_pieces(url: str) -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture(64)}"}}
    body = {
        "messages": [{"role": "user", "content": [image, {"type": "text", "text": "the mug"}]}],
        "stream": True,
    }
    lines = post(url, "/v1/chat/completions", body).text.strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert text == "[(0.250, 0.500)]"
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_refer_returns_the_point_in_metres(url: str) -> None:
    body = {
        "instruction": "the mug", "image": picture(128), "depth": depth(1000),
        "camera": CAMERA | {"T_world_cam": np.eye(4).tolist()},
    }  # fmt: skip
    reply = post(url, "/v1/refer", body).json()
    camera = CameraModel(**CAMERA)
    point = reply["points"][0]
    assert reply["status"] == "ok"
    assert point["depth_m"] == pytest.approx(1.015, abs=0.003)
    assert point["p_frame_m"] == point["p_cam_m"]
    assert point["p_cam_m"][0] == pytest.approx(
        (15.5 - camera.cx) / 30 * point["depth_m"], abs=1e-3
    )
    assert post(url, "/v1/refer", body | {"instruction": "nothing"}).json()["status"] == "no_target"


def test_a_pose_may_be_written_with_a_few_decimals(url: str) -> None:
    turn = from_quaternion((0.1, 0.2, 0.3, 0.9274), (1, 2, 3))
    body = {
        "instruction": "the mug", "image": picture(128), "depth": depth(1000),
        "camera": CAMERA | {"T_world_cam": np.round(turn, 4).tolist()},
    }  # fmt: skip
    (point,) = post(url, "/v1/refer", body).json()["points"]
    assert point["p_frame_m"] == pytest.approx(
        tuple(transform_points(turn, point["p_cam_m"])), abs=1e-3
    )


def test_what_is_wrong_with_a_camera_never_reaches_the_model(
    url: str, engine: ColourEngine
) -> None:
    asked = len(engine.seen)
    body = {"instruction": "the mug", "image": picture(), "depth": depth()}
    for wrong in ({"distortion_model": "plumb_bob", "distortion": [1]}, {"T_world_cam": [[1]]}):
        assert post(url, "/v1/refer", body | {"camera": CAMERA | wrong}).status_code == 400
    assert len(engine.seen) == asked


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"image": "%%%"}, 400, "base64"),
        ({"image": "http://169.254.169.254/x.png"}, 400, "fetches nothing"),
        ({"image": base64.b64encode(b"\x80\x04pickle").decode()}, 400, "not an image"),
        ({"image": picture()[: len(picture()) // 2 // 4 * 4]}, 400, "damaged"),
        ({"image": picture(size=(8, 8))}, 400, "8x8"),
        ({"depth": depth(size=(16, 24))}, 400, "shape"),
        ({"depth": picture()}, 400, ""),
        ({"camera": CAMERA | {"width": 33}}, 400, "33x24"),
        ({"camera": CAMERA | {"fx": 0.0}}, 400, "positive"),
        ({"camera": CAMERA | {"T_world_cam": [[1.0]]}}, 400, "4x4"),
        ({"camera": CAMERA | {"T_world_cam": [[0.0] * 4] * 4}}, 400, "rotation"),
        (
            {"camera": CAMERA | {"distortion_model": "plumb_bob", "distortion": [1]}},
            400,
            "plumb_bob",
        ),
        ({"instruction": "x" * 3000}, 422, "instruction"),
        ({"surprise": 1}, 422, "surprise"),
        ({"instruction": "hole"}, 400, "hole"),
    ],
)
def test_bad_requests_are_told_why(
    url: str, change: dict[str, Any], status: int, word: str
) -> None:
    body = {"instruction": "the mug", "image": picture()} | change
    refused(post(url, "/v1/refer", body), status, word)


def test_a_decompression_bomb_is_not_decoded(url: str) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    body = {"instruction": "the mug", "image": base64.b64encode(bomb).decode()}
    refused(post(url, "/v1/refer", body), 400, "megapixels")


def test_a_body_over_the_limit_is_refused_whole(url: str) -> None:
    body = {"instruction": "the mug", "image": "A" * 2_000_000}
    refused(post(url, "/v1/refer", body), 413, "larger")


def connected(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def status(connection: socket.socket) -> int:
    """Read a whole response, in however many pieces it comes, and return its status."""
    response = HTTPResponse(connection)
    response.begin()
    response.read()
    return response.status


def is_hung_up(connection: socket.socket, sent: bytes) -> bool:
    """Tell whether the server ends a connection instead of answering what is sent."""
    try:
        connection.sendall(sent)
        return connection.recv(4096) == b""
    except ConnectionError:  # it has hung up already
        return True


def test_a_slow_caller_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    head, part = b"POST /query HTTP/1.1\r\nHost: x\r\n", b"POST /query HTTP/1.1\r\nHo"
    whole = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(ColourEngine(), body_timeout_s=0.5) as url:
        with connected(url) as slow:
            slow.sendall(head + b"Content-Length: 100\r\n\r\n{")
            assert status(slow) == 408
        with connected(url) as late:
            late.sendall(whole)
            assert status(late) == 200
            monkeypatch.setattr(listening, "HEADER_TIMEOUT_S", 0.2)
            late.sendall(whole)
            assert status(late) == 200
            assert is_hung_up(late, part), "also before another request than the first"
        with connected(url) as slow:
            assert is_hung_up(slow, part)
        monkeypatch.undo()
        assert get(f"{url}/health").json()["status"] == "ok"


def test_a_caller_who_leaves_costs_nobody_else(url: str) -> None:
    body = json.dumps({"text": "the mug", "image_url": [picture()]}).encode()
    for cut in (10, len(body)):
        with connected(url) as leaver:
            head = "POST /query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            leaver.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:cut])
    assert post(url, "/query", json.loads(body)).json()["result"] == 1


def test_a_broken_answer_is_one_callers_and_the_server_lives(url: str) -> None:
    def ask(text: str) -> httpx2.Response:
        return post(url, "/query", {"text": text, "image_url": [picture()]})

    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(ask, ["the mug", "break", "the cup", "hole", "the can", "it"]))
    assert [reply.status_code for reply in replies] == [200, 500, 200, 400, 200, 200]
    assert "ZeroDivision" not in replies[1].text


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def waiting(url: str) -> int:
    return int(get(f"{url}/health").json()["waiting"])


def test_everybody_gets_their_own_answer_and_batches_form() -> None:
    engine = ColourEngine()
    engine.gate.clear()
    with serving(engine, max_batch=8) as url, ThreadPoolExecutor(16) as pool:

        def ask(red: int) -> tuple[int, str]:
            body = {"text": "the mug", "image_url": [picture(red)]}
            return red, post(url, "/query", body).json()["answer"]

        replies = pool.map(ask, list(range(0, 256, 2)))
        try:
            wait_until(lambda: sum(engine.batches) + waiting(url) == 16)
        finally:
            engine.gate.set()
        for red, answer in replies:
            assert answer == f"[({red / 256:.3f}, 0.500)]"
    assert max(engine.batches) > 1
    assert max(engine.batches) <= 8
    assert sum(engine.batches) == 128


def test_a_full_queue_says_when_to_come_back_and_late_answers_time_out() -> None:
    engine = ColourEngine()
    engine.gate.clear()
    body = {"text": "the mug", "image_url": [picture()]}
    with serving(engine, max_batch=1, max_queue=1) as url, ThreadPoolExecutor(2) as pool:
        try:
            taken = [pool.submit(post, url, "/query", body) for _ in range(2)]
            wait_until(lambda: engine.batches == [1] and waiting(url) == 1)
            busy = post(url, "/query", body)
        finally:
            engine.gate.set()
        assert busy.headers["retry-after"] == "1"
        refused(busy, 429, "waiting")
        assert [reply.result().status_code for reply in taken] == [200, 200]
    engine.gate.clear()
    with serving(engine, timeout_s=0.1) as url:
        try:
            refused(post(url, "/query", body), 504, "0.1 s")
        finally:
            engine.gate.set()


def test_bodies_that_do_not_arrive_are_few() -> None:
    head = b"POST /query HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    body = {"text": "the mug", "image_url": [picture()]}
    with serving(ColourEngine(), max_batch=1, max_queue=1) as url:
        with connected(url) as one, connected(url) as other:
            for slow in (one, other):
                slow.sendall(head)
                assert b" 100 " in slow.recv(4096)  # it is waited for
            refused(post(url, "/query", body), 429)
            assert get(f"{url}/health").status_code == 200
        wait_until(lambda: post(url, "/query", body).status_code == 200)


def test_who_has_gone_is_not_asked_for_again() -> None:
    asked: list[list[str]] = []
    gone = Event()

    def answer(requests: Sequence[Request]) -> list[Referral]:
        asked.append([request.instruction for request in requests])
        if len(requests) > 1:
            gone.wait()
            raise ZeroDivisionError("broken")
        return [Referral(requests[0].instruction, "it", "ok", (), (), "", {})]

    async def both() -> Referral:
        batcher = Batcher(answer, max_batch=2, max_queue=2, wait_s=0)
        frame = Frame(np.zeros((24, 32, 3), np.uint8))
        stays = asyncio.create_task(batcher.submit(Request(frame, "stays"), PATIENCE_S))
        goes = asyncio.create_task(batcher.submit(Request(frame, "goes"), 0.1))
        await asyncio.sleep(0)  # both wait before anything is answered
        batcher.start()
        try:
            with pytest.raises(RoboReferError):
                await goes
        finally:
            gone.set()
        answered = await stays
        await batcher.close()
        return answered

    assert asyncio.run(both()).instruction == "stays"
    assert sorted(map(sorted, asked)) == [["goes", "stays"], ["stays"]]


def test_every_failure_has_one_form(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(get(f"{url}/nowhere"), 404)
    refused(get(f"{url}/query"), 405)
    refused(httpx2.post(f"{url}/query", content=b"{", timeout=PATIENCE_S), 422)
    colours = encoded(np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8))
    body = {"text": "the mug", "image_url": [picture()], "depth_url": [colours], "enable_depth": 1}
    refused(post(url, "/query", body), 400, "colour")

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(app, "rgb_of", fail)
    reply = post(url, "/query", body)
    refused(reply, 500, "failed")
    assert "secret" not in reply.text


def test_a_key_is_asked_for_and_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", "open-sesame")
    body = {"text": "the mug", "image_url": [picture()]}
    with serving(ColourEngine(), api_key_env="THE_KEY") as url:
        refused(post(url, "/query", body), 401, "key")
        refused(post(url, "/", body), 401, "key")
        wrong = {"Authorization": "Bearer open-sesam"}
        refused(post(url, "/query", body, headers=wrong), 401)
        right = {"Authorization": "Bearer open-sesame"}
        assert post(url, "/query", body, headers=right).status_code == 200
        assert get(f"{url}/health").status_code == 200
        assert get(f"{url}/metrics").status_code == 401
        metrics = get(f"{url}/metrics", headers=right).text
    assert 'robo_refer_requests_total{path="/query",status="200"} 1.0' in metrics
    assert "sesame" not in metrics
    monkeypatch.delenv("THE_KEY")
    with (
        pytest.raises(RoboReferError, match="THE_KEY"),
        serving(ColourEngine(), api_key_env="THE_KEY"),
    ):
        pass


def test_impossible_limits_are_refused() -> None:
    nan = float("nan")
    for name, value in (("port", 70000), ("max_batch", 0), ("timeout_s", nan), ("drain_s", nan)):
        with pytest.raises(RoboReferError, match=rf"Impossible limits for a server: {name}\."):
            ServeConfig(**{name: value})


def test_nano_is_served_from_the_command_line_and_ends_cleanly() -> None:
    command = [sys.executable, "-m", "robo_refer.cli.main", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            url = line.split(" on ")[1].split()[0]
            rng = np.random.default_rng(0)
            frame = Frame(rng.integers(0, 255, (48, 64, 3), np.uint8))
            served = Referrer.from_pretrained(url).refer(frame, "the red mug")
            local = Referrer.from_pretrained("nano").refer(frame, "the red mug")
            for mine, theirs in zip(local.points, served.points, strict=True):
                assert theirs.uv_norm == pytest.approx(mine.uv_norm, abs=5e-4)
            refused(post(url, "/v1/refer", {"instruction": " ", "image": picture()}), 400, "empty")
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
    assert process.returncode in (0, -15)
