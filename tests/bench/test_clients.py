"""Clients: every family is asked and read in its own way, over real sockets."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import FAMILIES as FAMILIES_OF_MODELS
from robo_refer.parsing import Task
from robo_refer_bench.clients import ModelOptions, open_client
from robo_refer_bench.clients.controls import BLIND, BY_LETTER, control_replies
from robo_refer_bench.report import how
from robo_refer_bench.runner import RunOptions, run, settings_of
from robo_refer_bench.scored import score_items
from robo_refer_bench.scoring import strict
from robo_refer_bench.selection import parts, read_items
from robo_refer_bench.suites.digest import content_hash
from tests.bench import squares
from tests.robo_refer.json_server import as_json, json_server

X, Y = squares.CENTRE
FAMILIES = {
    "roborefer": f"[({X}, {Y})]",
    "molmo": f'<point x="{100 * X}" y="{100 * Y}" alt="square">square</point>',
    "gemini": f'```json\n[{{"point": [{1000 * Y:.0f}, {1000 * X:.0f}], "label": "square"}}]\n```',
    "qwen3": f'[{{"point_2d": [{1000 * X:.0f}, {1000 * Y:.0f}], "label": "square"}}]',
    "robobrain25": f"[({1000 * X:.0f}, {1000 * Y:.0f})]",
}


def ask_one(asked, options):
    client = open_client(options)
    try:
        (reply,) = client.ask([asked], asked.item.frame)
        return reply.record(asked, client)
    finally:
        client.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_chat_endpoints_are_asked_and_read_as_their_family(family):
    asked = squares.square(0)
    with json_server(lambda n, path, body: as_json(squares.chat(FAMILIES[family]))) as server:
        record = ask_one(asked, ModelOptions("m", url=f"{server.url}/v1", family=family))
    ((path, _, body),) = server.asked
    assert path == "/v1/chat/completions"
    assert squares.said(body) == record.prompt
    assert asked.item.target in record.prompt
    assert squares.seen_size(body) == (640, 480)
    assert (record.family, record.image_size) == (family, (640, 480))
    assert strict(record, asked.item).score == 1


@pytest.mark.parametrize("family", ["qwen", "robobrain"])
def test_pixels_are_those_of_the_picture_that_was_shown(family):
    asked = squares.square(0)

    def reply(n, path, body):
        width, height = squares.seen_size(body)
        assert (width, height) == (644, 476)
        point = f"{X * width - 0.5:.0f}, {Y * height - 0.5:.0f}"
        return as_json(
            squares.chat(f'[{{"point_2d": [{point}]}}]' if family == "qwen" else f"[({point})]")
        )

    with json_server(reply) as server:
        record = ask_one(asked, ModelOptions("m", url=server.url, family=family))
    assert record.points[0] == pytest.approx(squares.CENTRE, abs=2e-3)
    assert record.image_size == (640, 480)
    # Read again from what was written, it says the same.
    again = strict(type(record)(**{**vars(record), "points": None}), asked.item)
    assert again.score == 1


def test_generated_scenes_are_asked_for_what_they_mean_not_for_an_anchor(discs):
    items = [one.item for one in read_items(parts([str(discs)])[0])][:7]
    asked = next(item for item in items if item.tags["kind"] == "right_of")
    for name, family in FAMILIES_OF_MODELS.items():
        prompt = family.prompt(Task(asked.prompt, asked.target, asked.suffix))
        assert asked.prompt in prompt, name


def test_the_hash_of_generated_scenes_stays(discs):
    items = [one.item for one in read_items(parts([str(discs)])[0])]
    assert content_hash(items) == content_hash(
        replace(item, target=item.hashed, hashed="") for item in items
    )
    assert content_hash(items) != content_hash(replace(item, hashed="") for item in items)


def test_the_released_protocol_is_spoken():
    asked = squares.square(0)
    with json_server(lambda n, path, body: as_json({"answer": f"[({X}, {Y})]"})) as server:
        record = ask_one(asked, ModelOptions(server.url))
    ((path, _, body),) = server.asked
    assert path == "/query"
    assert body["text"] == "Point out square 0. Answer with tuples."
    assert (body["enable_depth"], len(body["depth_url"])) == (1, 1)
    assert strict(record, asked.item).score == 1


def test_the_released_server_may_estimate_depth():
    asked = squares.square(0)
    flat = replace(asked.item.frame(), depth_m=None)
    asked = replace(asked, item=replace(asked.item, load_frame=lambda: flat))
    for estimate in (False, True):
        with json_server(lambda n, path, body: as_json({"answer": "[]"})) as server:
            ask_one(asked, ModelOptions(server.url, estimate_depth=estimate))
        ((_, _, body),) = server.asked
        assert (body["enable_depth"], body["depth_url"]) == (int(estimate), [])


def test_who_sees_no_depth_is_not_said_to(discs):
    (part,) = parts([str(discs)])
    client = open_client(ModelOptions("control:lowest"))
    assert run([part], client, RunOptions(limit=3)).recording.settings["depth"] == "not shown"
    with pytest.raises(RoboReferError, match="without depth"):
        run([part], client, RunOptions(depth="shuffled"))


def test_options_are_asked_for_as_published_and_no_points_are_read():
    asked = squares.choice(0)
    with json_server(lambda n, path, body: as_json(squares.chat("(B) right"))) as server:
        record = ask_one(asked, ModelOptions("m", url=server.url, family="qwen3"))
    assert record.prompt == "Which side? Answer with the letter."
    assert (record.status, record.points) == ("ok", None)
    assert strict(record, asked.item).score == 1


def test_the_key_is_sent_and_never_shown(monkeypatch):
    monkeypatch.setenv("SOME_KEY", "s3cret")
    with json_server(lambda n, path, body: (401, b"no")) as server:
        options = ModelOptions("m", url=server.url, family="qwen3", api_key_env="SOME_KEY")
        record = ask_one(squares.square(0), options)
    assert server.asked[0][1]["Authorization"] == "Bearer s3cret"
    assert record.status == "bad_request"
    assert "s3cret" not in record.line().decode()


def test_requests_may_have_other_fields():
    fields = '{"temperature": null, "max_completion_tokens": 99}'
    options = ModelOptions("m", url="x", family="qwen3", fields=fields)
    with json_server(lambda n, path, body: as_json(squares.chat("[]"))) as server:
        ask_one(squares.square(0), replace(options, url=server.url))
    ((_, _, body),) = server.asked
    assert "temperature" not in body
    assert (body["max_tokens"], body["max_completion_tokens"]) == (2048, 99)
    with pytest.raises(RoboReferError, match="JSON object"):
        open_client(replace(options, url="http://127.0.0.1:1", fields="[1]"))


def test_a_named_server_may_move():
    first, second = (
        open_client(ModelOptions(f"http://127.0.0.1:{port}", name="RoboRefer-2B"))
        for port in (1001, 1002)
    )
    assert (first.model, first.fingerprint) == (second.model, second.fingerprint)
    assert first.model == "RoboRefer-2B"
    nameless = open_client(ModelOptions("http://user:pass@127.0.0.1:1001"))
    assert nameless.fingerprint == nameless.model == "http://127.0.0.1:1001"


def test_a_named_model_of_a_server_is_told_from_its_others():
    named = ModelOptions("qwen-8b", name="Qwen", url="http://127.0.0.1:1001", family="qwen3")
    first = open_client(named)
    moved = open_client(replace(named, url="http://127.0.0.1:1002"))
    other = open_client(replace(named, model="qwen-4b"))
    assert first.model == other.model == "Qwen"
    assert first.fingerprint == moved.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("option", "changed"), [("max_tokens", 512), ("estimate_depth", True), ("model", "other")]
)
def test_a_file_never_mixes_two_ways_to_ask_a_server(discs, tmp_path, option, changed):
    parts_of_discs, out = parts([str(discs)]), tmp_path / "r.jsonl"
    with json_server(lambda n, path, body: as_json({"answer": "[]", **squares.chat("[]")})) as s:
        options = ModelOptions("m", name="n", url=s.url, family="roborefer")
        if option == "estimate_depth":
            options = ModelOptions(s.url, name="n")
        run(parts_of_discs, open_client(options), RunOptions(limit=1), out)
        before = out.read_bytes()
        other = open_client(replace(options, **{option: changed}))
        with pytest.raises(RoboReferError, match="answers of another run"):
            run(parts_of_discs, other, RunOptions(limit=1), out)
        run(parts_of_discs, open_client(options), RunOptions(limit=1), out)
    assert out.read_bytes() == before
    assert len(s.asked) == 1


def test_how_a_server_was_asked_is_said_where_it_is_known():
    of_before = {"depth": "own", "think": False}
    assert how(of_before) == "depth own"
    client = open_client(ModelOptions("http://127.0.0.1:1", estimate_depth=True))
    settings = settings_of({}, client, RunOptions())
    assert how(settings) == "depth own, estimated by the server where there is none"
    client = open_client(ModelOptions("m", url="http://127.0.0.1:1", family="qwen", max_tokens=99))
    assert how(settings_of({}, client, RunOptions())) == "depth not shown, at most 99 tokens"


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (ModelOptions("gpt-9", url="http://127.0.0.1:1"), ErrorCode.BAD_REQUEST, "family"),
        (ModelOptions("m", url="http://127.0.0.1:1", family="x"), ErrorCode.BAD_REQUEST, "molmo"),
        (ModelOptions("nano", family="molmo"), ErrorCode.BAD_REQUEST, "ours"),
        (ModelOptions("recorded:none.jsonl", family="qwen"), ErrorCode.BAD_FILE, "none.jsonl"),
        (ModelOptions("nowhere"), ErrorCode.BAD_CHECKPOINT, "nowhere"),
        (ModelOptions(workers=0), ErrorCode.BAD_REQUEST, "at least 1"),
        (ModelOptions("m", url="ftp://x", family="qwen"), ErrorCode.BAD_REQUEST, "http"),
    ],
)
def test_what_cannot_be_opened_is_said_at_once(options, code, says):
    with pytest.raises(RoboReferError, match=says) as caught:
        open_client(options)
    assert caught.value.code is code


def test_recorded_answers_are_looked_up(tmp_path):
    path = tmp_path / "answers.jsonl"
    lines = [
        {"id": 0, "answer": f"[({X}, {Y})]"},
        {"id": "1", "suite": "refspatial_bench", "split": "Location", "text": "I cannot."},
        {"id": "2", "split": "Placement", "raw_answer": "[(0.1, 0.1)]"},
        {"question_id": 3, "text": f"[({X}, {Y})]"},  # as the released evaluator writes them
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    client = open_client(ModelOptions(f"recorded:{path}", family="roborefer"))
    asked = [squares.square(n) for n in range(4)]
    replies = client.ask(asked, asked[0].item.frame)
    scored = score_items(
        asked, [r.record(a, client) for r, a in zip(replies, asked, strict=True)], controls=False
    )
    assert [one.hit for one in scored] == [True, False, False, True]
    assert [one.status for one in scored] == ["ok", "unparsable_answer", "no_answer", "ok"]
    assert scored[1].record.raw_answer == "I cannot."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id": 1, "answer": "a"}\n{"id": "1", "answer": "b"}\n', "twice"),
        ('{"id": 1, "answer": "a"}\nnonsense\n{"id": 2, "answer": "b"}\n', "line 2"),
        ('{"id": 1}\n', "line 1"),
        ('{"id": 1, "answer": 5}\n', "line 1"),
        ("[1]\n", "line 1"),
    ],
)
def test_damaged_recordings_are_named(tmp_path, text, says):
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(RoboReferError, match=says) as caught:
        open_client(ModelOptions(f"recorded:{tmp_path / 'a.jsonl'}", family="qwen"))
    assert caught.value.code is ErrorCode.BAD_FILE


def test_recorded_answers_may_be_options_and_places(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"id": "0", "answer": "(B) right"}\n{"id": "1", "answer": "[(0.5, 0.5)]"}\n')
    client = open_client(ModelOptions(f"recorded:{path}", family="roborefer"))
    option, place = squares.choice(0), squares.place(1)
    replies = [client.ask([one], one.item.frame)[0] for one in (option, place)]
    records = [replies[0].record(option, client), replies[1].record(place, client)]
    assert [one.hit for one in score_items([option, place], records)] == [True, True]


def test_controls_are_clients(discs, ask):
    _, scored = ask(lambda sample, question: "[]")
    for name in ("random_object", "lowest", "always_refuse"):
        client = open_client(ModelOptions(f"control:{name}"))
        asked = [one.asked for one in scored[:14]]
        records = [client.ask([one], one.item.frame)[0].record(one, client) for one in asked]
        hits = [one.hit for one in score_items(asked, records, controls=False)]
        assert hits == [one.controls[name] for one in scored[:14]]
    with pytest.raises(RoboReferError, match="image_centre"):
        open_client(ModelOptions("control:oracle")).ask([scored[0].asked], scored[0].item.frame)


def test_suites_without_objects_have_blind_controls():
    point, letter = squares.square(0), squares.choice(0)
    assert set(control_replies(point.item)) == set(BLIND)
    assert set(control_replies(letter.item)) == set(BY_LETTER)
    assert control_replies(point.item) == control_replies(point.item)
    scored = score_items([point, letter], [])
    assert scored[0].controls["image_centre"] is False
    assert scored[1].controls["first_option"] is False
    assert [one.status for one in scored] == ["no_answer", "no_answer"]
