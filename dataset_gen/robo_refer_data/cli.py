"""The command `robo-refer data`: make datasets and look at what they hold."""

from __future__ import annotations

import json as json_format
import os
import re
from pathlib import Path
from textwrap import fill
from typing import Literal

from robo_refer.data.sample import FAMILIES
from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer.only_writer import only_writer

try:
    import tyro
except ImportError as error:
    raise missing_package("tyro", "data") from error

app = tyro.extras.SubcommandApp()


@app.command
def generate(
    out: Path,
    scenes: int,
    seed: int = 0,
    workers: int = os.cpu_count() or 1,
    size: str = "640x480",
    questions: int = 16,
    half: Literal["natural", "decorrelated", "both"] = "both",
    sensor_depth: bool = False,
    families: tuple[str, ...] = FAMILIES,
    relations: tuple[str, ...] = (),
    wording: Literal["plain", "varied"] = "varied",
    hold_out: tuple[str, ...] = (),
    world: tuple[str, ...] = ("tabletop",),
    objects: tuple[int, int] = (3, 12),
    assets: tuple[str, ...] = ("parametric",),
    physics: bool = False,
    renderer: str = "embree",
    sensor: tuple[str, ...] = (),
    ray: str | None = None,
    json: bool = False,
) -> None:
    """Render scenes, ask about them, and store both as a dataset.

    Stopped runs go on where they were when the same command is given again. For example:
    robo-refer data generate --out data --scenes 500 --world desk kitchen --objects 5 25

    Args:
        out: Folder of the dataset.
        scenes: Number of scenes.
        seed: The same seed makes the same bytes.
        workers: Number of processes.
        size: Image size, WIDTHxHEIGHT in pixels.
        questions: Questions per scene, at most.
        half: Tables as they are, scenes without shortcuts, or both in turn.
        sensor_depth: Depth with the noise and holes of a depth camera, instead of exact depth.
        families: Question families to ask; the first six are answered by pointing.
        relations: Ask only about these (see 'robo-refer data relations'); all if none is given.
        wording: Ask in few words, which a small model learns from nothing, or in varied ones.
        hold_out: Pairs INNER:OUTER that no question asks one after the other, kept for a test.
        world: Places of natural scenes: tabletop, shelf, desk, kitchen, floor. One is drawn each.
        objects: Fewest and most objects of a natural scene.
        assets: Where objects come from: parametric, sweethome3d, folders with an assets.yaml.
        physics: Let things settle on tables too (other worlds always do; extra 'physics').
        renderer: Which one draws: embree, or mitsuba (slower, path-traced; extra 'mitsuba').
        sensor: Effects of a depth camera on depth (see docs/data.md), or 'all' of them.
        ray: Make the shards on the Ray cluster at HOST:PORT ('auto': the one of this machine,
            'local': one for this run; extra 'ray') instead of in processes.
        json: Print the summary as one line of JSON.
    """
    from robo_refer_data import generate as generator
    from robo_refer_data.plan import GENERATOR_VERSION, Plan
    from robo_refer_data.scenes.options import EFFECT_NAMES
    from robo_refer_data.summary import summarise, write_card

    width, height = _parse_size(size)
    plan = Plan(
        scenes=scenes,
        seed=seed,
        width=width,
        height=height,
        questions=questions,
        half=half,
        sensor_depth=sensor_depth,
        families=families,
        relations=relations,
        wording=wording,
        hold_out=hold_out,
        world=world,
        objects=objects,
        assets=assets,
        physics=physics,
        renderer=renderer,
        sensor=EFFECT_NAMES if sensor == ("all",) else sensor,
    )
    options = {"generator version": GENERATOR_VERSION, **plan.as_manifest()}
    with only_writer(out):
        run = generator.generate(out, plan, workers, ray=ray)
        summary = summarise(out)
        write_card(out, options, summary)
    if json:
        made = {"new_scenes": run["scenes"], "seconds": round(run["seconds"], 3)}
        rate = {"scenes_per_s": round(run["scenes_per_s"], 3)}
        print(json_format.dumps({"out": str(out), **summary.as_dict(), **made, **rate}))
        return
    print("\n".join(summary.table()))
    print(
        f"{summary.scenes.total()} scenes, {summary.questions} questions, "
        f"{summary.bytes / 1e6:.1f} MB in {out}"
    )
    print(
        f"{run['scenes']:.0f} of them made now, in {run['seconds']:.1f} s "
        f"({run['scenes_per_s']:.2f} scenes/s)"
    )


