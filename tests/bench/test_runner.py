from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from robo_refer.data import ShardWriter, read_samples
from robo_refer.data.masks import decode
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.referrer import Referrer
from robo_refer_bench.fingerprint import fingerprint
from robo_refer_bench.predictions import read_predictions
from robo_refer_bench.runner import RunOptions, run, run_with
from robo_refer_bench.selection import select
from tests.bench import fakes

FRAMES, QUESTIONS = 12, 7


def test_oracle_is_always_right_and_its_frames_are_asked_once(ask, discs):
    engine = fakes.FakeEngine(fakes.truth, discs)
    _, predictions = ask(engine)
    assert len(predictions) == FRAMES * QUESTIONS
    assert all(prediction.hit for prediction in predictions)
    assert [name for name, _ in engine.seen] == [f"d-{n:04d}" for n in range(FRAMES)]


def test_refuser_is_right_only_about_what_is_absent(ask):
    _, predictions = ask(fakes.refusal)
    assert all(prediction.refused for prediction in predictions)
    assert {p.family for p in predictions if p.hit} == {"absent"}
    assert sum(p.hit for p in predictions) == FRAMES


def test_unparsable_answers_are_misses_even_of_absent_things(ask):
    _, predictions = ask(fakes.babble)
    assert not any(prediction.hit for prediction in predictions)
    assert {prediction.status for prediction in predictions} == {"unparsable_answer"}


def test_a_prediction_can_be_scored_again_from_its_line(ask, tmp_path):
    ask(fakes.truth, out=tmp_path / "p.jsonl")
    for line in (tmp_path / "p.jsonl").read_text().splitlines()[1:]:
        stored = json.loads(line)
        if stored["family"] == "absent":
            assert stored["points"] == []
            continue
        (x, y), mask = stored["points"][0], decode(stored["mask"])
        assert mask[int(y * mask.shape[0]), int(x * mask.shape[1])]
        for name, points in stored["control_points"].items():
            on_mask = bool(points) and bool(
                mask[int(points[0][1] * mask.shape[0]), int(points[0][0] * mask.shape[1])]
            )
            assert on_mask == (name in stored["control_hits"])


@pytest.mark.parametrize("torn", [b"", b'{"sample":"d-00', b"all"])
def test_a_stopped_run_goes_on_to_an_identical_file(ask, discs, tmp_path, torn):
    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    ask(fakes.truth, out=whole)
    engine = fakes.FakeEngine(fakes.truth, discs)
    engine.stop_after = 5
    with pytest.raises(KeyboardInterrupt):
        ask(engine, out=stopped)
    if torn == b"all":  # killed between two lines of one frame
        stopped.write_bytes(b"".join(stopped.read_bytes().splitlines(keepends=True)[:-3]))
    else:  # killed within a line
        stopped.write_bytes(stopped.read_bytes() + torn)
    second = fakes.FakeEngine(fakes.truth, discs)
    _, predictions = ask(second, out=stopped)
    assert stopped.read_bytes() == whole.read_bytes()
    assert len(second.seen) == FRAMES - 5 + (torn == b"all")
    assert len(predictions) == FRAMES * QUESTIONS


def test_a_torn_first_line_is_written_again(ask, tmp_path):
    whole, torn = tmp_path / "whole.jsonl", tmp_path / "torn.jsonl"
    ask(fakes.truth, out=whole)
    torn.write_bytes(whole.read_bytes()[:40])
    ask(fakes.truth, out=torn)
    assert torn.read_bytes() == whole.read_bytes()


def test_a_finished_run_needs_no_model(ask, discs, tmp_path):
    out = tmp_path / "p.jsonl"
    _, first = ask(fakes.truth, out=out)

    def never():
        raise AssertionError("loaded")

    _, second = run_with(discs, never, "fake", "0" * 16, RunOptions(), out)
    assert second == first


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
        read_predictions(out)


def test_limit_and_half_choose_questions(ask):
    _, limited = ask(fakes.truth, RunOptions(limit=10))
    assert [p.item for p in limited[-3:]] == ["d-0001/0", "d-0001/1", "d-0001/2"]
    assert [p.asked for p in limited] == [7] * 7 + [3] * 3
    _, half = ask(fakes.truth, RunOptions(half="decorrelated"))
    assert {p.sample for p in half} == {f"d-{n:04d}" for n in range(1, FRAMES, 2)}
    assert {p.half for p in half} == {"decorrelated"}


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


def test_shuffling_does_not_depend_on_the_limit(discs):
    whole = select(discs, "both", "shuffled")
    part = select(discs, "both", "shuffled", limit=30)
    assert [frame.donor for frame in part] == [frame.donor for frame in whole[: len(part)]]


def test_one_frame_cannot_be_shuffled(tmp_path):
    folder = fakes.write_discs(tmp_path / "one", 1)
    with pytest.raises(RoboReferError, match="no other depth"):
        select(folder, "both", "shuffled")


def test_nothing_to_ask_is_said(discs, tmp_path):
    with pytest.raises(RoboReferError, match="limit is 0"):
        select(discs, "both", "own", limit=0)
    with ShardWriter(tmp_path / "mute") as writer:
        writer.write(replace(fakes.disc_sample(0), questions=()))
    with pytest.raises(RoboReferError, match="no questions"):
        select(tmp_path / "mute", "both", "own")


def test_samples_with_one_id_are_refused(tmp_path):
    with ShardWriter(tmp_path, samples_per_shard=1) as writer:
        writer.write(fakes.disc_sample(0))
        writer.write(fakes.disc_sample(0))
    with pytest.raises(RoboReferError, match="'d-0000'"):
        select(tmp_path, "both", "own")


def test_a_question_that_cannot_be_asked_loses_only_itself(tmp_path):
    sample = fakes.disc_sample(0)
    bad = replace(sample.questions[0], text="?!")
    sample = replace(sample, questions=(bad, *sample.questions[1:]))
    with ShardWriter(tmp_path) as writer:
        writer.write(sample)
    engine = fakes.FakeEngine(fakes.truth, tmp_path)
    _, found = run_with(tmp_path, lambda: Referrer(engine), "fake", "0", RunOptions())
    assert [p.hit for p in found] == [False] + [True] * 6
    assert found[0].status == "bad_instruction"


def test_a_frame_without_any_measured_depth_counts_as_missed(tmp_path):
    sample = fakes.disc_sample(0)
    with ShardWriter(tmp_path) as writer:
        writer.write(replace(sample, depth_m=np.zeros_like(sample.depth_m)))
    engine = fakes.FakeEngine(fakes.truth, tmp_path)
    _, found = run_with(tmp_path, lambda: Referrer(engine), "fake", "0", RunOptions())
    assert {(p.hit, p.status) for p in found} == {(False, "bad_depth")}


def test_a_missing_model_is_named_before_anything_is_written(discs, tmp_path):
    with pytest.raises(RoboReferError) as caught:
        run(discs, str(tmp_path / "none"), RunOptions(), tmp_path / "p.jsonl")
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT
    assert not (tmp_path / "p.jsonl").exists()


def test_fingerprints_tell_files_apart(tmp_path):
    path = tmp_path / "w"
    path.write_bytes(bytes(3 << 20))
    first = fingerprint([path])
    assert fingerprint([path]) == first
    path.write_bytes(bytes((3 << 20) - 1) + b"\x01")
    assert fingerprint([path]) != first
