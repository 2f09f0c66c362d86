"""A `Report` as a console table, as Markdown for the docs, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from robo_refer_bench.clients.controls import LABELS
from robo_refer_bench.compare import Comparison
from robo_refer_bench.score import Report, Row, Share

ON_CONSOLE = (
    "anywhere",
    "first_option",
    "random_option",
    "random_object",
    "lowest",
    "highest",
    "largest",
    "image_centre",
    "anchor_neighbour",
    "always_refuse",
)
"""The controls that a terminal has room for; Markdown and JSON have all."""

NOTES = (
    "best*: the best picture-only control for each kind of question, chosen on these very "
    "questions: an upper bound.",
    "Controls marked + know more than the picture: the true depth, or the true anchor. "
    "None but 'refuse' ever refuses.",
)


def as_dict(report: Report) -> dict[str, Any]:
    """Return the whole report, JSON-ready."""
    return {
        "settings": dict(report.settings),
        "frames": report.frames,
        "questions": sum(report.statuses.values()),
        "unreadable": report.unreadable,
        "statuses": report.statuses,
        "groups": [row.as_dict() for row in report.groups],
        "false_refusals": {half: share.as_dict() for half, share in report.false_refusals.items()},
        "kinds": [row.as_dict() for row in report.kinds],
        "notes": list(NOTES),
    }


def console(report: Report) -> str:
    """Return aligned tables: groups of every half, false refusals, then kinds of all halves."""
    parts = [heading(report)]
    for half in dict.fromkeys(row.half for row in report.groups):
        rows = [row for row in report.groups if row.half == half]
        parts.append(_aligned(_cells(f"questions ({half})", rows, ON_CONSOLE)))
    # Where kinds are the splits, they stand among the groups already.
    groups = {row.name for row in report.groups}
    kinds = [row for row in report.kinds if row.half == "all" and row.name not in groups]
    if kinds:
        parts.append(_aligned(_kind_cells(kinds)))
    refusals = [_refusal(half, share) for half, share in report.false_refusals.items()]
    parts.append("\n".join([*refusals, _unreadable(report)]))
    parts.append("\n".join(NOTES))
    return "\n\n".join(parts)


def markdown(report: Report) -> str:
    """Return the same as Markdown, with the kinds of every half."""
    parts = [heading(report)]
    for title, rows in (("questions", report.groups), ("kind", report.kinds)):
        for half in dict.fromkeys(row.half for row in rows):
            chosen = [row for row in rows if row.half == half]
            controls = tuple(dict.fromkeys(name for row in chosen for name in row.controls))
            parts.append(_piped(_cells(f"{title} ({half})", chosen, controls)))
    refusals = [f"- {_refusal(half, share)}" for half, share in report.false_refusals.items()]
    parts.append("\n".join([*refusals, f"- {_unreadable(report)}"]))
    parts.append("\n".join(f"- {note}" for note in NOTES))
    return "\n\n".join(parts) + "\n"


def heading(report: Report) -> str:
    """Return one line that says what was scored on what."""
    settings = report.settings
    questions = sum(report.statuses.values())
    data = ", ".join(
        f"{part.removesuffix('/all').replace('generated', found['name'])} ({found['hash']})"
        for part, found in settings["data"].items()
    )
    return (
        f"{who(settings)} on {data}: {questions} questions about {report.frames} frames, "
        f"{how(settings)}"
    )


def who(settings: Mapping[str, Any]) -> str:
    """Return the model and what tells its weights from others'."""
    return f"{settings['model']} ({settings['model_hash']})"


def how(settings: Mapping[str, Any]) -> str:
    """Return how it was asked."""
    words = [f"depth {settings['depth']}"]
    if settings.get("estimate_depth"):  # of servers only, and not in files of before
        words.append("estimated by the server where there is none")
    if settings["think"]:
        words.append("reasoning asked for")
    if "max_tokens" in settings:
        words.append(f"at most {settings['max_tokens']} tokens")
    return ", ".join(words)


def comparison(found: Comparison) -> str:
    """Return two runs' accuracies and their difference, by group, in percent."""
    runs = [
        f"{letter}: {who(run)}, {how(run)}"
        for letter, run in (("A", found.first), ("B", found.second))
    ]
    table = [["questions", "n", "A", "B", "A-B", "95%", "only A", "only B", "McNemar p"]]
    for row in found.groups:
        gap = row.difference
        table.append(
            [
                row.name,
                str(row.n),
                _percent(row.first / row.n),
                _percent(row.second / row.n),
                f"{100 * gap.estimate:+.1f}",
                f"{100 * gap.low:+.1f} to {100 * gap.high:+.1f}",
                str(row.only_first),
                str(row.only_second),
                f"{row.p_value:.2g}",
            ]
        )
    end = [f"{found.left_out} questions were asked in one run only, and are left out."]
    end += [
        f"{letter} has not ended: {count} of its questions have no answer and count as misses. "
        "Start its 'bench run' again, and it goes on."
        for letter, count in zip("AB", found.no_answer, strict=True)
        if count
    ]
    return "\n\n".join(["\n".join(runs), _aligned(table), "\n".join(end)])


def _cells(title: str, rows: Sequence[Row], controls: Sequence[str]) -> list[list[str]]:
    """Return the heading and the rows of a table, in percent; "-" where there is no control."""
    controls = [name for name in controls if any(name in row.controls for row in rows)]
    labels = [LABELS[name] for name in controls]
    table = [[title, *_MODEL_HEADINGS, *labels]]
    for row in rows:
        shares = [row.controls.get(name) for name in controls]
        scores = ["-" if share is None else _percent(share.value) for share in shares]
        table.append([row.name, *_model_cells(row), *scores])
    return table


def _kind_cells(rows: Sequence[Row]) -> list[list[str]]:
    """Return a narrow table of kinds, with the name of the best heuristic instead of them all."""
    table = [["kind (all)", *_MODEL_HEADINGS, "which"]]
    return table + [[row.name, *_model_cells(row), row.best_rules[row.name]] for row in rows]


_MODEL_HEADINGS = ("n", "hits", "model", "95%", "best*")


def _model_cells(row: Row) -> list[str]:
    share = row.model
    scores = [_percent(share.value), _interval(share), _percent(row.best.value)]
    return [str(share.n), str(share.count), *scores]


def _aligned(table: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _piped(table: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in table]
    rule = "|---|" + "---:|" * (len(table[0]) - 1)
    return "\n".join([lines[0], rule, *lines[1:]])


def _refusal(half: str, share: Share) -> str:
    return (
        f"false refusals ({half}): {share.count} of {share.n} questions whose target is there, "
        f"{_percent(share.value)}% (95%: {_interval(share)})"
    )


def _unreadable(report: Report) -> str:
    statuses = ", ".join(f"{name} {count}" for name, count in report.statuses.items())
    return f"unreadable answers, counted as misses: {report.unreadable} (statuses: {statuses})"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _interval(share: Share) -> str:
    low, high = share.interval
    return f"{100 * low:.1f}-{100 * high:.1f}"
