"""What drawing a scene costs: `python -m robo_refer_data.render_speed`.

CPU seconds (all threads) per 640x480 scene for RGB, depth and instances, by the default renderer
and by Mitsuba on the same scenes in turn; and of what comes before, composing and settling.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from robo_refer_data.render import RENDERERS, render
from robo_refer_data.scenes import compose
from robo_refer_data.scenes.assemble import assemble
from robo_refer_data.scenes.options import SceneOptions
from robo_refer_data.scenes.worlds import WORLDS

SIZE = (640, 480)
SCENES = 6  # of each world


def main() -> None:
    """Print a Markdown table, medians over the scenes of each world."""
    drawn = [f"{name}, CPU s (scenes per CPU s)" for name in RENDERERS]
    print("|", " | ".join(["world", "triangles", "compose and settle, CPU s", *drawn]), "| ratio |")
    print("|---" * (4 + len(RENDERERS)) + "|")
    for world in WORLDS:
        options = SceneOptions(world=world)
        before, triangles = [], []
        draws: dict[str, list[float]] = {name: [] for name in RENDERERS}
        for seed in range(-1, SCENES):  # the first one compiles
            place = (seed % 1000, "natural", *SIZE, options)
            layout, seconds = _timed(compose, *place)
            scene = assemble(layout)
            costs = {name: _timed(render, scene, 2, name)[1] for name in RENDERERS}
            if seed >= 0:
                before.append(seconds)
                triangles.append(len(scene.faces))
                for name, cost in costs.items():
                    draws[name].append(cost)
        costs = {name: median(values) for name, values in draws.items()}
        cells = [f"{cost:.3f} ({1 / cost:.2f})" for cost in costs.values()]
        cells = [world, f"{median(triangles):.0f}", f"{median(before):.3f}", *cells]
        print("|", " | ".join(cells), f"| {costs['mitsuba'] / costs['embree']:.1f}x |", flush=True)


def _timed(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    started = time.process_time()
    result = work(*arguments)
    return result, time.process_time() - started


if __name__ == "__main__":
    main()
