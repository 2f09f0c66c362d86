"""The node's parameters, once: names, defaults, descriptions, limits, and their checked values.

A parameter is a field of `Settings`, named with dots for nested ones ("backend.timeout_s"). All
can be set while the node is unconfigured; those marked live, at any time.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import LiftOptions
from robo_refer.parsing import READERS
from robo_refer.tracking import TrackOptions
from robo_refer_ros.model.worker import ModelSpec

_NOWHERE = (-math.inf,) * 3
_EVERYWHERE = (math.inf,) * 3
_TRACK = TrackOptions()


def parameter(default: Any, doc: str, *, at_least: float | None = None, live: bool = False) -> Any:
    """Return a field that is a parameter of a node: its default, description and lower limit."""
    return field(default=default, metadata={"doc": doc, "at_least": at_least, "live": live})


@dataclass(frozen=True)
class BackendSettings:
    """What answers."""

    type: Literal["local", "http"] = parameter(
        "local", "a model of our own in a worker process, or a server (POST /query)"
    )
    model: str = parameter(
        "nano", "nano, or the folder of a checkpoint; of a server, its name in results"
    )
    url: str = parameter("", "address of the server, like http://127.0.0.1:8000")
    timeout_s: float = parameter(30.0, "seconds for one answer", at_least=0.1)
    api_key_env: str = parameter("", "name of the environment variable with the server's key")
    reader: str = parameter(
        "robo_refer", "answer format of a server: robo_refer, roborefer_tuples, ..."
    )
    depth: Literal["metric", "relative"] = parameter(
        "metric", "how depth is sent: metric to our servers, relative to the released RoboRefer"
    )
    suffix: str = parameter("", "what is written behind every instruction to a server")
    reason: bool = parameter(False, "ask for written reasoning")


@dataclass(frozen=True)
class SyncSettings:
    """When a colour image and a depth image are of one moment."""

    slop_s: float = parameter(
        0.02,
        "largest difference of their stamps; below half a frame, so that moments never mix",
        at_least=0.0,
    )
    queue: int = parameter(10, "images of each kind that wait for their partner", at_least=1)


@dataclass(frozen=True)
class ImageSettings:
    """The camera's streams."""

    transport: Literal["raw", "compressed"] = parameter(
        "raw", "compressed subscribes to image/compressed"
    )
    reliability: Literal["best_effort", "reliable"] = parameter(
        "best_effort", "best_effort receives from every publisher; reliable only from reliable ones"
    )
    queue: int = parameter(5, "images that the middleware keeps", at_least=1)
    max_age_s: float = parameter(
        0.5, "oldest image that is answered about, seconds", at_least=0.0, live=True
    )
    wait_s: float = parameter(
        1.0, "how long a request waits for a fresh image, seconds", at_least=0.0, live=True
    )
    rectified: bool = parameter(False, "the image is undistorted: use P of camera_info, not K, D")


@dataclass(frozen=True)
class DepthSettings:
    """How the depth of a pixel is measured (robo_refer.geometry.LiftOptions)."""

    min_m: float = parameter(0.1, "nearest depth that counts, metres")
    max_m: float = parameter(4.0, "farthest depth that counts, metres")
    window_px: int = parameter(7, "side of the window around a pixel, odd")
    min_support: float = parameter(0.3, "least share of measured pixels in the window")
    edge_gap_m: float = parameter(0.05, "depths farther apart are two surfaces, metres")


@dataclass(frozen=True)
class WorkspaceSettings:
    """The box in the frame of the parameter target_frame that points must lie in."""

    min: tuple[float, ...] = parameter(
        _NOWHERE, "lower corner x, y, z in the parameter target_frame, metres", live=True
    )
    max: tuple[float, ...] = parameter(
        _EVERYWHERE, "upper corner x, y, z in the parameter target_frame, metres", live=True
    )

    @property
    def is_everywhere(self) -> bool:
        """Whether no point lies outside."""
        return (self.min, self.max) == (_NOWHERE, _EVERYWHERE)

    def holds(self, p_m: tuple[float, float, float]) -> bool:
        """Tell whether a point lies inside; x, y, z in the box's frame, metres."""
        sides = zip(self.min, p_m, self.max, strict=True)
        return all(low <= value <= high for low, value, high in sides)


@dataclass(frozen=True)
class TfSettings:
    """Transforms."""

    timeout_s: float = parameter(0.2, "how long a transform is waited for", at_least=0.0)
    cache_s: float = parameter(
        30.0, "how far back transforms are kept: longer than an answer takes", at_least=1.0
    )
    publish: bool = parameter(False, "broadcast the best point as the frame refer_target")


@dataclass(frozen=True)
class TrackingSettings:
    """Following the target between answers (robo_refer.tracking.TrackOptions)."""

    enable: bool = parameter(False, "follow the best point through every capture", live=True)
    replan_m: float = parameter(
        _TRACK.replan_m,
        "a way in the camera's frame that asks the model again, metres",
        at_least=0.0,
        live=True,
    )
    max_age_s: float = parameter(
        _TRACK.max_age_s, "how long an answer is followed, seconds", at_least=0.0, live=True
    )
    depth_jump_m: float = parameter(
        _TRACK.depth_jump_m, "change of depth that no target makes, metres", at_least=0.0
    )
    no_depth_s: float = parameter(
        _TRACK.no_depth_s, "how long depth may be missing, seconds", at_least=0.0
    )
    radius_px: int = parameter(
        _TRACK.radius_px, "corners are followed this near the point, pixels", at_least=4
    )

    def options(self) -> TrackOptions:
        """Return how a target is followed."""
        return TrackOptions(
            radius_px=self.radius_px,
            depth_jump_m=self.depth_jump_m,
            no_depth_s=self.no_depth_s,
            replan_m=self.replan_m,
            max_age_s=self.max_age_s,
        )


