"""The command `robo-refer bench`: score models, compare them, measure speed."""

from __future__ import annotations

import json as json_format
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import tyro

from robo_refer.only_writer import only_writer
from robo_refer_bench.clients import ModelOptions
from robo_refer_bench.depth_choice import DepthChoice
from robo_refer_bench.selection import DEFAULT_ROOT, HalfChoice

app = tyro.extras.SubcommandApp()


@app.command
def run(
    suites: tyro.conf.Positional[tuple[str, ...]],
    who: Annotated[ModelOptions, tyro.conf.arg(name="")] = ModelOptions(),  # noqa: B008
    out: Path | None = None,
    root: Path = DEFAULT_ROOT,
    limit: int | None = None,
    half: HalfChoice = "both",
    depth: DepthChoice = "own",
    markdown: Path | None = None,
    json: bool = False,
) -> None:
    """Ask a model the questions of suites and score it, with every control beside it.

    Examples:
        robo-refer bench run data/tabletop --model nano --out runs/nano.jsonl
        robo-refer bench run refspatial_bench --root data/bench --out runs/qwen3.jsonl
        --model Qwen/Qwen3-VL-8B-Instruct --url http://127.0.0.1:8000/v1

    Args:
        suites: Names of suites ("refspatial_bench"), of their splits
            ("refspatial_bench/Unseen"), or a folder made by 'robo-refer data generate'.
        who: Who is asked.
        out: Write every answer here, one JSON line each; a stopped run goes on where it was.
        root: Folder of the suite, or one in which every suite has a folder of its name.
        limit: Ask at most this many questions of every split.
        half: Of generated scenes: tables as they are, scenes without shortcuts, or both.
        depth: Show each picture its own depth, none, or that of another.
        markdown: Write the tables as Markdown here.
        json: Print the whole report as one line of JSON.
    """
    from robo_refer_bench import report as reports
    from robo_refer_bench.clients import open_client
    from robo_refer_bench.page import write
    from robo_refer_bench.runner import RunOptions
    from robo_refer_bench.runner import run as run_suites
    from robo_refer_bench.score import score as tables
    from robo_refer_bench.scored import score_items
    from robo_refer_bench.selection import parts

    options = RunOptions(half=half, depth=depth, think=who.think, limit=limit)
    with nullcontext() if out is None else only_writer(out):
        done = run_suites(parts(suites, root), open_client(who), options, out)
    scored = score_items(done.asked, done.recording.records)
    report = tables(done.recording.settings, scored)
    if markdown is not None:
        write(markdown, reports.markdown(report))
    print(json_format.dumps(reports.as_dict(report)) if json else reports.console(report))


@app.command
def score(
    files: tyro.conf.Positional[tuple[Path, ...]],
    root: Path,
    mode: Literal["strict", "official"] = "strict",
    suite: str | None = None,
    split: str | None = None,
    family: str | None = None,
    json: bool = False,
) -> None:
    """Score recorded answers again, without the model.

    robo-refer bench score outputs/RoboRefer-2B/Location.jsonl --root DIR --mode official

    Args:
        files: Written by 'robo-refer bench run --out', or by RoboRefer's released evaluator.
        root: Folder of the suite; 'robo-refer bench suites' says how to get it.
        mode: The final answer alone, or the arithmetic of the released script, quirks included.
        suite: Which suite, if the files do not say.
        split: Which split, if the files do not say.
        family: How the model writes points, if its name does not tell.
        json: Print the scores as one line of JSON.
    """
    from robo_refer_bench.rescore import rescore, table

    scores = rescore(files, root, mode, suite, split, family)
    print(json_format.dumps([item.as_dict() for item in scores]) if json else table(scores))


@app.command
def published(
    suite: tyro.conf.Positional[str | None] = None,
    json: bool = False,
) -> None:
    """Print published results with source and, where the number of items is known, interval.

    Args:
        suite: Only those on this suite.
        json: Print them as one line of JSON, with the protocol of each.
    """
    from robo_refer_bench.published import published as all_published
    from robo_refer_bench.published import text
    from robo_refer_bench.suites import find_suite

    name = None if suite is None else find_suite(suite).name
    rows = [row for row in all_published() if name in (None, row.suite)]
    print(json_format.dumps([row.as_dict() for row in rows]) if json else text(rows))


@app.command
def power(
    items: tyro.conf.Positional[int],
    score: float = 0.5,
    disagreement: float = 0.3,
    json: bool = False,
) -> None:
    """Tell what a number of items can show: interval, and smallest difference that is found.

    Args:
        items: How many items.
        score: About which share of them is right.
        disagreement: Share of items that only one of two models gets right.
        json: Print it as one line of JSON.
    """
    from robo_refer_bench import power as powers

    found = powers.power(items, score, disagreement)
    print(json_format.dumps(found.as_dict()) if json else powers.text(found))


