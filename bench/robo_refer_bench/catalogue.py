"""What suites there are, how to get them, and whether a copy is whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.suites import SUITES, Suite, find_suite
from robo_refer_bench.suites.digest import content_hash


def catalogue(name: str | None = None, root: Path | None = None) -> list[dict[str, Any]]:
    """Return a JSON-ready row per suite; with `root`, each split is read, counted and hashed.

    Raises:
        RoboReferError: BAD_REQUEST for an unknown suite or a root without one; as `Suite.items`.
    """
    if root is not None and name is None:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"Of which suite {root} is a copy is not said.",
            "Name the suite: robo-refer bench suites NAME --root DIR.",
        )
    chosen = SUITES.values() if name is None else [find_suite(name)]
    return [_row(suite, root) for suite in chosen]


def text(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as lines to read."""
    lines: list[str] = []
    for row in rows:
        lines += ["", f"{row['suite']}: {row['title']}"]
        for split, found in row["splits"].items():
            counts = "" if found["published"] is None else f"{found['published']} items published"
            here = f"{found['items']} items here, hash {found['hash']}" if "hash" in found else ""
            lines.append(f"  {split}: " + ("; ".join(filter(None, (counts, here))) or "any number"))
        lines += ["    " + line for line in row["how_to_get"].splitlines()]
    return "\n".join(lines[1:])


def _row(suite: Suite, root: Path | None) -> dict[str, Any]:
    splits: dict[str, dict[str, Any]] = {}
    for split in suite.splits:
        splits[split] = {"published": suite.published_items.get(split)}
        if root is not None:
            items = suite.items(split, root)
            splits[split] |= {"items": len(items), "hash": content_hash(items)}
    return {
        "suite": suite.name,
        "title": suite.title,
        "splits": splits,
        "pooled": list(suite.disjoint),
        "how_to_get": suite.how_to_get,
    }