@dataclass(frozen=True)
class MarkerSettings:
    """What RViz shows."""

    lifetime_s: float = parameter(20.0, "how long markers stay; 0: for ever", at_least=0.0)


@dataclass(frozen=True)
class Settings:
    """All parameters of the node."""

    backend: BackendSettings = BackendSettings()
    target_frame: str = parameter(
        "base_link",
        "frame of the points, unless a request names one; '' is the camera's",
        live=True,
    )
    camera_optical_frame: str = parameter(
        "", "overrides the frame_id of the images, for drivers that get it wrong"
    )
    busy_policy: Literal["reject", "preempt"] = parameter(
        "reject",
        "a new instruction while one is being answered: BUSY, or it cancels the old one",
        live=True,
    )
    sync: SyncSettings = SyncSettings()
    image: ImageSettings = ImageSettings()
    depth: DepthSettings = DepthSettings()
    workspace: WorkspaceSettings = WorkspaceSettings()
    tf: TfSettings = TfSettings()
    tracking: TrackingSettings = TrackingSettings()
    markers: MarkerSettings = MarkerSettings()
    autostart: bool = parameter(True, "configure and activate when the node starts")

    def __post_init__(self) -> None:
        corners = self.workspace.min, self.workspace.max
        if any(len(corner) != 3 for corner in corners):
            _refuse("workspace.min and workspace.max need three numbers each")
        if not all(low < high for low, high in zip(*corners, strict=True)):
            _refuse("workspace.min must be below workspace.max")
        if self.backend.type == "http" and not self.backend.url:
            _refuse("backend.type is http, but backend.url is empty")
        if self.backend.reader not in READERS:
            _refuse(f"backend.reader is none of {', '.join(READERS)}")
        self.lift_options()

    def lift_options(self) -> LiftOptions:
        """Return how pixels become points.

        Raises:
            RoboReferError: BAD_REQUEST for an empty range or an even window.
        """
        return LiftOptions(**dataclasses.asdict(self.depth))

    def model_spec(self) -> ModelSpec:
        """Return what the worker process has to know."""
        backend = self.backend
        return ModelSpec(
            kind=backend.type,
            model=backend.model,
            url=backend.url,
            timeout_s=backend.timeout_s,
            api_key_env=backend.api_key_env,
            reader=backend.reader,
            depth=backend.depth,
            suffix=backend.suffix,
            lift=self.lift_options(),
        )


@dataclass(frozen=True)
class Parameter:
    """One parameter of the node.

    Attributes:
        choices: the values of a text parameter, () where any is allowed.
        at_least: its lower limit, or None.
        live: whether it may be set while the node is configured.
    """

    name: str
    default: Any
    doc: str
    choices: tuple[str, ...] = ()
    at_least: float | None = None
    live: bool = False


def parameters(kind: type = Settings) -> list[Parameter]:
    """Return all parameters in the order in which the dataclass `kind` has them."""
    return list(_parameters(kind, ""))


def settings_from(values: Mapping[str, Any], kind: type = Settings) -> Any:
    """Return the settings, a `kind`, that parameter values (by dotted name) make.

    Raises:
        RoboReferError: BAD_REQUEST for a value that is not allowed, naming its parameter.
    """
    known = {each.name: each for each in parameters(kind)}
    for name, value in values.items():
        _check(known[name], value)
    return _filled(kind(), values, "")


def _parameters(cls: type, prefix: str) -> Iterator[Parameter]:
    hints = get_type_hints(cls)
    for entry in dataclasses.fields(cls):
        name = f"{prefix}{entry.name}"
        if dataclasses.is_dataclass(hints[entry.name]):
            yield from _parameters(hints[entry.name], f"{name}.")
            continue
        choices = get_args(hints[entry.name]) if get_origin(hints[entry.name]) is Literal else ()
        meta = entry.metadata
        yield Parameter(name, entry.default, meta["doc"], choices, meta["at_least"], meta["live"])


def _filled(group: Any, values: Mapping[str, Any], prefix: str) -> Any:
    changes: dict[str, Any] = {}
    for entry in dataclasses.fields(group):
        name, current = f"{prefix}{entry.name}", getattr(group, entry.name)
        if dataclasses.is_dataclass(current):
            changes[entry.name] = _filled(current, values, f"{name}.")
        elif name in values:
            value = values[name]
            changes[entry.name] = tuple(value) if isinstance(current, tuple) else value
    return replace(group, **changes)


def _check(described: Parameter, value: Any) -> None:
    if described.choices and value not in described.choices:
        _refuse(f"{described.name} is '{value}', none of {', '.join(described.choices)}")
    if isinstance(value, float) and not math.isfinite(value):
        _refuse(f"{described.name} is not a finite number")
    if described.at_least is not None and value < described.at_least:
        _refuse(f"{described.name} is {value}, below {described.at_least:g}")


def _refuse(problem: str) -> None:
    raise RoboReferError(ErrorCode.BAD_REQUEST, f"{problem}.", "Correct the parameters.")
