from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from robo_refer.data import ShardWriter, read_samples
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.clients import ModelOptions, open_client
from robo_refer_bench.fingerprint import fingerprint
from robo_refer_bench.recordings import load
from robo_refer_bench.records import read_records
from robo_refer_bench.run_log import RunLog
from robo_refer_bench.runner import RunOptions
from tests.bench import fakes

FRAMES, QUESTIONS = 12, 7


def timeless(path):
    """Return the lines of a file without what differs from run to run."""
    return [
        {name: value for name, value in json.loads(line).items() if name != "seconds"}
        for line in path.read_text().splitlines()
    ]


def test_oracle_is_always_right_and_its_frames_are_asked_once(ask, discs):
    engine = fakes.FakeEngine(fakes.truth, discs)
    _, predictions = ask(engine)
    assert len(predictions) == FRAMES * QUESTIONS
    assert all(prediction.hit for prediction in predictions)
    assert [name for name, _ in engine.seen] == [f"d-{n:04d}" for n in range(FRAMES)]


def test_refuser_is_right_only_about_what_is_absent(ask):
    _, predictions = ask(fakes.refusal)
    assert all(prediction.refused for prediction in predictions)
    assert {p.tag("family") for p in predictions if p.hit} == {"absent"}
    assert sum(p.hit for p in predictions) == FRAMES


def test_unparsable_answers_are_misses_even_of_absent_things(ask):
    _, scored = ask(fakes.babble)
    assert not any(one.hit for one in scored)
    assert {one.status for one in scored} == {"unparsable_answer"}
    assert {one.record.raw_answer for one in scored} == {"somewhere over there"}


def test_a_run_can_be_scored_again_from_its_file(ask, discs, tmp_path):
    settings, scored = ask(fakes.truth, RunOptions(half="natural", limit=20), tmp_path / "p.jsonl")
    again = load(tmp_path / "p.jsonl", controls=True)
    assert again.settings == settings
    assert [one.asked.key for one in again.scored] == [one.asked.key for one in scored]
    assert [one.hit for one in again.scored] == [one.hit for one in scored]
    assert [one.controls for one in again.scored] == [one.controls for one in scored]
    assert load(tmp_path / "p.jsonl", root=discs).settings == settings


def test_other_data_is_not_what_was_asked_about(ask, tmp_path):
    ask(fakes.truth, out=tmp_path / "p.jsonl")
    other = fakes.write_discs(tmp_path / "other", 11)
    with pytest.raises(RoboReferError, match="other questions"):
        load(tmp_path / "p.jsonl", root=other)


@pytest.mark.parametrize("torn", [b"", b'{"suite":"gene', b"lines", b"newline"])
def test_a_stopped_run_goes_on_to_an_identical_file(ask, discs, tmp_path, torn):
    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    ask(fakes.truth, out=whole)
    engine = fakes.FakeEngine(fakes.truth, discs)
    engine.stop_after = 5
    with pytest.raises(KeyboardInterrupt):
        ask(engine, out=stopped)
    if torn == b"lines":  # killed while the lines of one frame were written
        stopped.write_bytes(b"".join(stopped.read_bytes().splitlines(keepends=True)[:-3]))
    elif torn == b"newline":  # killed just before the end of a line
        stopped.write_bytes(stopped.read_bytes().removesuffix(b"\n"))
    else:  # killed within a line
        stopped.write_bytes(stopped.read_bytes() + torn)
    second = fakes.FakeEngine(fakes.truth, discs)
    _, predictions = ask(second, out=stopped)
    assert timeless(stopped) == timeless(whole)
    assert len(second.seen) == FRAMES - 5 + (torn == b"lines")
    assert len(predictions) == FRAMES * QUESTIONS


def test_a_torn_first_line_is_written_again(ask, tmp_path):
    whole, torn = tmp_path / "whole.jsonl", tmp_path / "torn.jsonl"
    ask(fakes.truth, out=whole)
    torn.write_bytes(whole.read_bytes()[:40])
    ask(fakes.truth, out=torn)
    assert timeless(torn) == timeless(whole)


def test_a_file_that_cannot_be_written_to_is_said(ask, tmp_path):
    out = tmp_path / "p.jsonl"
    _, scored = ask(fakes.truth, RunOptions(limit=1))
    log = RunLog(out, {})
    out.unlink()
    out.mkdir()
    with pytest.raises(RoboReferError, match="cannot be written") as caught:
        log.add([scored[0].record])
    assert caught.value.code is ErrorCode.BAD_FILE


def test_a_finished_run_needs_no_model(ask, discs, tmp_path):
    out = tmp_path / "p.jsonl"
    _, first = ask(fakes.truth, out=out)
    engine = fakes.FakeEngine(fakes.truth, discs)
    _, second = ask(engine, out=out)
    assert [one.record for one in second] == [one.record for one in first]
    assert engine.seen == []


def test_another_run_is_not_mixed_in(ask, tmp_path):
    out = tmp_path / "p.jsonl"
    ask(fakes.truth, RunOptions(half="natural"), out)
    before = out.read_bytes()
    with pytest.raises(RoboReferError, match="depth own then, none now") as caught:
        ask(fakes.truth, RunOptions(half="natural", depth="none"), out)
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert out.read_bytes() == before


