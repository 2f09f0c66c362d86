"""The runner against servers that are slow, rude or gone: nothing is lost, nothing left out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer_bench.asking import GIVE_UP_AFTER, ask_all
from robo_refer_bench.clients import ModelOptions, open_client
from robo_refer_bench.clients.engine import EngineClient
from robo_refer_bench.records import read_records
from robo_refer_bench.run_log import RunLog
from robo_refer_bench.scored import score_items
from tests.bench import fakes, squares
from tests.robo_refer.json_server import as_json, json_server

RIGHT = f"[({squares.CENTRE[0]}, {squares.CENTRE[1]})]"


def run(server, items, out=None, workers=4, attempts=1, timeout_s=10.0):
    options = ModelOptions(server.url, workers=workers, attempts=attempts, timeout_s=timeout_s)
    log = RunLog(out, {"model": "m"})
    ask_all(squares.work(items), open_client(options), log)
    return log.records


def test_calls_overlap_but_never_more_than_allowed():
    lock, now, most = threading.Lock(), 0, 0
    together = threading.Barrier(3)

    def reply(n, path, body):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        if n < 3:
            together.wait(30)  # passes only when three are asked at once
        time.sleep(0.01)
        with lock:
            now -= 1
        return as_json({"answer": RIGHT})

    items = [squares.square(n) for n in range(12)]
    with json_server(reply) as server:
        records = run(server, items, workers=3)
    assert most == 3
    assert {record.id for record in records} == {one.item.id for one in items}
    assert len(records) == 12


def test_a_busy_server_is_asked_again():
    def reply(n, path, body):
        return (503, b"busy") if n == 0 else as_json({"answer": RIGHT})

    with json_server(reply) as server:
        (record,) = run(server, [squares.square(0)], attempts=2)
    assert len(server.asked) == 2
    assert record.status == "ok"


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (b"<!doctype html><title>It works!</title>", "unparsable_answer", "not in JSON"),
        (b'{"result": 1}', "unparsable_answer", "without an answer"),
        (b'{"answer": "%s"}' % (b"x" * 1_000_000), "unparsable_answer", "longer than"),
        (b'{"answer": "[%s]"}' % b",".join([b"(0.5,0.5)"] * 9_999), "unparsable_answer", "points"),
        (b'{"answer": ""}', "unparsable_answer", "no point"),
        (b'{"answer": null}', "unparsable_answer", "without an answer"),
    ],
)
def test_nonsense_is_a_recorded_miss_with_its_reason(tmp_path, answer, status, says):
    items = [squares.square(n) for n in range(3)]
    with json_server(
        lambda n, path, body: (200, answer) if n == 1 else as_json({"answer": RIGHT})
    ) as server:
        run(server, items, tmp_path / "r.jsonl", workers=1)
    records = read_records(tmp_path / "r.jsonl").records
    assert [record.status for record in records] == ["ok", status, "ok"]
    assert says in records[1].error
    assert [one.hit for one in score_items(items, records)] == [True, False, True]
    assert (tmp_path / "r.jsonl").stat().st_size < 200_000


def test_a_web_page_is_no_server(tmp_path):
    items = [squares.square(n) for n in range(40)]
    with (
        json_server(lambda n, path, body: (200, b"<html>Welcome</html>")) as server,
        pytest.raises(RoboReferError, match="not in JSON"),
    ):
        run(server, items, tmp_path / "r.jsonl", workers=1)
    assert len(server.asked) == GIVE_UP_AFTER


def test_empty_answers_are_answers():
    items = [squares.square(n) for n in range(2 * GIVE_UP_AFTER)]
    with json_server(lambda n, path, body: as_json({"answer": ""})) as server:
        records = run(server, items)
    assert {record.status for record in records} == {"unparsable_answer"}
    assert len(records) == len(items)


@pytest.mark.slow
def test_a_server_that_hangs_costs_one_question():
    release = threading.Event()

    def reply(n, path, body):
        if "square 0" in body["text"]:
            release.wait(60)
        return as_json({"answer": RIGHT})

    with json_server(reply) as server:
        # Long enough for an answer on any machine.
        records = run(server, [squares.square(n) for n in range(4)], workers=2, timeout_s=5.0)
        release.set()
    statuses = {record.id: record.status for record in records}
    assert statuses == {"0": "backend_timeout", "1": "ok", "2": "ok", "3": "ok"}


def test_a_server_that_goes_away_ends_the_run_and_the_next_one_goes_on(tmp_path):
    out = tmp_path / "r.jsonl"
    items = [squares.square(n) for n in range(40)]
    with (
        json_server(
            lambda n, path, body: as_json({"answer": RIGHT}) if n < 15 else (503, b"down")
        ) as server,
        pytest.raises(RoboReferError, match="go on") as caught,
    ):
        run(server, items, out, workers=1)
    assert caught.value.code is ErrorCode.BACKEND_UNREACHABLE
    records = read_records(out).records
    assert [record.status for record in records] == ["ok"] * 15 + [
        "backend_unreachable"
    ] * GIVE_UP_AFTER
    # Until it is asked again, all that has no answer is a miss.
    scored = score_items(items, records, controls=False)
    assert (len(scored), sum(one.hit for one in scored)) == (40, 15)
    with json_server(lambda n, path, body: as_json({"answer": RIGHT})) as server:
        run(server, items, out, workers=4)
    assert len(server.asked) == 25
    records = read_records(out).records
    assert len({record.id for record in records}) == len(records) == 40
    assert all(one.hit for one in score_items(items, records, controls=False))


def test_a_picture_that_is_gone_ends_the_run_with_its_name():
    def gone():
        raise RoboReferError(ErrorCode.BAD_FILE, "b.png cannot be read.", "Restore it.")

    work = squares.work([squares.square(n) for n in range(3)])
    work[1] = type(work[1])(work[1].items, gone)
    log = RunLog(None, {})
    with (
        json_server(lambda n, path, body: as_json({"answer": RIGHT})) as server,
        pytest.raises(RoboReferError, match=r"b\.png"),
    ):
        ask_all(work, open_client(ModelOptions(server.url, workers=1)), log)
    assert [record.id for record in log.records] == ["0"]


def test_a_model_that_cannot_be_loaded_is_no_miss():
    def load():
        raise missing_package("torch", "torch")

    client = EngineClient(load, "robo_refer", model="m", fingerprint="0")
    log = RunLog(None, {})
    with pytest.raises(RoboReferError, match=r"robo-refer\[torch\]"):
        ask_all(squares.work([squares.square(0)]), client, log)
    assert log.records == []


@pytest.mark.slow
def test_a_killed_run_loses_only_what_was_in_flight(discs, tmp_path):
    out = tmp_path / "r.jsonl"

    killed = threading.Event()

    def reply(n, path, body):
        if n >= 20:  # so that it is killed before it ends, however fast it is
            killed.wait(120)
        return as_json({"answer": "[(0.500, 0.500)]"})

    with json_server(reply) as server:
        command = [
            sys.executable, "-m", "robo_refer.cli.main", "bench", "run", str(discs),
            "--model", server.url, "--workers", "2", "--out", str(out),
        ]  # fmt: skip
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = subprocess.Popen(
            command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        deadline = time.monotonic() + 120
        while len(server.asked) < 20 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
        killed.set()
        assert process.returncode == -signal.SIGKILL, errors.decode()
        asked, kept = len(server.asked), len(read_records(out).records)
        assert 0 < kept < 84
        assert asked - kept <= 2  # the two that were in flight
        done = subprocess.run(command, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert asked + 84 - kept <= len(server.asked) <= asked + 84 - kept + 2  # sent as it was killed
    records = read_records(out).records
    assert len({record.key for record in records}) == len(records) == 84
    assert records[0].image_size[0] == fakes.WIDTH
