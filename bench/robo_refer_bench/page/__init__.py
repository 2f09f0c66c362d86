"""One self-contained HTML page about one or several runs, and the same tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.page import view
from robo_refer_bench.page.gallery import cards
from robo_refer_bench.page.protocols import beside_published, both_modes
from robo_refer_bench.recordings import Loaded
from robo_refer_bench.suites import find_suite
from robo_refer_bench.suites.generated import GENERATED

MOST_RUNS = 6
DEFAULT_GALLERY = 120


def html(runs: Sequence[Loaded], gallery: int = DEFAULT_GALLERY) -> str:
    """Return the page: accuracies, differences, and a gallery with the answers drawn on it.

    Everything is in it: pictures, styles and a few lines of script; it needs no network.

    Args:
        runs: from one to six; several are shown side by side.
        gallery: how many items are shown with their picture at most.

    Raises:
        RoboReferError: BAD_REQUEST for more runs than that; BAD_FILE or BAD_IMAGE when a picture
            cannot be read.
    """
    if not 1 <= len(runs) <= MOST_RUNS:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"A page shows 1 to {MOST_RUNS} runs, not {len(runs)}.",
            "Choose those that are to be seen side by side.",
        )
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("robo_refer_bench.page", ""),
        autoescape=True,  # answers are the text of strangers
        undefined=StrictUndefined,
    )
    shown = list(cards(runs, gallery))
    run_views = view.run_views(runs)
    results = beside_published(runs)
    return pages.get_template("page.html.j2").render(
        title=_title(runs),
        runs=run_views,
        letters=[run.letter for run in run_views],
        charts=view.charts(runs),
        modes=both_modes(runs),
        published=results,
        protocols=list(dict.fromkeys(row.protocol for row in results)),
        differences=view.differences(runs),
        cards=shown,
        groups=sorted({card.group for card in shown}),
        questions=len({s.asked.key for run in runs for s in run.scored}),
    )


def markdown(runs: Sequence[Loaded]) -> str:
    """Return the accuracies as Markdown, one table for every chart of the page."""
    names = view.run_views(runs)
    parts = [f"# {_title(runs)}", "\n".join(f"- {run.letter}: {run.detail}" for run in names)]
    for chart in view.charts(runs):
        heads = [f"{run.letter} (95 %)" for run in names]
        lines = [
            f"| {chart.title} | n | " + " | ".join([*heads, "best control"]) + " |",
            "|---|---:|" + "---:|" * (len(heads) + 1),
        ]
        for line in chart.lines:
            by_run = {bar.run: bar for bar in line.bars}
            cells = [
                f"{bar.value:.1f} ({bar.low:.1f}-{bar.high:.1f})"
                if (bar := by_run.get(number)) is not None
                else ""
                for number in range(len(names))
            ]
            control = "" if line.control is None else f"{line.control:.1f} {line.control_name}"
            n = max(bar.n for bar in line.bars)
            lines.append(f"| {line.name} | {n} | " + " | ".join([*cells, control]) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def write(path: Path, text: str) -> None:
    """Write a text file.

    Raises:
        RoboReferError: BAD_FILE when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="replace")  # answers are any text
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{path} cannot be written: {error.strerror}.",
            "Name a place where you may write.",
        ) from error


def _title(runs: Sequence[Loaded]) -> str:
    models = list(dict.fromkeys(str(run.settings["model"]) for run in runs))
    data = dict.fromkeys(
        found["name"] if part.startswith(GENERATED.name) else find_suite(part.split("/")[0]).title
        for run in runs
        for part, found in run.settings["data"].items()
    )
    return f"{' and '.join(models)} on {', '.join(data)}"
