"""The command `robo-refer data`: make datasets and look at what they hold."""

from __future__ import annotations

import json as json_format
import os
import re
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import Literal

from robo_refer.data.sample import FAMILIES
from robo_refer.errors import ErrorCode, RoboReferError, missing_package

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
    hold_out: tuple[str, ...] = (),
    json: bool = False,
) -> None:
    """Render scenes, ask about them, and store both as a dataset.

    Stopped runs go on where they were when the same command is given again.

    Args:
        out: Folder of the dataset.
        scenes: Number of scenes.
        seed: The same seed makes the same bytes.
        workers: Number of processes.
        size: Image size, WIDTHxHEIGHT in pixels.
        questions: Questions per scene, at most.
        half: Tables as they are, scenes without shortcuts, or both in turn.
        sensor_depth: Depth with the noise and holes of a depth camera, instead of exact depth.
        families: Question families to ask; the first five are answered by pointing.
        relations: Ask only about these (see 'robo-refer data relations'); all if none is given.
        hold_out: Pairs INNER:OUTER that no question asks one after the other, kept for a test.
        json: Print the summary as one line of JSON.
    """
    from robo_refer_data import generate as generator
    from robo_refer_data.plan import GENERATOR_VERSION, Plan
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
        hold_out=hold_out,
    )
    run = generator.generate(out, plan, workers)
    summary = summarise(out)
    options = {"generator version": GENERATOR_VERSION, **plan.as_manifest()}
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
def stats(path: tyro.conf.Positional[Path], json: bool = False) -> None:
    """Print what a dataset holds, and what its words and its pictures alone give away.

    Args:
        path: Dataset folder or Parquet file.
        json: Print it as one line of JSON.
    """
    from robo_refer_data.blind_stats import blind_stats, blind_table
    from robo_refer_data.language_stats import language_stats
    from robo_refer_data.summary import summarise

    summary, language, blind = summarise(path), language_stats(path), blind_stats(path)
    if json:
        seen = {
            table: {name: asdict(found) for name, found in rows.items()}
            for table, rows in blind.items()
        }
        whole = {**summary.as_dict(), "language": language, "blind": seen}
        print(json_format.dumps({"path": str(path), **whole}))
        return
    print("\n".join(summary.table()))
    print("\nAnswered without reading the question:\n")
    print("\n".join([*blind_table(blind), ""]))
    sizes = ", ".join(f"{width}x{height}" for width, height in sorted(summary.sizes))
    print(
        f"{summary.scenes.total()} scenes of {sizes}, {summary.questions} questions, "
        f"{summary.bytes / 1e6:.1f} MB\n"
    )
    for family, found in language.items():
        print(
            f"{family}: {found['n']} questions, {found['texts']} different, "
            f"{found['openings']} openings, {found['words']} words, "
            f"{found['words_per_text']} words each"
        )
        if "text_only" in found:
            guessed = found["text_only"]
            right = guessed["accuracy"]
            print(
                f"  reply guessed from the text alone: {right['estimate']:.3f} "
                f"(95 % {right['low']:.3f}-{right['high']:.3f}, n {guessed['n']}; "
                f"commonest reply {guessed['commonest']:.3f})"
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
