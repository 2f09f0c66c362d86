from __future__ import annotations

import json
from pathlib import Path

import pytest

from robo_refer.errors import RoboReferError
from robo_refer_bench import cli, page, score_speed
from robo_refer_bench.records import Record, header, read_records
from robo_refer_bench.rescore import rescore, table
from tests.bench import made_suites as made

RIGHT, WRONG, SKIPPED = "[(0.2, 0.5)]", "[(0.8, 0.5)]", "(0.9, 0.0, 0.1, 1.0)"
ANSWER = Record("s", "t", "1", "m", "roborefer", "p", "").line().replace(b'"points":null', b"?")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    return made.refspatial_folder(folder, 4, ("Location", "Placement", "Unseen"))


def released_line(number: int, text: str | None, model: str = "RoboRefer-2B-Depth") -> str:
    row = made.question(number)
    return json.dumps(
        {
            "question_id": row["id"],
            "prompt": row["prompt"],
            "object_name": row["object"],
            "suffix": row["suffix"],
            "instruction": f"{row['prompt']} {row['suffix']}",
            "text": text,
            "model_id": model,
            "rgb_path": row["rgb_path"],
            "mask_path": row["mask_path"],
            "category": row["category"],
            "step": row["step"],
        }
    )


def released(
    folder: Path, texts: list[str | None], task: str = "Location", end: str = "\n"
) -> Path:
    path = folder / f"outputs/RoboRefer-2B-Depth/{task}.jsonl"
    lines = "\n".join(released_line(n, text) for n, text in enumerate(texts)) + end
    made.write_bytes(path, lines.encode())
    return path


def ours(folder: Path, texts: list[str], split: str = "Location") -> Path:
    path = folder / "run.jsonl"
    records = [
        Record("refspatial_bench", split, str(n), "m", "roborefer", "p", text)
        for n, text in enumerate(texts)
    ]
    made.write_bytes(path, header({"model": "m"}) + b"".join(record.line() for record in records))
    return path


def test_files_of_the_released_evaluator(tmp_path, root):
    path = released(tmp_path, [RIGHT, WRONG, SKIPPED, RIGHT])
    (as_released,) = rescore([path], root, "official")
    assert (as_released.n, as_released.answered) == (3, 4)
    assert as_released.mean == pytest.approx(2 / 3)
    assert as_released.left_out == {"skipped_by_script": 1}
    assert "1 answers are left out" in table([as_released])
    (meant,) = rescore([path], root, "strict")
    assert (meant.n, meant.mean) == (4, 0.5)
    assert meant.reasons == {"outside": 2}
    assert meant.by_steps == {1: (2, 1.0), 2: (1, 0.0), 3: (1, 0.0)}


def test_a_text_that_is_null_is_left_out_or_a_miss(tmp_path, root):
    path = released(tmp_path, [RIGHT, None, RIGHT, RIGHT])
    assert rescore([path], root, "official")[0].n == 3
    (meant,) = rescore([path], root, "strict")
    assert (meant.n, meant.reasons) == (4, {"no_text": 1})


def test_a_line_cut_off_by_a_crash_is_a_miss_not_one_item_less(tmp_path, root):
    path = released(tmp_path, [RIGHT, RIGHT, RIGHT], end="\n" + released_line(3, RIGHT)[:40])
    (meant,) = rescore([path], root, "strict")
    assert (meant.n, meant.mean, meant.answered) == (4, 0.75, 3)
    assert meant.reasons == {"no_answer": 1}
    assert "1 of 4 items have no answer: misses" in table([meant])
    mine = ours(tmp_path, [RIGHT] * 4)
    mine.write_bytes(mine.read_bytes()[:-9])
    assert read_records(mine).cut_off
    assert rescore([mine], root, "strict")[0].mean == 0.75