@app.command
def source(
    kind: tyro.conf.Positional[str],
    path: tyro.conf.Positional[Path],
    out: Path,
    config: Path | None = None,
    seed: int = 0,
    questions: int = 16,
    workers: int = 1,
    json: bool = False,
) -> None:
    """Ask about real frames: RGB-D with boxes, or plain pictures that models look at first.

    Stopped runs go on where they were; docs/sources.md shows layouts and configs. For example:
    robo-refer data source rgbd scans --out data

    Args:
        kind: What the frames are: 'rgbd' (colour, depth, camera, boxes) or 'web' (colour only).
        path: Folder of the frames.
        out: Folder of the dataset; stages of 'web' keep what they computed in it.
        config: YAML file that names the models of 'web'.
        seed: The same seed makes the same bytes.
        questions: Questions per frame, at most.
        workers: Number of processes; each loads its own models.
        json: Print the summary as one line of JSON.
    """
    from robo_refer_data.generate import writing_to
    from robo_refer_data.sources.build import build, plan_source
    from robo_refer_data.sources.card import write_source_card
    from robo_refer_data.summary import summarise

    plan = plan_source(kind, path, out, config, seed, questions)
    with only_writer(out):
        left_out = build(out, plan, workers)
        summary = summarise(out)
        with writing_to(out):
            write_source_card(out, plan, summary, left_out)
    if json:
        whole = {"out": str(out), **summary.as_dict(), "left_out": left_out}
        print(json_format.dumps(whole))
        return
    print("\n".join(summary.table()))
    print(f"{summary.scenes.total()} of {len(plan.frames)} frames, {summary.questions} questions")
    for reason, count in left_out.items():
        print(f"  {count} left out: {reason}")


@app.command
def stats(path: tyro.conf.Positional[Path], json: bool = False) -> None:
    """Print what a dataset holds, and what its words and its pictures alone give away.

    Args:
        path: Dataset folder or Parquet file.
        json: Print it as one line of JSON.
    """
    from robo_refer_data.summary import summarise
    from robo_refer_data.tables import Tables

    summary, tables = summarise(path), Tables.of(path)
    if json:
        whole = {**summary.as_dict(), **tables.as_dict()}
        print(json_format.dumps({"path": str(path), **whole}))
        return
    print("\n".join([*summary.table(), "", *tables.lines()]))
    sizes = ", ".join(f"{width}x{height}" for width, height in sorted(summary.sizes))
    print(
        f"{summary.scenes.total()} scenes of {sizes}, {summary.questions} questions, "
        f"{summary.bytes / 1e6:.1f} MB"
    )


@app.command
def view(
    path: tyro.conf.Positional[Path],
    out: Path = Path("dataset.html"),
    samples: int = 50,
    first: str | None = None,
) -> None:
    """Write one HTML page to browse a dataset: pictures, depth, masks, points and steps.

    Args:
        path: Dataset folder or Parquet file.
        out: The page; it needs no network and no other file.
        samples: How many samples to show, at most.
        first: Id of the sample to begin with.
    """
    from robo_refer_data.view import write_page

    page = write_page(path, out, samples, first)
    print(f"{page} ({page.stat().st_size / 1e6:.1f} MB)")


@app.command
def validate(
    path: tyro.conf.Positional[Path],
    regenerate: bool = False,
    workers: int = os.cpu_count() or 1,
    json: bool = False,
) -> None:
    """Check every stored question against its own scene; exit with status 1 if any is wrong.

    Args:
        path: Dataset folder or Parquet file, made by this generator.
        regenerate: Also make every scene again, and execute every question anew.
        workers: Number of processes.
        json: Print the report as one line of JSON.
    """
    from robo_refer_data.validate import validate as check

    report = check(path, workers, regenerate)
    print(json_format.dumps(report.as_dict()) if json else "\n".join(report.lines()))
    if report.problems:
        raise SystemExit(1)


@app.command
def export(path: tyro.conf.Positional[Path], out: Path) -> None:
    """Write a dataset in the layout in which RefSpatial was released.

    That layout has no metres: depth becomes 8-bit and relative.

    Args:
        path: Dataset folder or Parquet file.
        out: Folder to write to; Simulator/metadata.json, image/ and depth/ appear in it.
    """
    from robo_refer_data.formats.refspatial import export_refspatial

    counts = export_refspatial(path, out)
    print(", ".join(f"{count} {name}" for name, count in counts.items()), f"in {out}")


