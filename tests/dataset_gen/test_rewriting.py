"""Rewriting through an OpenAI-compatible server: only what keeps its meaning is taken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from robo_refer.data import read_samples
from robo_refer.engines.chat_endpoint import ChatEndpoint
from robo_refer.engines.http_call import Retries
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.cli import main
from robo_refer_data.rewriting import foreign_names, outcome_of, rewrite
from tests.dataset_gen.made_dataset import made_samples, write_samples
from tests.robo_refer.json_server import as_json, json_server

SAMPLES = made_samples()


def model(change):
    """Return a server's reply that rewrites every text by `change(text)`."""

    def reply(_number, _path, body):
        texts = json.loads(body["messages"][-1]["content"][0]["text"])
        content = f"```json\n{json.dumps([change(text) for text in texts])}\n```"
        return as_json({"choices": [{"message": {"content": content}}]})

    return reply


def polite(text: str) -> str:
    return f"Would you be so kind: {text}"


def careless(text: str) -> str:
    return text.replace("left", "right").replace("the mug", "the bowl") + " Thanks"


def asked(path: Path):
    return [question for sample in read_samples(path) for question in sample.questions]


def test_other_words_are_taken_and_the_truth_stays(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "in", SAMPLES)
    with json_server(model(polite)) as served:
        found = rewrite(source, tmp_path / "out", ChatEndpoint(served.url, "m"))
    before, after = asked(source), asked(tmp_path / "out")
    assert found.outcomes == {"rewritten": len(before)}
    for one, other in zip(before, after, strict=True):
        assert other.text == polite(one.text)
        assert other.tags["said"] == one.text
        assert (other.answer, other.mask, other.reply) == (one.answer, one.mask, one.reply)
    assert served.asked[0][2]["model"] == "m"


def test_what_changes_the_meaning_keeps_its_own_words(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "in", SAMPLES)
    with json_server(model(careless)) as served:
        found = rewrite(source, tmp_path / "out", ChatEndpoint(served.url, "m"))
    assert found.outcomes["another meaning"] > 0
    assert found.refused
    for one, other in zip(asked(source), asked(tmp_path / "out"), strict=True):
        mistaken = "left" in one.text or "the mug" in one.text
        assert other.text == (one.text if mistaken else careless(one.text))


@pytest.mark.parametrize(
    "content", ["no list", "[]", '["only one"]', "[1, 2]", "[" * 100_000 + "]"]
)
def test_a_reply_that_is_no_list_of_texts_changes_nothing(tmp_path: Path, content: str) -> None:
    source = write_samples(tmp_path / "in", SAMPLES)
    with json_server(
        lambda *_: as_json({"choices": [{"message": {"content": content}}]})
    ) as served:
        found = rewrite(source, tmp_path / "out", ChatEndpoint(served.url, "m"))
    assert set(found.outcomes) == {"unreadable"}
    assert asked(source) == asked(tmp_path / "out")


def test_a_server_that_is_away_leaves_no_half_shard(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "in", SAMPLES)
    endpoint = ChatEndpoint("http://127.0.0.1:9", "m", retries=Retries(attempts=1))
    with pytest.raises(RoboReferError) as caught:
        rewrite(source, tmp_path / "out", endpoint)
    assert caught.value.code is ErrorCode.BACKEND_UNREACHABLE
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_a_dataset_is_not_written_over_itself(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "in", SAMPLES)
    with pytest.raises(RoboReferError, match="the dataset itself"):
        rewrite(source, source, ChatEndpoint("http://127.0.0.1:9", "m"))


def test_a_stopped_run_goes_on_and_others_are_not_mixed_in(tmp_path: Path) -> None:
    source, out = write_samples(tmp_path / "in", SAMPLES), tmp_path / "out"
    with json_server(model(polite)) as served:
        rewrite(source, out, ChatEndpoint(served.url, "m"))
        before = len(served.asked)
        (out / "data" / ".train-00001.parquet.1.tmp").write_text("of a killed run")
        assert rewrite(source, out, ChatEndpoint(served.url, "m")).outcomes == {}
        assert len(served.asked) == before
        other = write_samples(tmp_path / "other", SAMPLES[:2])
        for dataset, name in ((source, "another"), (other, "m")):
            with pytest.raises(RoboReferError, match="holds another dataset"):
                rewrite(dataset, out, ChatEndpoint(served.url, name))
    assert not list((out / "data").glob(".*"))
    main(["validate", str(out), "--workers", "1"])


def test_nobody_asks_nothing_at_once(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "in", SAMPLES)
    with pytest.raises(RoboReferError, match="0 requests"):
        rewrite(source, tmp_path / "out", ChatEndpoint("http://127.0.0.1:9", "m"), parallel=0)


def test_names_that_the_rules_do_not_know_stay(tmp_path: Path) -> None:
    renamed = [
        replace(
            sample,
            objects=tuple(replace(item, name=f"{item.name} 3000") for item in sample.objects),
        )
        for sample in SAMPLES
    ]
    source = write_samples(tmp_path / "in", renamed)
    names = foreign_names(source)
    assert "mug 3000" in names
    assert foreign_names(write_samples(tmp_path / "known", SAMPLES)) == ()
    said = "point to the zorb beside the mug 3000"
    assert outcome_of(said, "show me the zorb beside the mug 3000", names) == "rewritten"
    assert outcome_of(said, "show me the zorb beside the mug", names) == "another meaning"
    assert outcome_of(said, "show me the thing beside the mug 3000", ["zorb"]) == "another meaning"


def test_the_command_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_samples(tmp_path / "in", SAMPLES)
    with json_server(model(polite)) as served:
        arguments = [str(source), "--out", str(tmp_path / "out"), "--url", served.url]
        main(["rewrite", *arguments, "--model", "m", "--json"])
    counts = json.loads(capsys.readouterr().out)
    assert counts["rewritten"] == counts["questions"] == len(asked(source))
    assert "data rewrite" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize(
    ("said", "text", "outcome"),
    [
        ("find the mug", "find the mug", "unchanged"),
        ("find the mug", "", "malformed"),
        ("find the mug", "find the {name} mug", "malformed"),
        ("find the mug", "find \ud83d the mug", "malformed"),
        ("find the mug", "where might the mug be " * 9, "malformed"),
        ("a free spot left of the mug", "the thing left of the mug", "another meaning"),
        ("find the mug", "show me where the mug is", "rewritten"),
    ],
)
def test_outcomes(said: str, text: str, outcome: str) -> None:
    assert outcome_of(said, text) == outcome