@app.command
def suites(
    name: tyro.conf.Positional[str | None] = None,
    root: Path | None = None,
    json: bool = False,
) -> None:
    """List the suites, how to get each, and check a copy: its items, their number and hash.

    Args:
        name: Only this suite.
        root: Its folder, to be read and checked.
        json: Print one line of JSON.
    """
    from robo_refer_bench.catalogue import catalogue, text

    rows = catalogue(name, root)
    print(json_format.dumps(rows) if json else text(rows))


@app.command
def sim(
    out: tyro.conf.Positional[Path],
    recipe: Path | None = None,
    workers: int = os.cpu_count() or 1,
    write_hash: bool = False,
    json: bool = False,
) -> None:
    """Make RefSpatial-Sim from its recipe, and check that it is the very same everywhere.

    Needs the extra 'data'. A stopped run goes on when the same command is given again.

    Args:
        out: Folder of the scenes; 'robo-refer bench run refspatial_sim --root OUT' reads it.
        recipe: Another recipe than the one that this release ships.
        workers: Number of processes.
        write_hash: Write the hashes of what was made into the recipe, instead of checking them.
        json: Print the hashes as one line of JSON.
    """
    from robo_refer_bench.suites import sim_recipe

    path = recipe or sim_recipe.SHIPPED
    hashes = sim_recipe.make(path, out, workers, write_hash)
    if json:
        print(json_format.dumps({"out": str(out), "hashes": hashes}))
        return
    print("\n".join(f"{split}: {value}" for split, value in hashes.items()))


@app.command
def compare(
    first: tyro.conf.Positional[Path],
    second: tyro.conf.Positional[Path],
    root: Path | None = None,
    json: bool = False,
) -> None:
    """Compare two runs on the same questions: paired bootstrap and exact McNemar test.

    Args:
        first: Answers of one run ('robo-refer bench run --out').
        second: Answers of the other.
        root: Folder with the suites' data, if it is no longer where the runs found it.
        json: Print the comparison as one line of JSON.
    """
    from robo_refer_bench.compare import compare as compare_files
    from robo_refer_bench.report import comparison

    found = compare_files(first, second, root)
    print(json_format.dumps(found.as_dict()) if json else comparison(found))


@app.command
def report(
    files: tyro.conf.Positional[tuple[Path, ...]],
    out: Path = Path("report.html"),
    markdown: Path | None = None,
    root: Path | None = None,
    gallery: int = 120,
) -> None:
    """Write one page about runs: accuracies with intervals, differences, answers on pictures.

    robo-refer bench report runs/nano.jsonl runs/qwen3.jsonl --out report.html

    Args:
        files: Answers of one to six runs ('robo-refer bench run --out').
        out: The page; everything is in it.
        markdown: Write the tables as Markdown here.
        root: Folder with the suites' data, if it is no longer where the runs found it.
        gallery: Show at most this many questions with their picture.
    """
    from robo_refer_bench import page
    from robo_refer_bench.recordings import load

    runs = [load(path, root, controls=True) for path in files]
    page.write(out, page.html(runs, gallery))
    if markdown is not None:
        page.write(markdown, page.markdown(runs))
    print(f"{out}: open it in a browser.")


@app.command
def serve(model: str = "nano", clients: int = 32, requests: int = 320, json: bool = False) -> None:
    """Measure a server under many callers at once against one, every answer checked.

    Every caller sends 640x480 RGB-D frames and waits for its answer, which must be what the same
    model answers about the same frame without a server.

    Args:
        model: What is served.
        clients: Callers at once.
        requests: Requests that they send together; one caller alone sends a quarter of them.
        json: Print one line of JSON.
    """
    from robo_refer_bench.serving import console, measure

    serving = measure(model, clients, requests)
    print(json_format.dumps(serving.as_dict()) if json else console(serving))


@app.command
def speed(
    model: str = "nano",
    checkpoint: Path | None = None,
    pairs: int = 15,
    cores: int = 2,
    json: bool = False,
) -> None:
    """Measure an answer from arrays to 3D point, against Hugging Face generate().

    Args:
        model: "nano", or the folder of an ONNX export.
        checkpoint: Folder with the same weights as safetensors; by default that of nano in the
            checkout.
        pairs: Measurements of each side and question, in alternating order.
        cores: How many processor cores both sides may use.
        json: Print all measurements as one line of JSON.
    """
    from robo_refer_bench import speed as speeds

    found = speeds.measure(model, checkpoint or speeds.DEFAULT_CHECKPOINT, pairs, cores)
    print(json_format.dumps(found.as_dict()) if json else speeds.console(found))


def main(argv: list[str]) -> None:
    """Run `robo-refer bench` with its arguments; raises RoboReferError."""
    app.cli(
        prog="robo-refer bench",
        description="Score models with controls beside them, compare runs, measure speed.",
        args=argv,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
