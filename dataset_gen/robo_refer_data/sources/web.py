"""Pictures without depth: filters, tags, boxes, masks, metric depth, then 3D (paper, section 3.1).

Every stage is kept per image in `OUT/stages/STAGE/IMAGE.json`: a run that was stopped goes on with
the next image of the next stage, and a changed option, or picture, repeats only what depends on it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.data import Rle, masks
from robo_refer.data.images import decode_depth, encode_depth
from robo_refer.files.frame_files import read_rgb
from robo_refer.types import CameraModel, FloatArray
from robo_refer_data.sources.focal import exif_focal_px
from robo_refer_data.sources.judge import Judge
from robo_refer_data.sources.matching import suppressed
from robo_refer_data.sources.observing import RgbdFrame, observe_things, place
from robo_refer_data.sources.source import CERTAIN, WITHOUT_GRAVITY, LeftOutError, Seen
from robo_refer_data.sources.stages import Stages
from robo_refer_data.sources.things import Thing, within
from robo_refer_data.sources.vision import DepthModel, Detector, Segmenter, Tagger
from robo_refer_data.sources.web_config import NEGATIVE, POSITIVE, read_config

SUFFIXES = (".jpg", ".jpeg", ".png")
DIM, GREY, DISTORTED = 35, 8, 3.0
_LEAST_SIDE_PX = 12
_TAG = "a photo of a {}"


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that is looked at, with what tells it from another of its name.

    Attributes:
        frame: its path from the folder.
        rgb: (height, width, 3).
        digest: of its file.
    """

    frame: str
    rgb: NDArray[np.uint8]
    digest: str