def test_a_whole_last_line_without_its_newline_counts(tmp_path, root):
    path = released(tmp_path, [RIGHT] * 4, end="")
    assert rescore([path], root, "strict")[0].mean == 1


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "holds no answers"),
        (b"not json\n", "no JSON"),
        (b'{"robo_refer_bench": 1}\n', "this version"),
        (header({}) + b'{"suite": "s"}\n{}\n', "damaged in line 2"),
        (header({}) + b"\xff\xfe\n", "damaged in line 2"),
        (header({}) + ANSWER.replace(b"?", b'"points":3'), "line 2: its numbers"),
        (header({}) + ANSWER.replace(b"?", b'"hm":3'), "'hm'"),
        (
            header({}) + ANSWER.replace(b"?", b'"points":[]').replace(b"{}}", b"3}"),
            "line 2: its 'extra'",
        ),
        (b'{"question_id": 1}\n', "'text' in line 1"),
    ],
)
def test_damaged_files_are_one_clear_sentence(tmp_path, root, content, word):
    path = tmp_path / "Location.jsonl"
    path.write_bytes(content)
    with pytest.raises(RoboReferError) as caught:
        rescore([path], root, "strict", family="roborefer")
    assert caught.value.code.name == "BAD_FILE"
    assert word in caught.value.message


def test_records_round_trip(tmp_path):
    record = Record(
        "s", "t", "1", "m", "gemini", "p", "ü", "no_target", "e", 0.5, (4, 3), ((0.1, 0.2),),
        (1.0, 2.0, 3.0), {"scores": [0.5]},
    )  # fmt: skip
    path = tmp_path / "r.jsonl"
    path.write_bytes(header({"think": True}) + record.line())
    found = read_records(path)
    assert found.settings == {"think": True}
    assert found.records == (record,)


def test_an_answer_may_be_any_text(tmp_path):
    half = "a cup \ud83d"  # of a pair of surrogates
    path = tmp_path / "r.jsonl"
    path.write_bytes(header({}) + Record("s", "t", "1", "m", "gemini", "p", half).line())
    assert read_records(path).records[0].raw_answer == half
    page.write(tmp_path / "page.html", half)
    assert (tmp_path / "page.html").read_text() == "a cup ?"


def test_limits_are_those_of_each_file(tmp_path, root):
    files = []
    for split, limit in (("Location", 2), ("Placement", 4)):
        path = ours(tmp_path / split, [RIGHT] * limit, split)
        head = f'"model":"m","limit":{limit}'.encode()
        path.write_bytes(path.read_bytes().replace(b'"model":"m"', head, 1))
        files.append(path)
    scores = {score.split: score for score in rescore(files, root, "strict")}
    assert {split: score.n for split, score in scores.items()} == {
        "Location": 2, "Placement": 4, "pooled": 6,
    }  # fmt: skip
    assert scores["pooled"].mean == 1


def test_a_run_that_was_limited_is_scored_on_what_it_asked(tmp_path, root):
    path = ours(tmp_path, [RIGHT, WRONG])
    whole = rescore([path], root, "strict")[0]
    path.write_bytes(path.read_bytes().replace(b'"model":"m"', b'"model":"m","limit":3', 1))
    (limited,) = rescore([path], root, "strict")
    assert (whole.n, limited.n) == (4, 3)
    assert limited.reasons == {"no_answer": 1, "outside": 1}
    assert limited.data_hash == whole.data_hash


def stopped(folder: Path, answered: int, **settings: object) -> Path:
    """Write a run about two splits that was stopped within the first."""
    data = {f"refspatial_bench/{split}": {"hash": "0"} for split in ("Location", "Placement")}
    path = ours(folder, [RIGHT] * answered)
    lines = path.read_bytes().splitlines(keepends=True)[1:]
    path.write_bytes(header({"model": "m", "data": data, **settings}) + b"".join(lines))
    return path


