"""A page to browse a dataset with: one HTML file that needs nothing else, and no network."""

from __future__ import annotations

import base64
import html
import json
import re
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.data import ObjectTruth, Question, Sample, masks, read_samples
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import format_answer
from robo_refer.viz.depth import depth_picture
from robo_refer_data.outline import svg_path

_QUALITY = (cv2.IMWRITE_WEBP_QUALITY, 92)
_MAX_WIDTH = 960
_MIN_DEPTH_WIDTH = 480  # so that the numbers of its scale can be read


def write_page(dataset: Path, out: Path, samples: int = 50, first: str | None = None) -> Path:
    """Write a self-contained HTML page that shows samples of a dataset, and return its path.

    Images (colour, and depth with its scale in metres) and masks are inside the page: about
    0.1 MB per sample of 640x480.

    Args:
        dataset: dataset folder, or one Parquet file of it.
        out: the page to write; its folder is made if it does not exist.
        samples: how many samples to show, at most.
        first: id of the sample to begin with; None: the first one.

    Raises:
        RoboReferError: BAD_REQUEST for less than one sample or an unknown id, BAD_FILE where
            there is no sample or `out` cannot be written, BAD_SAMPLE for a damaged sample.
    """
    if samples < 1:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"{samples} samples show nothing.", "Choose at least 1."
        )
    start = 0 if first is None else _index_of(dataset, first)
    scenes = [_scene(sample) for sample in islice(read_samples(dataset, start=start), samples)]
    if not scenes:
        raise RoboReferError(
            ErrorCode.BAD_FILE, f"{dataset} holds no sample.", "Give a dataset that has some."
        )
    page = _filled(
        files("robo_refer_data").joinpath("view_page.html").read_text("utf-8"),
        {"title": html.escape(dataset.resolve().name), "data": _json_in_html(scenes)},
    )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, "utf-8")
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE, f"{out} cannot be written: {error}.", "Choose another place."
        ) from error
    return out


def _index_of(dataset: Path, id_: str) -> int:
    for index, sample in enumerate(read_samples(dataset, columns=())):
        if sample.id == id_:
            return index
    raise RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"{dataset} has no sample with the id {id_!r}.",
        "Ids look like s1-000042: the seed of the dataset and the number of the scene.",
    )


def _filled(template: str, parts: dict[str, str]) -> str:
    # In one pass: what is filled in may itself contain what looks like a place to fill.
    return re.sub(r"\{\{(title|data)\}\}", lambda match: parts[match[1]], template)


def _json_in_html(value: Any) -> str:
    """Return JSON that no text in it can end: `<` would begin `</script>` or `<!--`."""
    # NaN, which damaged data may hold, is no JSON: it becomes null.
    plain = json.loads(json.dumps(value), parse_constant=lambda _: None)
    return json.dumps(plain, separators=(",", ":")).replace("<", "\\u003c")


def _scene(sample: Sample) -> dict[str, Any]:
    rgb, depth, size = sample.rgb, None, sample.size
    if size[0] > _MAX_WIDTH:
        rgb = cv2.resize(rgb, _scaled(size, _MAX_WIDTH), interpolation=cv2.INTER_AREA)
    if sample.depth_m is not None:
        width = min(max(size[0], _MIN_DEPTH_WIDTH), _MAX_WIDTH)
        depth = _data_url(depth_picture(sample.depth_m, _scaled(size, width)))
    elif sample.relative_depth is not None:
        depth = _data_url(cv2.cvtColor(sample.relative_depth, cv2.COLOR_GRAY2RGB))
    return {
        "id": sample.id,
        "half": str(sample.meta.get("half", "")),
        "source": sample.source,
        "size": size,
        "rgb": _data_url(rgb),
        "depth": depth,
        "objects": [_object(item) for item in sample.objects],
        "questions": [_question(question) for question in sample.questions],
    }


def _scaled(size: tuple[int, int], width: int) -> tuple[int, int]:
    """Return (width, height) of an image at another width."""
    return width, max(1, round(size[1] * width / size[0]))


def _object(item: ObjectTruth) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "look": " ".join(word for word in (item.colour, item.material) if word),
        "size_cm": [round(100 * float(value), 1) for value in item.size_m],
        "depth_m": item.depth_m,
        "visible": item.visible_fraction,
        "path": svg_path(masks.decode(item.mask)),
    }


def _question(question: Question) -> dict[str, Any]:
    return {
        "kind": question.kind,
        "family": question.family,
        "hops": question.hops,
        "text": question.text,
        "answer": _answer_text(question),
        "targets": question.target_ids,
        "points": question.answer.points,
        "steps": [
            {"id": id_, "point": step.value if step.kind == "position" else None}
            for id_, step in zip(question.step_ids, question.answer.steps, strict=False)
        ],
        "path": "" if question.mask is None else svg_path(masks.decode(question.mask)),
    }


def _answer_text(question: Question) -> str:
    try:
        text = format_answer(question.answer)
    except RoboReferError as error:  # to be looked at, not to be hidden
        return error.message
    if question.reply:  # in words: there are steps, but nothing to point to
        return text.removesuffix("<answer>[]</answer>") + question.reply
    return text


def _data_url(image: NDArray[np.uint8]) -> str:
    """Return (height, width, 3) RGB as a data URL."""
    done, data = cv2.imencode(".webp", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _QUALITY)
    if not done:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"An image of shape {image.shape} cannot be written as WebP.",
            "WebP holds up to 16383 pixels a side.",
        )
    return "data:image/webp;base64," + base64.b64encode(data.tobytes()).decode("ascii")
