"""Points the CMake files of the ROS wheels to this Python and its numpy.

They carry the paths of the machine that built them. Run it with the Python of the environment that
holds the wheels, once after they were installed.
"""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

import numpy as np

_BUILT_IN = r"/opt/python/[^/;\"]+"
_PYTHON = re.compile(rf"{_BUILT_IN}/include/python3\.[0-9]+t?")
_NUMPY = re.compile(rf"{_BUILT_IN}/lib/python3\.[0-9]+t?/site-packages/numpy/_?core/include")


def main() -> None:
    """Rewrite the files in place."""
    include = sysconfig.get_paths()["include"]
    if not (Path(include) / "Python.h").is_file():
        sys.exit(f"There is no {include}/Python.h: on Debian, install python3-dev.")
    for path in Path(sys.prefix, "share").rglob("*.cmake"):
        text = path.read_text()
        relocated = _PYTHON.sub(include, _NUMPY.sub(np.get_include(), text))
        if relocated != text:
            path.write_text(relocated)


if __name__ == "__main__":
    main()
