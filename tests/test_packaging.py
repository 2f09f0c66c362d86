"""The distribution: what the wheel holds, that every import is declared, that the pins fit."""

from __future__ import annotations

import ast
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from robo_refer.cli.packages import EXTRA_OF_MODULE, missing_dependency
from robo_refer.errors import ErrorCode, RoboReferError

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = {
    "robo_refer": ROOT / "robo_refer",
    "robo_refer_train": ROOT / "train" / "robo_refer_train",
    "robo_refer_bench": ROOT / "bench" / "robo_refer_bench",
    "robo_refer_data": ROOT / "dataset_gen" / "robo_refer_data",
}
# Where the name to import is not the name to install.
DISTRIBUTION_OF = {
    "pinocchio": "pin",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "yaml": "pyyaml",
}


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    (path,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return set(zipfile.ZipFile(path).namelist())


def test_wheel_holds_our_four_packages_and_nothing_generic(wheel_names: set[str]) -> None:
    tops = {name.split("/")[0] for name in wheel_names}
    assert tops == {*PACKAGES, "robo_refer-0.1.0.dist-info"}


def test_wheel_holds_every_module_and_asset(wheel_names: set[str]) -> None:
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{package}/{path.relative_to(folder)}" in wheel_names


def test_wheel_installs_the_command(wheel_names: set[str]) -> None:
    assert "robo_refer-0.1.0.dist-info/entry_points.txt" in wheel_names
    assert PROJECT["scripts"] == {"robo-refer": "robo_refer.cli.main:main"}


def requirements(extra: str | None) -> dict[str, Requirement]:
    """Return the requirements of an extra, those of the extras that it includes with it."""
    lines = PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    found: dict[str, Requirement] = {}
    for requirement in map(Requirement, lines):
        if requirement.name == PROJECT["name"]:
            for inner in requirement.extras:
                found |= requirements(inner)
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


def third_party_imports() -> dict[str, set[str]]:
    """Return import name -> files, of every package that is neither ours nor Python's."""
    found: dict[str, set[str]] = {}
    for folder in PACKAGES.values():
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                for name in names:
                    top = name.split(".")[0]
                    if top not in sys.stdlib_module_names and top not in PACKAGES:
                        found.setdefault(top, set()).add(str(path.relative_to(ROOT)))
    return found


def test_every_import_is_declared() -> None:
    base = requirements(None)
    for module, files in third_party_imports().items():
        distribution = canonicalize_name(DISTRIBUTION_OF.get(module, module))
        if distribution not in base:
            assert module in EXTRA_OF_MODULE, f"{module}, imported by {sorted(files)}"
            assert distribution in requirements(EXTRA_OF_MODULE[module]), module


def test_extras_hold_nothing_that_is_never_imported() -> None:
    # Imported by torch (ONNX export) and by transformers (Trainer, image processors).
    by_name = {"onnxscript", "onnx", "tensorboard", "accelerate", "pillow"}
    imported = {
        canonicalize_name(DISTRIBUTION_OF.get(name, name)) for name in third_party_imports()
    }
    declared = set(requirements(None)) | set(requirements("all"))
    assert declared - imported - by_name == set()


def test_demo_needs_no_torch() -> None:
    heavy = {"torch", "transformers", "datasets", "pyarrow", "trl"}
    assert heavy.isdisjoint(set(requirements(None)) | set(requirements("scenes")))


def test_pins_are_exact_complete_and_fit() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {}
    for line in lines:
        if line.partition("#")[0].strip():
            pin = Requirement(line.partition("#")[0].strip())
            pins[canonicalize_name(pin.name)] = pin.specifier
    wanted = requirements(None) | requirements("dev")
    assert set(wanted) <= set(pins)
    for name, specifier in pins.items():
        (exact,) = specifier
        assert exact.operator == "==", name
        if name in wanted:
            assert wanted[name].specifier.contains(exact.version), name


def test_missing_package_is_translated_and_nothing_else() -> None:
    with pytest.raises(RoboReferError) as error, missing_dependency():
        raise ModuleNotFoundError(name="embreex.mesh")
    assert error.value.code == ErrorCode.MISSING_DEPENDENCY
    with pytest.raises(ModuleNotFoundError), missing_dependency():
        raise ModuleNotFoundError(name="nobody_knows")


def test_ci_is_one_line() -> None:
    shebang, *lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert shebang.startswith("#!")
    assert lines == ["make test"]
