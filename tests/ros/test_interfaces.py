"""One table of codes, one list of depth states, and messages that others know."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from ament_index_python.packages import get_package_share_directory
from packaging.requirements import Requirement
from robo_refer_msgs.action import Refer
from robo_refer_msgs.msg import ReferTarget
from robo_refer_ros.settings import Settings, parameters, settings_from

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import DEPTH_STATUSES

ROOT = Path(__file__).parents[2]


def constants(kind: type) -> dict[str, int]:
    names = [name for name in dir(type(kind)) if name.isupper() and name[0] != "_"]
    return {name: getattr(kind, name) for name in names}


def test_the_codes_of_the_action_are_our_codes() -> None:
    ours = {"NONE" if code is ErrorCode.OK else code.name: int(code) for code in ErrorCode}
    assert constants(Refer.Result) == ours


def test_the_depth_states_are_ours() -> None:
    found = {name: value for name, value in constants(ReferTarget).items() if "DEPTH" in name}
    assert found == {f"DEPTH_{word.upper()}": n for n, word in enumerate(DEPTH_STATUSES)}


@pytest.mark.parametrize(
    ("package", "message", "known"),
    [
        ("tf2_msgs", "TFMessage", "RIHS01_e369d0f0.*d020f087"),
        ("vision_msgs", "Detection3DArray", "RIHS01_793f5eab9595ac1c.*0e018"),
    ],
)
def test_messages_of_others_are_theirs(package: str, message: str, known: str) -> None:
    """Their hashes are those that installations of ROS 2 give each other."""
    share = Path(get_package_share_directory(package))
    described = json.loads((share / "msg" / f"{message}.json").read_text())
    hashes = {each["type_name"]: each["hash_string"] for each in described["type_hashes"]}
    assert re.fullmatch(known, hashes[f"{package}/msg/{message}"])


def test_parameters_have_descriptions_and_defaults_that_work() -> None:
    everything = parameters()
    assert len({each.name for each in everything}) == len(everything)
    assert all(each.doc for each in everything)
    assert settings_from({each.name: each.default for each in everything}) == Settings()
    with pytest.raises(RoboReferError) as error:
        settings_from({"sync.slop_s": -0.1})
    assert "sync.slop_s" in str(error.value)


def test_this_environment_has_what_the_runtime_needs_in_the_versions_that_are_tested() -> None:
    pins = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line.partition("#")[0].strip():
            pin = Requirement(line.partition("#")[0].strip())
            pins[pin.name] = pin.specifier
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for each in map(Requirement, project["dependencies"]):
        assert pins[each.name].contains(version(each.name)), each.name
