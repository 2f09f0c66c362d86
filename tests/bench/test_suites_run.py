"""Every suite is asked, scored, compared and shown, through the commands that users type."""

from __future__ import annotations

import json

import pytest

from robo_refer.errors import RoboReferError
from robo_refer_bench.cli import main
from robo_refer_bench.records import read_records
from robo_refer_bench.suites import SUITES
from tests.bench import made_suites, squares
from tests.robo_refer.json_server import as_json, json_server

MADE = {
    "refspatial_bench": made_suites.refspatial_folder,
    "refspatial_expand_bench": made_suites.expand,
    "where2place": made_suites.where2place,
    "robospatial_home": made_suites.robospatial_home,
    "cv_bench": made_suites.cv_bench,
    "blink": made_suites.blink,
    "sat": made_suites.sat,
    "embspatial": made_suites.embspatial,
    "refcoco": made_suites.refcoco,
    "roborefit": made_suites.roborefit,
    "open6dor": made_suites.open6dor,
    "screenspot_v2": made_suites.screenspot_v2,
    "screenspot_pro": made_suites.screenspot_pro,
}


def reply(n, path, body):
    """Answer letters where letters are asked for, and the left half of the picture elsewhere."""
    asks_for_letter = "letter" in squares.said(body)
    return as_json(squares.chat("(A)" if asks_for_letter else "[(0.25, 0.5)]"))


def suites_root(tmp_path, name):
    """Make one suite in a folder of its name, with the splits that its copy has."""
    folder = tmp_path / "data" / name
    folder.mkdir(parents=True)
    MADE[name](folder)
    splits = []
    for split in SUITES[name].splits:
        try:
            SUITES[name].items(split, folder)
        except RoboReferError:
            continue
        splits.append(f"{name}/{split}")
    return tmp_path / "data", splits


@pytest.mark.parametrize("name", MADE)
def test_a_suite_is_asked_scored_and_shown(name, tmp_path, capsys):
    root, splits = suites_root(tmp_path, name)
    out, page = tmp_path / "r.jsonl", tmp_path / "r.html"
    with json_server(reply) as server:
        options = ["--model", "m", "--url", server.url, "--family", "roborefer"]
        run = ["run", *splits, "--root", str(root), "--out", str(out), *options, "--json"]
        main(run)
        asked = len(server.asked)
        main(run)  # finished: nothing is asked again
        assert len(server.asked) == asked
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == second
    assert first["questions"] == asked == len(read_records(out).records) > 0
    assert first["groups"][0]["controls"] or name == "open6dor"
    main(["score", str(out), "--root", str(root / name), "--json"])
    scores = json.loads(capsys.readouterr().out)
    mine = {row["name"]: row["model"]["share"] for row in first["groups"]}
    for score in scores:
        if score["split"] != "pooled":
            share = mine[f"{name}/{score['split']}"]
            assert share == pytest.approx(score["score"], abs=1e-4)
    main(["report", str(out), "--out", str(page)])
    assert SUITES[name].title in page.read_text()


def test_two_suites_are_one_run(tmp_path, capsys):
    root, _ = suites_root(tmp_path, "refspatial_bench")
    suites_root(tmp_path, "where2place")
    out, other = str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")
    both = ["refspatial_bench/location", *("where2place",)]
    run = ["run", *both, "--root", str(root)]
    main([*run, "--model", "control:image_centre", "--out", out])
    main([*run, "--model", "control:lower_half", "--out", other])
    capsys.readouterr()
    main(["compare", out, other, "--json"])
    names = [row["name"] for row in json.loads(capsys.readouterr().out)["groups"]]
    assert {"refspatial_bench/Location", "where2place/" + SUITES["where2place"].splits[0]} <= {
        *names
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "No suite is named"),
        (["refspatial_bench", "--root", "nowhere"], "nowhere"),
        (["refspatial_bench/Somewhere"], "no split"),
        (["folder/that/is/not"], "no folder"),
        (["refspatial"], "no suite"),
    ],
)
def test_what_cannot_be_asked_is_said(arguments, says):
    with pytest.raises(RoboReferError, match=says):
        main(["run", *arguments])
