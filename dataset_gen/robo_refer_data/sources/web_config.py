"""`WebConfig`: which models look at pictures, and by which thresholds; read from YAML."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from robo_refer.errors import ErrorCode, RoboReferError

POSITIVE = (
    "a photo of several objects seen from some distance",
    "a photo of an indoor scene",
    "a photo of a room with furniture",
    "a photo of a table with things on it",
    "a photo of a kitchen",
    "a photo of a shelf with things on it",
    "a photo of an outdoor scene",
    "a photo of a street with traffic",
    "a photo of buildings",
    "a photo of a landscape",
    "a photo of animals",
    "a photo of people in their surroundings",
)
NEGATIVE = (
    "a close-up of a single small thing",
    "a page of text",
    "a person on a white background",
    "a product on a white background",
    "a screenshot of a program",
    "a very dark photo",
    "a painting or a drawing",
    "a collage of several photos",
)
"""Labels of the coarse filter: what kinds of pictures are kept and dropped (paper, section 3.1)."""


@dataclass(frozen=True)
class WebConfig:
    """Options of the source `web`. Models are names on the Hugging Face Hub, or local folders.

    Attributes:
        detector: zero-shot object detection of the family of Grounding DINO.
        segmenter: masks from boxes: SAM or SAM 2.
        depth: metric depth: Depth Anything V2 (metric), Depth Pro, ZoeDepth.
        names: what may be found, singular lower case ("mug"); the tagger chooses among them.
        tagger: scores names against a picture, and filters pictures: SigLIP, SigLIP 2 or CLIP;
            "" to ask the detector for all names and to filter by light and colour alone.
        judge_url: address of an OpenAI-compatible server whose vision-language model filters
            pictures; "" for none.
        judge_model: the model's name on that server.
        judge_key_env: name of the environment variable with the server's key, if it needs one.
        tags: how many names the detector is asked for, the best ones by the tagger.
        box_score: least score of a detection.
        box_overlap: most overlap (IoU) of two detections.
        box_share: most of the image that one detection may cover.
        horizontal_fov_deg: of pictures whose depth model and EXIF data tell no focal length.
        max_tilt_deg: how far a camera may look down for a plane to count as a support.
        device: "cpu", "cuda" ...
    """

    detector: str
    segmenter: str
    depth: str
    names: tuple[str, ...]
    tagger: str = ""
    judge_url: str = ""
    judge_model: str = ""
    judge_key_env: str = ""
    tags: int = 20
    box_score: float = 0.35
    box_overlap: float = 0.5
    box_share: float = 0.6
    horizontal_fov_deg: float = 60.0
    max_tilt_deg: float = 65.0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not self.names or not all(name and name == name.lower() for name in self.names):
            raise _bad("names must list at least one thing, in lower case")
        if not 0 < self.box_share <= 1 or not 0 <= self.box_overlap <= 1 or self.tags < 1:
            raise _bad("box_share, box_overlap or tags is out of range")
        if bool(self.judge_url) != bool(self.judge_model):
            raise _bad("judge_url and judge_model go together")
        if not 5 <= self.horizontal_fov_deg <= 150:
            raise _bad(f"horizontal_fov_deg {self.horizontal_fov_deg} is no photo's")


def read_config(path: Path | None) -> WebConfig:
    """Return the options that a YAML file gives.

    Raises:
        RoboReferError: BAD_FILE when it cannot be read, BAD_REQUEST when an option is missing,
            unknown, or has a value that it cannot have.
    """
    if path is None:
        raise _bad("the source 'web' needs the names of its models")
    try:
        given = yaml.safe_load(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{path} cannot be read: {' '.join(str(error).split())}.",
            "Give a YAML file, as docs/sources.md shows.",
        ) from error
    if not isinstance(given, dict):
        raise _bad(f"{path} holds no named options")
    known = {item.name: item for item in fields(WebConfig)}
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise _bad(f"there is no option {unknown[0]!r} (known: {', '.join(known)})")
    missing = [name for name in ("detector", "segmenter", "depth", "names") if not given.get(name)]
    if missing:
        raise _bad(f"{path} lacks {', '.join(missing)}")
    return WebConfig(
        **{name: _typed(name, value, known[name].type) for name, value in given.items()}
    )


def _typed(name: str, value: Any, wanted: Any) -> Any:
    if name == "names":
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
    elif wanted == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif wanted == type(value).__name__:
        return value
    raise _bad(f"{name} is {value!r}, not of the type {wanted}")


def _bad(what: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"The config cannot be used: {what}.",
        "Give --config FILE.yaml, as docs/sources.md shows.",
    )
