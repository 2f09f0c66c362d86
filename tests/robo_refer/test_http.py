"""Asking servers: what is sent, how failures are told, and that answers are read as named."""

from __future__ import annotations

import base64
import socket
from threading import Event

import cv2
import json_server as server_module
import numpy as np
import pytest
from json_server import as_json, json_server

from robo_refer.engines.base import Request
from robo_refer.engines.chat_endpoint import ChatEndpoint, text_part
from robo_refer.engines.http_call import HttpCaller, Retries
from robo_refer.engines.http_engine import ChatEngine, QueryEngine, depth_png
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.referrer import Referrer
from robo_refer.types import CameraModel, Frame

ONCE = Retries(attempts=1)
QUICK = Retries(attempts=3, first_wait_s=0.01, longest_wait_s=0.02)


def frame() -> Frame:
    rgb = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    depth_m = np.linspace(0.5, 2.0, 24 * 32, dtype=np.float32).reshape(24, 32)
    return Frame(rgb, depth_m, CameraModel(32, 24, 30.0, 30.0, 15.5, 11.5))


def code_of(caller: HttpCaller) -> ErrorCode:
    with pytest.raises(RoboReferError) as caught:
        caller.post("/query", {})
    return caught.value.code


@pytest.mark.parametrize(
    ("status", "content", "code"),
    [
        (200, b"<html>hello</html>", ErrorCode.UNPARSABLE_ANSWER),
        (401, b"no key", ErrorCode.BAD_REQUEST),
        (422, b"bad body", ErrorCode.BAD_REQUEST),
        (301, b"", ErrorCode.BACKEND_UNREACHABLE),
        (503, b"busy", ErrorCode.BACKEND_UNREACHABLE),
    ],
)
def test_every_failure_has_its_code(status: int, content: bytes, code: ErrorCode) -> None:
    with json_server(lambda *_: (status, content)) as served:
        assert code_of(HttpCaller(served.url, retries=ONCE)) is code


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    assert code_of(HttpCaller(url, retries=ONCE)) is ErrorCode.BACKEND_UNREACHABLE


def test_a_server_that_hangs_costs_the_time_limit_and_no_more() -> None:
    given_up = Event()

    def slow(*_: object) -> server_module.Reply:
        given_up.wait()
        return as_json({})

    with json_server(slow) as served:
        caller = HttpCaller(served.url, timeout_s=0.2, retries=ONCE)
        try:
            assert code_of(caller) is ErrorCode.BACKEND_TIMEOUT
        finally:
            given_up.set()


def test_what_cannot_be_decompressed_is_no_answer() -> None:
    with json_server(lambda *_: (200, b"hello"), {"Content-Encoding": "gzip"}) as served:
        assert code_of(HttpCaller(served.url, retries=ONCE)) is ErrorCode.UNPARSABLE_ANSWER


def test_text_that_is_no_unicode_is_sent_and_the_server_decides() -> None:
    with json_server(lambda *_: (400, b"no text")) as served:
        with pytest.raises(RoboReferError) as caught:
            HttpCaller(served.url, retries=ONCE).post("/query", {"text": "the \udcff mug"})
        assert caught.value.code is ErrorCode.BAD_REQUEST


@pytest.mark.parametrize(
    "address",
    ["http://x:y", "http://127.0.0.1:99999", "http://[::1", "http://a\x01b", "http://ü..de"],
)
def test_what_is_no_address_is_refused_before_it_is_asked(address: str) -> None:
    with pytest.raises(RoboReferError, match="not an http address") as caught:
        HttpCaller(address)
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_a_name_that_no_host_has_cannot_be_reached() -> None:
    caller = HttpCaller(f"http://{'a' * 300}", retries=ONCE)
    assert code_of(caller) is ErrorCode.BACKEND_UNREACHABLE


