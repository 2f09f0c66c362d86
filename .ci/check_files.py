"""Check the files of a commit: size, end of file, trailing space, merge marks, YAML and TOML."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import yaml

MAX_BYTES = 1_000_000
# Trained weights and pictures of answers: the only large files there are.
LARGE_SUFFIXES = {".onnx": 20_000_000, ".safetensors": 40_000_000, ".png": 3_000_000}


def problems(path: Path) -> list[str]:
    """Return what is wrong with one file, as sentences."""
    data = path.read_bytes()
    limit = LARGE_SUFFIXES.get(path.suffix, MAX_BYTES)
    found = [f"is {len(data)} bytes; the limit is {limit}"] if len(data) > limit else []
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return found
    if "\0" in text:
        return found
    if text and not text.endswith("\n"):
        found.append("does not end with a newline")
    if text.endswith("\n\n"):
        found.append("ends with an empty line")
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() and path.suffix != ".md":
            found.append(f"has trailing space in line {number}")
        if line.startswith(("<" * 7 + " ", ">" * 7 + " ")):
            found.append(f"has a merge mark in line {number}")
    return found + _syntax(path, text)


def _syntax(path: Path, text: str) -> list[str]:
    try:
        if path.suffix in {".yaml", ".yml"}:
            list(yaml.safe_load_all(text))
        elif path.suffix == ".toml":
            tomllib.loads(text)
    except (yaml.YAMLError, tomllib.TOMLDecodeError) as error:
        return [f"cannot be parsed: {' '.join(str(error).split())}"]
    return []


def main() -> int:
    """Print the problems of the files named on the command line; return 1 if there are any."""
    lines = [f"{name}: {text}" for name in sys.argv[1:] for text in problems(Path(name))]
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