class WebSource:
    """Pictures in a folder; see `Source`."""

    def __init__(self, path: Path, out: Path, config: Path | None) -> None:
        self._config = options = read_config(config)
        self._path = path
        self._stages = Stages(out / "stages")
        self._tagger = Tagger(options.tagger, options.device) if options.tagger else None
        judge = (options.judge_url, options.judge_model, options.judge_key_env)
        self._judge = Judge(*judge) if options.judge_url else None
        self._detector = Detector(options.detector, options.device)
        self._segmenter = Segmenter(options.segmenter, options.device)
        self._depth_model = DepthModel(options.depth, options.device)

    def frames(self) -> Sequence[str]:
        """Return the pictures, relative to the folder."""
        found = (file for file in self._path.rglob("*") if file.suffix.lower() in SUFFIXES)
        return sorted(file.relative_to(self._path).as_posix() for file in found)

    def see(self, frame: str) -> Seen:
        """Return what a picture shows; see `Source.see`."""
        file = self._path / frame
        rgb = read_rgb(file)
        picture = Picture(frame, rgb, hashlib.sha256(file.read_bytes()).hexdigest())
        self._filter(picture)
        names = self._tags(picture)
        found = self._boxes(picture, names)
        things = self._things(picture, found)
        depth_m, camera, known = self._depth(picture, file)
        seen = RgbdFrame(rgb, depth_m, camera, self._config.max_tilt_deg)
        world = place(seen, np.random.default_rng(0))
        return Seen(
            observe_things(seen, world, things, seed=0),
            families=CERTAIN,
            relations=WITHOUT_GRAVITY if world.up == "assumed" else (),
            meta={"up": world.up, "focal_from": known, "depth": "estimated"},
        )

    def _kept(
        self, picture: Picture, stage: str, given: list[Any], compute: Callable[[], Any]
    ) -> Any:
        """Return what a stage says of a picture; see `Stages.run`."""
        return self._stages.run(stage, picture.frame, [picture.digest, *given], compute)

    def _filter(self, picture: Picture) -> None:
        """Leave out what teaches nothing: by its light and colour, by what it is, by a judge."""
        rgb = picture.rgb
        reason = plainly_bad(rgb)
        tagger = self._tagger
        if reason is None and tagger is not None:
            labels = [*POSITIVE, *NEGATIVE]
            scores = self._kept(
                picture, "filter", [tagger.name, labels], lambda: tagger.scores(rgb, labels)
            )
            best = labels[int(np.argmax(scores))]
            reason = best if best in NEGATIVE else None
        judge = self._judge
        if reason is None and judge is not None:
            reason = self._kept(picture, "judge", [judge.model], lambda: judge.objection(rgb))
        if reason:
            raise LeftOutError(reason)

    def _tags(self, picture: Picture) -> list[str]:
        tagger, names = self._tagger, list(self._config.names)
        if tagger is None or len(names) <= self._config.tags:
            return names
        texts = [_TAG.format(name) for name in names]
        scores = self._kept(
            picture, "tags", [tagger.name, texts], lambda: tagger.scores(picture.rgb, texts)
        )
        best = np.argsort(scores, kind="stable")[::-1][: self._config.tags]
        return [names[k] for k in sorted(best)]

    def _boxes(self, picture: Picture, names: list[str]) -> list[dict[str, Any]]:
        """Return the detections that are kept: {"name", "score", "box_px"}, best first."""
        options, rgb = self._config, picture.rgb
        given = [options.detector, names, options.box_score, options.box_overlap, options.box_share]

        def compute() -> list[dict[str, Any]]:
            boxes, scores, said = self._detector.boxes(rgb, names)
            sides = boxes[:, 2:] - boxes[:, :2]
            area = sides.prod(axis=1) / (rgb.shape[0] * rgb.shape[1])
            fits = (sides.min(axis=1) >= _LEAST_SIDE_PX) & (area <= options.box_share)
            kept = np.flatnonzero((scores >= options.box_score) & fits)
            kept = kept[suppressed(boxes[kept], scores[kept], options.box_overlap)]
            return [
                {"name": said[k], "score": float(scores[k]), "box_px": boxes[k].tolist()}
                for k in kept
            ]

        found: list[dict[str, Any]] = self._kept(picture, "boxes", given, compute)
        if not found:
            raise LeftOutError("no thing was detected")
        return found

    def _things(self, picture: Picture, found: list[dict[str, Any]]) -> list[Thing]:
        boxes = np.array([row["box_px"] for row in found])

        def compute() -> list[Rle]:
            found = self._segmenter.masks(picture.rgb, boxes)
            return [masks.encode(within(box, mask)) for box, mask in zip(boxes, found, strict=True)]

        given = [self._segmenter.name, boxes.tolist()]
        encoded = self._kept(picture, "masks", given, compute)
        return [
            Thing(row["name"], masks.decode(rle)) for row, rle in zip(found, encoded, strict=True)
        ]

    def _depth(self, picture: Picture, file: Path) -> tuple[FloatArray, CameraModel, str]:
        """Return depth in metres, the camera, and where its focal length is known from."""

        def compute() -> dict[str, Any]:
            depth_m, focal_px = self._depth_model.depth(picture.rgb)
            return {"png": base64.b64encode(encode_depth(depth_m)).decode(), "focal_px": focal_px}

        kept = self._kept(picture, "depth", [self._depth_model.name], compute)
        height, width = picture.rgb.shape[:2]
        assumed = width / 2 / np.tan(np.radians(self._config.horizontal_fov_deg) / 2)
        offered = {"model": kept["focal_px"], "exif": exif_focal_px(file), "config": assumed}
        known, focal = next((name, value) for name, value in offered.items() if value)
        camera = CameraModel(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)
        return decode_depth(base64.b64decode(kept["png"])), camera, known


def plainly_bad(rgb: NDArray[np.uint8]) -> str | None:
    """Return why a picture is of no use by its pixels alone, None if it may be.

    Too dim, without colour, or a strip: what the paper's fine filter asks a language model for and
    can be measured.
    """
    height, width = rgb.shape[:2]
    if max(height, width) > DISTORTED * min(height, width):
        return "too long and narrow"
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    if float(grey.mean()) < DIM:
        return "too dark"
    spread = rgb.max(axis=2).astype(int) - rgb.min(axis=2)
    if float(np.percentile(spread, 95)) < GREY:
        return "black and white"
    return None