@pytest.mark.parametrize("content", ["a file of mine\n", "mine", "{}\n", "[1]\n"])
def test_a_foreign_file_is_kept(ask, tmp_path, content):
    out = tmp_path / "mine.txt"
    out.write_text(content)
    with pytest.raises(RoboReferError) as caught:
        ask(fakes.truth, out=out)
    assert caught.value.code is ErrorCode.BAD_FILE
    assert out.read_text() == content


def test_damage_in_the_middle_is_named(ask, tmp_path):
    out = tmp_path / "p.jsonl"
    ask(fakes.truth, out=out)
    lines = out.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join([*lines[:3], b"oops\n", *lines[4:]]))
    with pytest.raises(RoboReferError, match="line 4"):
        read_records(out)


def test_limit_and_half_choose_questions(ask):
    _, limited = ask(fakes.truth, RunOptions(limit=10))
    assert [one.item.id for one in limited[-3:]] == ["d-0001/0", "d-0001/1", "d-0001/2"]
    assert len(limited) == 10
    _, half = ask(fakes.truth, RunOptions(half="decorrelated"))
    assert {one.item.picture for one in half} == {f"d-{n:04d}" for n in range(1, FRAMES, 2)}
    assert {one.tag("half") for one in half} == {"decorrelated"}


def test_own_and_no_depth_reach_the_model(ask, discs):
    samples = {sample.id: sample for sample in read_samples(discs)}
    engine = fakes.FakeEngine(fakes.truth, discs)
    ask(engine)
    for name, depth in engine.seen:
        np.testing.assert_array_equal(depth, fakes.own_depth(samples[name]))
    engine = fakes.FakeEngine(fakes.truth, discs)
    ask(engine, RunOptions(depth="none"))
    assert {depth for _, depth in engine.seen} == {None}


def test_shuffled_depth_is_always_another_frame_of_the_same_half(ask, discs):
    canvases = {sample.id: fakes.own_depth(sample) for sample in read_samples(discs)}
    engine = fakes.FakeEngine(fakes.truth, discs)
    ask(engine, RunOptions(depth="shuffled"))
    givers = []
    for name, depth in engine.seen:
        (giver,) = [key for key, canvas in canvases.items() if np.array_equal(canvas, depth)]
        assert giver != name
        assert int(giver[2:]) % 2 == int(name[2:]) % 2
        givers.append(giver)
    assert sorted(givers) == sorted(canvases)


def test_shuffling_does_not_depend_on_the_limit(ask, discs):
    seen = []
    for limit in (None, 30):
        engine = fakes.FakeEngine(fakes.truth, discs)
        ask(engine, RunOptions(depth="shuffled", limit=limit))
        seen.append(engine.seen)
    whole, part = seen
    assert len(part) == 5
    for (name, depth), (same, also) in zip(part, whole, strict=False):
        assert name == same
        np.testing.assert_array_equal(depth, also)


def test_one_frame_cannot_be_shuffled(ask, tmp_path):
    folder = fakes.write_discs(tmp_path / "one", 1)
    with pytest.raises(RoboReferError, match="No other 96x72"):
        ask(fakes.truth, RunOptions(depth="shuffled"), data=folder)


def test_nothing_to_ask_is_said(ask, tmp_path):
    with pytest.raises(RoboReferError, match="limit is 0"):
        ask(fakes.truth, RunOptions(limit=0))
    with ShardWriter(tmp_path / "mute") as writer:
        writer.write(replace(fakes.disc_sample(0), questions=()))
    with pytest.raises(RoboReferError, match="no questions"):
        ask(fakes.truth, data=tmp_path / "mute")


def test_samples_with_one_id_are_refused(ask, tmp_path):
    with ShardWriter(tmp_path, samples_per_shard=1) as writer:
        writer.write(fakes.disc_sample(0))
        writer.write(fakes.disc_sample(0))
    with pytest.raises(RoboReferError, match="'d-0000'"):
        ask(fakes.truth, data=tmp_path)


def test_a_question_that_cannot_be_asked_loses_only_itself(ask, tmp_path):
    sample = fakes.disc_sample(0)
    bad = replace(sample.questions[0], text="?!")
    sample = replace(sample, questions=(bad, *sample.questions[1:]))
    with ShardWriter(tmp_path) as writer:
        writer.write(sample)
    _, found = ask(fakes.truth, data=tmp_path)
    assert [one.hit for one in found] == [False] + [True] * 6
    assert found[0].status == "bad_instruction"
    assert found[0].record.error


def test_a_frame_without_any_measured_depth_counts_as_missed(ask, tmp_path):
    sample = fakes.disc_sample(0)
    with ShardWriter(tmp_path) as writer:
        writer.write(replace(sample, depth_m=np.zeros_like(sample.depth_m)))
    _, found = ask(fakes.truth, data=tmp_path)
    assert {(one.hit, one.status) for one in found} == {(False, "bad_depth")}


def test_a_missing_model_is_named_before_anything_is_written(discs, tmp_path):
    with pytest.raises(RoboReferError) as caught:
        open_client(ModelOptions(model=str(tmp_path / "none")))
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT


def test_fingerprints_tell_files_apart(tmp_path):
    path = tmp_path / "w"
    path.write_bytes(bytes(3 << 20))
    first = fingerprint([path])
    assert fingerprint([path]) == first
    path.write_bytes(bytes((3 << 20) - 1) + b"\x01")
    assert fingerprint([path]) != first