@pytest.mark.parametrize("key", ["secret\n", "sec\nret", " secret", "sécret", "secret\x7f"])
def test_keys_that_no_header_carries_are_refused_unseen(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", key)
    with pytest.raises(RoboReferError, match="A_KEY") as caught:
        HttpCaller("http://127.0.0.1:1", api_key_env="A_KEY")
    assert key.strip() not in str(caught.value)


def test_busy_servers_are_asked_again_and_wrong_requests_are_not() -> None:
    with json_server(lambda n, *_: as_json({"n": n}, 200 if n == 2 else 503)) as served:
        assert HttpCaller(served.url, retries=QUICK).post("/query", {}) == {"n": 2}
    with json_server(lambda *_: (400, b"no")) as served:
        code_of(HttpCaller(served.url, retries=QUICK))
        assert len(served.asked) == 1


def test_keys_come_from_the_environment_and_stay_out_of_errors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A_KEY", "secret-1")
    with json_server(lambda *_: (403, b"no")) as served:
        for url, key in (
            (served.url, "A_KEY"),
            (served.url.replace("http://", "http://user:secret-2@"), ""),
        ):
            caller = HttpCaller(url, api_key_env=key, retries=ONCE)
            with pytest.raises(RoboReferError) as caught:
                caller.post("/x", {})
            assert "secret" not in str(caught.value)
        sent = [headers["Authorization"] for _, headers, _ in served.asked]
        assert sent[0] == "Bearer secret-1"
        assert sent[1].startswith("Basic ")
    with pytest.raises(RoboReferError, match="NO_KEY_HERE"):
        HttpCaller(served.url, api_key_env="NO_KEY_HERE")
    for address in ("ftp://secret@host", "http://host/v1?key=secret"):
        with pytest.raises(RoboReferError, match="not an http address") as caught:
            HttpCaller(address)
        assert "secret" not in str(caught.value)


def test_the_query_protocol_carries_pixels_and_millimetres_exactly() -> None:
    seen, answer = frame(), "<answer>[(0.250, 0.500)]</answer>"
    with json_server(lambda *_: as_json({"result": 1, "answer": answer})) as served:
        referral = Referrer.from_pretrained(served.url).refer(seen, "the mug")
    path, _, body = served.asked[0]
    assert (path, body["text"], body["enable_depth"]) == ("/query", "the mug", 1)
    sent = [
        cv2.imdecode(np.frombuffer(base64.b64decode(body[key][0]), np.uint8), cv2.IMREAD_UNCHANGED)
        for key in ("image_url", "depth_url")
    ]
    np.testing.assert_array_equal(sent[0][..., ::-1], seen.rgb)
    assert sent[1].dtype == np.uint16
    np.testing.assert_allclose(sent[1] / 1000.0, seen.depth_m, atol=0.0005)
    assert referral.status == "ok"
    assert referral.points[0].uv_norm == pytest.approx((0.25, 0.5))
    assert referral.points[0].p_cam_m is not None


def test_the_released_server_gets_relative_depth_and_is_read_leniently() -> None:
    with json_server(lambda *_: as_json({"result": 1, "answer": "at [(0.1, 0.2)]"})) as served:
        engine = QueryEngine(
            HttpCaller(served.url), reader="roborefer_tuples", depth="relative", suffix=" (x, y)"
        )
        referral = Referrer(engine).refer(frame(), "the mug")
    body = served.asked[0][2]
    assert body["text"] == "the mug (x, y)"
    depth = cv2.imdecode(
        np.frombuffer(base64.b64decode(body["depth_url"][0]), np.uint8), cv2.IMREAD_UNCHANGED
    )
    assert (depth.dtype, depth.shape) == (np.uint8, (24, 32, 3))
    assert depth[0, 0, 0] > depth[-1, -1, 0], "near is bright"
    assert referral.points[0].uv_norm == pytest.approx((0.1, 0.2))


def test_a_chat_model_is_asked_in_its_own_words_and_read_in_its_own_format() -> None:
    reply = {"choices": [{"message": {"content": '[{"point_2d": [500, 250]}]'}}]}
    with json_server(lambda *_: as_json(reply)) as served:
        endpoint = ChatEndpoint(f"{served.url}/v1", "some-vlm")
        engine = ChatEngine(endpoint, reader="qwen3_norm1000", prompt=lambda t: f"Locate {t}.")
        referral = Referrer(engine).refer(frame(), "the mug")
    path, _, body = served.asked[0]
    assert path == "/v1/chat/completions"
    parts = body["messages"][0]["content"]
    assert parts[-1]["text"] == "Locate the mug."
    assert [part["type"] for part in parts] == ["image_url", "text"]
    assert (referral.model, referral.points[0].uv_norm) == ("some-vlm", (0.5, 0.25))


@pytest.mark.parametrize("reply", [{}, {"choices": []}, {"choices": [{"message": {}}]}, [1]])
def test_a_reply_without_text_is_an_error(reply: object) -> None:
    with json_server(lambda *_: as_json(reply)) as served:
        endpoint = ChatEndpoint(served.url, "m", retries=ONCE)
        with pytest.raises(RoboReferError) as caught:
            endpoint.complete([text_part("hello")])
    assert caught.value.code is ErrorCode.UNPARSABLE_ANSWER


def test_requests_are_independent_and_unknown_readers_are_named() -> None:
    with json_server(lambda *_: as_json({"answer": "[]"})) as served:
        engine = QueryEngine(HttpCaller(served.url))
        seen = frame()
        requests = [Request(seen, text) for text in ("the mug", "the cup")]
        assert [g.text for g in engine.generate(requests)] == ["[]", "[]"]
        with pytest.raises(RoboReferError, match="no answer format"):
            QueryEngine(HttpCaller(served.url), reader="guess")


def test_depth_that_nobody_measured_is_not_sent() -> None:
    for form in ("metric", "relative"):
        with pytest.raises(RoboReferError) as caught:
            depth_png(np.zeros((4, 4), np.float32), form)
        assert caught.value.code is ErrorCode.BAD_DEPTH