@pytest.mark.parametrize("answered", [3, 0])
def test_a_split_that_was_asked_and_never_begun_is_all_misses(tmp_path, root, answered):
    path = stopped(tmp_path, answered)
    scores = {score.split: score for score in rescore([path], root, "strict")}
    assert {name: (score.n, sum(score.scores), score.model) for name, score in scores.items()} == {
        "Location": (4, answered, "m"), "Placement": (4, 0, "m"), "pooled": (8, answered, "m"),
    }  # fmt: skip
    assert scores["Placement"].reasons == {"no_answer": 4}
    assert "4 of 4 items have no answer: misses" in table([scores["Placement"]])


def test_a_split_of_which_nothing_was_asked_is_not_scored(tmp_path, root):
    with pytest.raises(RoboReferError, match="item '0'"):
        rescore([stopped(tmp_path, 1, half="natural")], root, "strict")
    with pytest.raises(RoboReferError, match="no answers"):
        rescore([stopped(tmp_path, 0, half="natural")], root, "strict")


def test_the_official_score_of_no_answer_is_none(tmp_path, root, capsys):
    path = stopped(tmp_path, 3)
    cli.main(["score", str(path), "--root", str(root), "--mode", "official", "--json"])
    scores = {score["split"]: score for score in json.loads(capsys.readouterr().out)}
    assert (scores["Location"]["score"], scores["Placement"]["score"]) == (1.0, None)
    assert "not in the denominator" in scores["Placement"]["notes"][-1]


def test_only_disjoint_splits_are_pooled(tmp_path, root):
    files = [
        released(tmp_path, texts, task)
        for task, texts in (
            ("Location", [RIGHT] * 4),
            ("Placement", [WRONG] * 4),
            ("Unseen", [RIGHT] * 4),
        )
    ]
    scores = rescore(files, root, "strict")
    assert [score.split for score in scores] == ["Location", "Placement", "Unseen", "pooled"]
    assert (scores[-1].n, scores[-1].mean) == (8, 0.5)
    assert "pooled" not in [score.split for score in rescore(files[1:], root, "strict")]


def test_an_item_answered_twice_is_refused_in_strict(tmp_path, root):
    path = released(tmp_path, [RIGHT])
    path.write_text((released_line(0, RIGHT) + "\n") * 2)
    with pytest.raises(RoboReferError, match="answered twice"):
        rescore([path], root, "strict")
    assert rescore([path], root, "official")[0].n == 2  # as the script counts


def test_an_answer_to_another_suite_is_refused(tmp_path, root):
    path = released(tmp_path, [RIGHT] * 5)
    with pytest.raises(RoboReferError, match="item '4'"):
        rescore([path], root, "strict")


def test_intervals_and_json(tmp_path, root, capsys):
    path = ours(tmp_path, [RIGHT, RIGHT, WRONG, "hm"])
    cli.main(["score", str(path), "--root", str(root), "--mode", "strict", "--json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert found["mode"] == "strict"
    assert found["score"] == 0.5
    assert found["interval95"] == [0.15, 0.85]
    assert found["reasons"] == {"outside": 1, "unparsable_answer": 1}
    assert found["detectable"]["unpaired"] > 0.9  # four items show nothing
    assert found["items"] == 4
    assert any("published with 100 items" in note for note in found["notes"])
    cli.main(["score", str(path), "--root", str(root), "--mode", "official"])
    assert "official: 50.00 %" in capsys.readouterr().out


def test_the_family_can_be_named(tmp_path, root):
    path = ours(tmp_path, ['```json\n[{"point": [500, 200]}]\n```'] * 4)
    assert rescore([path], root, "strict")[0].mean == 0
    assert rescore([path], root, "strict", family="gemini")[0].mean == 1
    with pytest.raises(RoboReferError, match="no family"):
        rescore([path], root, "strict", family="gemeni")


def test_what_is_measured_for_speed_is_a_suite_and_its_answers(tmp_path):
    options = score_speed.Options(tmp_path, answers=12, masks=3, width=64, height=48)
    score_speed.write_files(tmp_path, options)
    printed, cost = score_speed.ours(tmp_path)
    assert printed.endswith(" of 12")
    assert cost.cpu_s > 0
    assert cost.peak_mb > 10
