"""Starting the node: launch files and `robo-refer ros run` agree, and the demo works."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from rclpy.node import Node
from robo_refer_robots.commands.launch_options import G1Options, Ur5Options, adapter_setup
from robo_refer_robots.g1.settings import G1Settings
from robo_refer_robots.ur5.settings import Ur5Settings
from robo_refer_ros.commands.bringup import bringup_share
from robo_refer_ros.commands.launch_options import (
    CAMERAS,
    FASTDDS_VARIABLE,
    LaunchOptions,
    NodeSetup,
    arguments,
    node_setup,
    options_from,
)
from robo_refer_ros.settings import parameters, settings_from

from robo_refer.errors import ErrorCode, RoboReferError

SHARE = bringup_share()
ROOT = Path(__file__).parents[2]


class Recorded:
    """Takes the place of every class of `launch`: remembers what it was made with."""

    def __init__(self, *values: Any, **named: Any) -> None:
        self.values, self.named = values, named


def recorded(name: str) -> type[Recorded]:
    return type(name, (Recorded,), {})


@pytest.fixture
def launch_files(monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The launch files as modules; where `launch` is not installed, its classes only record."""
    if find_spec("launch") is None:
        for module, names in {
            "launch": "LaunchContext LaunchDescription",
            "launch.actions": "DeclareLaunchArgument EmitEvent ExecuteProcess "
            "IncludeLaunchDescription OpaqueFunction RegisterEventHandler SetEnvironmentVariable",
            "launch.conditions": "IfCondition",
            "launch.event_handlers": "OnProcessExit",
            "launch.events": "Shutdown",
            "launch.launch_description_sources": "PythonLaunchDescriptionSource",
            "launch.substitutions": "LaunchConfiguration",
            "launch_ros": "",
            "launch_ros.actions": "Node",
        }.items():
            made = ModuleType(module)
            for name in names.split():
                setattr(made, name, recorded(name))
            monkeypatch.setitem(sys.modules, module, made)
        substitutions = sys.modules["launch.substitutions"]
        substitutions.LaunchConfiguration.perform = (  # type: ignore[attr-defined]
            lambda self, context: context[self.values[0]]
        )
    found = {}
    for path in sorted((SHARE / "launch").glob("*.launch.py")):
        spec = importlib.util.spec_from_file_location(path.name.split(".")[0] + "_launch", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found[path.name] = module
    return found


needs_recorder = pytest.mark.skipif(find_spec("launch") is not None, reason="launch is installed")


@needs_recorder
def test_every_option_is_an_argument_with_a_description(
    launch_files: dict[str, ModuleType],
) -> None:
    (entities,) = launch_files["refer.launch.py"].generate_launch_description().values
    declared = {
        each.values[0]: each.named
        for each in entities
        if type(each).__name__ == "DeclareLaunchArgument"
    }
    assert list(declared) == [argument.name for argument in arguments()] + ["rviz"]
    for named in declared.values():
        assert named["description"]
        assert named["choices"] is None or named["default_value"] in named["choices"]
    assert declared["camera"]["choices"] == ["any", *CAMERAS]


@needs_recorder
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"camera": "realsense", "target_frame": "tool0", "depth": "/my/depth"},
        {"camera": "zed", "namespace": "arm", "backend": "http", "url": "http://127.0.0.1:8000"},
        {
            "use_sim_time": "true",
            "autostart": "false",
            "model": "/models/mine",
            "log_level": "debug",
        },
    ],
)
def test_launch_and_run_start_the_same_node(
    launch_files: dict[str, ModuleType], said: dict[str, str]
) -> None:
    texts = {argument.name: argument.default for argument in arguments()} | said
    *environment, node = launch_files["refer.launch.py"].start_node(texts)
    typed = {name: value == "true" if value in ("true", "false") else value
             for name, value in said.items()}  # fmt: skip
    setup = node_setup(LaunchOptions(**typed), SHARE)
    words = setup.ros_arguments()
    assert (node.named["package"], node.named["executable"]) == ("robo_refer_ros", "refer_node")
    for ours, theirs in node.named["remappings"]:
        assert f"{ours}:={theirs}" in words
    *files, values = node.named["parameters"]
    assert files == [words[n + 1] for n, word in enumerate(words) if word == "--params-file"]
    said_values = [words[n + 1] for n, word in enumerate(words) if word == "-p"]
    assert [yaml.safe_load(text.split(":=", 1)[1]) for text in said_values] == [*values.values()]
    assert [text.split(":=")[0] for text in said_values] == list(values)
    assert (f"__ns:=/{node.named['namespace']}" in words) == bool(node.named["namespace"])
    assert node.named["ros_arguments"] == words[1:3]
    assert {each.values for each in environment} == set(setup.environment.items())