@app.command(name="import")
def import_(path: tyro.conf.Positional[Path], out: Path) -> None:
    """Store a release of RefSpatial as a dataset of ours.

    Args:
        path: The folder RefSpatial, or its 2D, 3D or Simulator, with unpacked archives.
        out: Folder of the dataset.
    """
    from robo_refer_data.formats.refspatial import import_refspatial

    counts = import_refspatial(path, out)
    print(", ".join(f"{count} {name}" for name, count in counts.items()), f"in {out}")


@app.command
def rewrite(
    path: tyro.conf.Positional[Path],
    out: Path,
    url: str,
    model: str,
    api_key_env: str = "",
    parallel: int = 4,
    json: bool = False,
) -> None:
    """Put a dataset's questions into the words of a language model, where they keep their meaning.

    For example: robo-refer data rewrite data --out said --url http://127.0.0.1:8000/v1 --model NAME

    Args:
        path: Dataset folder or Parquet file.
        out: Folder of the new dataset; a stopped run goes on where it was.
        url: Address of any OpenAI-compatible server, which usually ends in /v1.
        model: The model's name on that server.
        api_key_env: Name of the environment variable with the server's key, if it needs one.
        parallel: Requests under way at once.
        json: Print the counts as one line of JSON.
    """
    from robo_refer.engines.chat_endpoint import ChatEndpoint
    from robo_refer_data.rewriting import rewrite as rewrite_all
    from robo_refer_data.summary import summarise, write_card

    endpoint = ChatEndpoint(url, model, api_key_env=api_key_env)
    found = rewrite_all(path, out, endpoint, parallel)
    counts = found.as_dict()
    write_card(out, {"questions of": str(path), "model": model}, summarise(out), "rewrite")
    if json:
        print(json_format.dumps({"out": str(out), **counts}))
        return
    refused = counts.pop("refused")
    print(", ".join(f"{count} {name}" for name, count in counts.items()), f"in {out}")
    for said, text in refused:
        print(f"  kept {said!r}, not {text!r}")


@app.command
def speed(scenes: int = 60, rounds: int = 3, clevr: Path | None = None, json: bool = False) -> None:
    """Measure how fast questions with reasoning steps are made, beside CLEVR's generator.

    Args:
        scenes: How many scenes to ask about; rendering them is not counted.
        rounds: How often; medians count.
        clevr: A copy of clevr-dataset-gen to measure in the same run; else its known rate counts.
        json: Print the rates as one line of JSON.
    """
    from robo_refer_data.speed import question_speed

    found = question_speed(scenes, rounds, clevr)
    if json:
        print(json_format.dumps(found.as_dict()))
        return
    peer = "in the same run" if found.clevr_measured else "measured before"
    print(
        f"{found.with_steps_per_cpu_s:.0f} questions with steps per CPU second "
        f"(all: {found.questions_per_cpu_s:.0f}); CLEVR's generator: {found.clevr_per_cpu_s:.0f} "
        f"({peer}); {found.ratio:.1f}x; medians of {found.rounds} rounds over {found.scenes} scenes"
    )


@app.command
def relations(json: bool = False) -> None:
    """List the spatial relations: frame, definition, margin, example.

    Args:
        json: Print them as one line of JSON.
    """
    from robo_refer_data.relations import listed  # noqa: F401 - registers them
    from robo_refer_data.relations.registry import RELATIONS

    if json:
        rows = [
            {name: value for name, value in vars(item).items() if name != "decide"}
            for item in RELATIONS.values()
        ]
        print(json_format.dumps(rows))
        return
    for number, item in enumerate(RELATIONS.values(), start=1):
        print(f"{number:2d} {item.name} ({item.form.replace('_', ' ')}, frame: {item.frame})")
        for label, text in (
            ("", item.definition),
            ("margin: ", item.margin),
            ("example: ", item.example),
        ):
            print(fill(label + text, 96, initial_indent="   ", subsequent_indent="   "))


def _parse_size(size: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if match is None:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The size {size!r} is not WIDTHxHEIGHT.",
            "Write for example --size 640x480.",
        )
    return int(match[1]), int(match[2])


def main(argv: list[str]) -> None:
    """Run `robo-refer data` with its arguments; raises RoboReferError."""
    app.cli(prog="robo-refer data", args=argv, config=(tyro.conf.FlagCreatePairsOff,))
