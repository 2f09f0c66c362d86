"""What can be said when the node is started: for `refer.launch.py` and `robo-refer ros run`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import tyro

from robo_refer.errors import ErrorCode, RoboReferError

FASTDDS_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"


@dataclass(frozen=True)
class Topics:
    """What a driver calls its topics."""

    image: str
    depth: str
    camera_info: str


# The parameters of each are in config/<name>.yaml.
CAMERAS = {
    "realsense": Topics(
        "/camera/camera/color/image_raw",
        "/camera/camera/aligned_depth_to_color/image_raw",
        "/camera/camera/color/camera_info",
    ),
    "zed": Topics(
        "/zed/zed_node/rgb/color/rect/image",
        "/zed/zed_node/depth/depth_registered",
        "/zed/zed_node/rgb/color/rect/camera_info",
    ),
    "kinect_azure": Topics("/rgb/image_raw", "/depth_to_rgb/image_raw", "/rgb/camera_info"),
    "simulation": Topics("/camera/image", "/camera/depth_image", "/camera/camera_info"),
}


@dataclass(frozen=True)
class LaunchOptions:
    """Start the node that answers instructions about what a camera sees."""

    camera: Annotated[
        Literal["any", "realsense", "zed", "kinect_azure", "simulation"],
        tyro.conf.arg(
            help="sets topics and parameters for a driver; any: topics image, depth, camera_info"
        ),
    ] = "any"
    params_file: Annotated[
        str, tyro.conf.arg(help="YAML with further parameters; they count more than the camera's")
    ] = ""
    namespace: Annotated[
        str, tyro.conf.arg(help="namespace of the node, and of topics that have no leading slash")
    ] = ""
    image: Annotated[str, tyro.conf.arg(help="topic of the colour image; empty: the camera's")] = ""
    depth: Annotated[
        str, tyro.conf.arg(help="topic of the depth registered to it; empty: the camera's")
    ] = ""
    camera_info: Annotated[
        str, tyro.conf.arg(help="topic of the calibration; empty: the camera's")
    ] = ""
    target_frame: Annotated[
        str, tyro.conf.arg(help="frame of the points; empty: as the parameters say")
    ] = ""
    backend: Annotated[
        Literal["default", "local", "http"],
        tyro.conf.arg(help="a model of our own, or a server; default: as the parameters say"),
    ] = "default"
    url: Annotated[str, tyro.conf.arg(help="address of the server, for backend http")] = ""
    model: Annotated[
        str, tyro.conf.arg(help="nano, or the folder of a checkpoint; empty: as the parameters say")
    ] = ""
    use_sim_time: Annotated[bool, tyro.conf.arg(help="take the time from /clock")] = False
    autostart: Annotated[bool, tyro.conf.arg(help="configure and activate at once")] = True
    log_level: Annotated[
        Literal["debug", "info", "warn", "error"], tyro.conf.arg(help="what is logged")
    ] = "info"


@dataclass(frozen=True)
class Argument:
    """One option as a launch file declares it: all values are text."""

    name: str
    default: str
    doc: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class NodeSetup:
    """How the node is started.

    Attributes:
        parameter_files: YAML files, later ones count more.
        parameters: by dotted name; they count most.
        remappings: pairs of our name and the topic's.
    """

    namespace: str
    parameter_files: list[Path]
    parameters: dict[str, Any]
    remappings: list[tuple[str, str]]
    log_level: str
    environment: dict[str, str]

    def ros_arguments(self) -> list[str]:
        """Return the same as a command line."""
        words = ["--ros-args", "--log-level", self.log_level]
        if self.namespace:
            words += ["-r", f"__ns:=/{self.namespace.strip('/')}"]
        for path in self.parameter_files:
            words += ["--params-file", str(path)]
        for name, value in self.parameters.items():
            words += ["-p", f"{name}:={_yaml(value)}"]
        for ours, theirs in self.remappings:
            words += ["-r", f"{ours}:={theirs}"]
        return words


def _yaml(value: Any) -> str:
    """Return a parameter's value as rcl reads it: a text stays one, also if it is empty or 8."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else str(value)


def arguments(kind: type[Any] = LaunchOptions) -> list[Argument]:
    """Return the options of a dataclass as a launch file declares them."""
    hints = get_type_hints(kind, include_extras=True)
    found = []
    for entry in dataclasses.fields(kind):
        kind, says = get_args(hints[entry.name])
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        default = entry.default
        if kind is bool:
            default, choices = str(default).lower(), ("true", "false")
        found.append(Argument(entry.name, str(default), says.help, choices))
    return found


def options_from(values: Mapping[str, str], kind: type[Any] = LaunchOptions) -> Any:
    """Return the options, a `kind`, that a launch file's texts say; choices have been checked."""
    hints = get_type_hints(kind)
    return kind(
        **{name: text == "true" if hints[name] is bool else text for name, text in values.items()}
    )


def node_setup(options: LaunchOptions, share: Path) -> NodeSetup:
    """Return how the node is to be started.

    Args:
        options: what was said.
        share: the share folder of robo_refer_bringup.

    Raises:
        RoboReferError: BAD_FILE when the parameter file does not exist.
    """
    files = []
    topics = Topics("", "", "")
    if options.camera != "any":
        files.append(share / "config" / f"{options.camera}.yaml")
        topics = CAMERAS[options.camera]
    if options.params_file:
        path = Path(options.params_file).absolute()
        if not path.is_file():
            raise RoboReferError(
                ErrorCode.BAD_FILE, f"There is no file {path}.", "Correct params_file."
            )
        files.append(path)
    parameters: dict[str, Any] = {"autostart": options.autostart}
    if options.use_sim_time:
        parameters["use_sim_time"] = True
    for name, value in (
        ("target_frame", options.target_frame),
        ("backend.type", options.backend if options.backend != "default" else ""),
        ("backend.url", options.url),
        ("backend.model", options.model),
    ):
        if value:
            parameters[name] = value
    remappings = [
        (role, getattr(options, role) or getattr(topics, role))
        for role in ("image", "depth", "camera_info")
        if getattr(options, role) or getattr(topics, role)
    ]
    environment = {}
    if FASTDDS_VARIABLE not in os.environ:
        environment[FASTDDS_VARIABLE] = str(share / "config" / "fastdds.xml")
    return NodeSetup(
        options.namespace, files, parameters, remappings, options.log_level, environment
    )