@needs_recorder
@pytest.mark.parametrize(
    ("robot", "kind", "said"),
    [
        ("ur5", Ur5Options, {}),
        ("ur5", Ur5Options, {"dry_run": "false", "urdf": "/my/ur5.urdf", "controller": "mine"}),
        ("ur5", Ur5Options, {"mock_hardware": "true", "use_sim_time": "true"}),
        ("g1", G1Options, {"side": "left", "namespace": "left"}),
    ],
)
def test_launch_and_run_start_the_same_adapter(
    launch_files: dict[str, ModuleType], robot: str, kind: type[Any], said: dict[str, str]
) -> None:
    launched = launch_files[f"{robot}.launch.py"].generate_launch_description()
    *declared, opaque = launched.values[0]
    assert [each.values[0] for each in declared] == [each.name for each in arguments(kind)]
    assert {each.named["default_value"] for each in declared if each.values[0] == "dry_run"} == {
        "true"
    }
    texts = {each.name: each.default for each in arguments(kind)} | said
    (node,) = opaque.named["function"](texts)
    typed = {name: value == "true" if value in ("true", "false") else value
             for name, value in said.items()}  # fmt: skip
    words = adapter_setup(kind(**typed)).ros_arguments()
    assert (node.named["package"], node.named["executable"]) == ("robo_refer_robots", robot)
    said_values = [words[n + 1] for n, word in enumerate(words) if word == "-p"]
    assert [yaml.safe_load(text.split(":=", 1)[1]) for text in said_values] == [
        *node.named["parameters"][-1].values()
    ]
    assert [text.split(":=")[0] for text in said_values] == [*node.named["parameters"][-1]]
    assert (f"__ns:=/{node.named['namespace']}" in words) == bool(node.named["namespace"])


@pytest.mark.parametrize(
    ("options", "settings"), [(Ur5Options, Ur5Settings), (G1Options, G1Settings)]
)
def test_adapters_have_the_parameters_that_their_options_set(
    options: type[Any], settings: type[Any]
) -> None:
    known = {each.name: each for each in parameters(settings)}
    assert known["dry_run"].default is True
    every = options(urdf="a", **({"controller": "b", "mock_hardware": True}
                                 if options is Ur5Options else {}))  # fmt: skip
    assert set(every.parameters()) <= set(known)


def test_parameters_arrive_as_they_were_said(ros: None) -> None:
    said = {"a.text": "", "number": "8", "truth": "true", "quote": "it's: {x}", "flag": False}
    words = NodeSetup("there", [], said, [], "info", {}).ros_arguments()
    node = Node("said", cli_args=words, automatically_declare_parameters_from_overrides=True)
    found = {name: node.get_parameter(name).value for name in said}
    node.destroy_node()
    assert found == said


@pytest.mark.parametrize("kind", [Ur5Settings, G1Settings])
@pytest.mark.parametrize("corner", [(0.0, 0.0), (math.nan, 0.0, 0.0), (5.0, 5.0, 5.0)])
def test_a_workspace_that_is_no_box_is_a_sentence(
    kind: type[Any], corner: tuple[float, ...]
) -> None:
    with pytest.raises(RoboReferError) as caught:
        settings_from({"workspace.min": corner}, kind)
    assert caught.value.code is ErrorCode.BAD_REQUEST


@pytest.mark.parametrize("robot", ["ur5", "g1"])
def test_adapters_teach_and_refuse_in_one_line(domain: int, robot: str) -> None:
    done = command(robot, "--help")
    assert done.returncode == 0
    assert "--dry-run" in done.stdout
    done = command(robot, "--urdf", "/nowhere.urdf")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("BAD_FILE")
    assert "Traceback" not in done.stderr


def test_texts_and_types_are_the_same_options() -> None:
    assert options_from({each.name: each.default for each in arguments()}) == LaunchOptions()


@pytest.mark.parametrize("camera", list(CAMERAS))
def test_parameters_of_cameras_exist(camera: str) -> None:
    setup = node_setup(LaunchOptions(camera=camera), SHARE)  # type: ignore[arg-type]
    (path,) = setup.parameter_files
    known = {each.name for each in parameters()} | {"use_sim_time"}

    def names(values: dict[str, Any], prefix: str = "") -> set[str]:
        return set().union(
            *(
                names(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
                for name, value in values.items()
            )
        )

    values = yaml.safe_load(path.read_text())["/**"]["ros__parameters"]
    assert names(values) <= known
    assert [ours for ours, _ in setup.remappings] == ["image", "depth", "camera_info"]


def test_the_profile_for_large_images_is_given_unless_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(FASTDDS_VARIABLE, "/mine.xml")
    assert node_setup(LaunchOptions(), SHARE).environment == {}
    monkeypatch.delenv(FASTDDS_VARIABLE)
    (path,) = node_setup(LaunchOptions(), SHARE).environment.values()
    assert Path(path).is_file()


def command(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "robo_refer.cli.main", "ros", *words],
        env={**os.environ, **variables}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("module", ["__main__", "commands.demo", "refer_node"])
def test_with_tf2_nothing_more_is_needed(module: str) -> None:
    """`pytransform3d` comes with `make ros`; an installation of ROS 2 has tf2 instead."""
    done = subprocess.run(
        [
            sys.executable, "-c",
            "import sys; sys.modules['pytransform3d'] = None; "
            f"import robo_refer_ros.{module}",
        ],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_demo_finds_something(domain: int) -> None:
    done = command("demo")
    assert done.returncode == 0, done.stderr
    assert "base_link" in done.stdout
    assert " m\n" in done.stdout


def test_the_demo_of_a_scene_that_is_not_there_is_one_line(domain: int) -> None:
    done = command("demo", "--scene", "/nowhere")
    assert done.returncode == 2
    assert done.stderr.startswith("robo-refer: BAD_FILE")
    assert done.stderr.count("\n") == 1


def test_speed_measures(domain: int) -> None:
    done = command("speed", "--shots", "3", "--seconds", "2", "--pixels", "50", "--json")
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    assert numbers["lift_50_ms"]["n"] == 3
    assert numbers["model_ms"]["p50"] > 0
    # How many are answered in time is for benchmarks: a busy machine makes images too old.
    seen = numbers["endurance"]
    assert seen["answered"] + sum(seen["failed"].values()) > 0, done.stdout + done.stderr


def test_run_says_what_is_wrong_in_one_line() -> None:
    done = command("run", "--params-file", "/nowhere.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("robo-refer: BAD_FILE")
    assert done.stderr.count("\n") == 1


def test_a_parameter_of_the_wrong_type_is_a_sentence(domain: int, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("/**:\n  ros__parameters:\n    backend:\n      timeout_s: 30\n")
    done = command("run", "--params-file", str(path))
    assert done.returncode == 1
    assert "backend.timeout_s" in done.stderr
    assert "wrong type" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_teaches() -> None:
    done = command("run", "--help")
    assert done.returncode == 0
    for argument in arguments():
        assert f"--{argument.name.replace('_', '-')}" in done.stdout
