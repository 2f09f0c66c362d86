"""`robo-refer <command> ...`: finds the command, and turns every expected failure into one line.

A command is a function `main(argv: list[str]) -> None` named in `COMMANDS` as "module:function".
It is imported only when it is called, so that `robo-refer point` never pays for training.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import cast

from robo_refer.cli.packages import missing_dependency
from robo_refer.errors import ErrorCode, RoboReferError

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Command:
    """One command: where its `main` is, and what it does in one line."""

    target: str
    summary: str


COMMANDS: dict[str, Command] = {
    "point": Command("robo_refer.cli.point:main", "answer an instruction about an image"),
    "serve": Command("robo_refer.serve.cli:main", "answer over HTTP, in three protocols"),
    "ui": Command("robo_refer.ui.cli:main", "try a model on a page in the browser"),
    "demo": Command("robo_refer_data.demo:main", "render an unseen scene, ask six questions"),
    "data": Command("robo_refer_data.cli:main", "generate scenes with questions and their truth"),
    "bench": Command("robo_refer_bench.cli:main", "score a model, with every control beside it"),
    "ros": Command("robo_refer.cli.ros:main", "run the ROS 2 node, its demo, or ask it"),
    "train": Command("robo_refer_train.cli:main", "train a model"),
    "model": Command("robo_refer.model.cli:main", "export, convert and start checkpoints"),
}

_USAGE = RoboReferError(
    ErrorCode.BAD_REQUEST, "The arguments are not those of this command.", "See its --help."
)
EXAMPLE = """\
example:
  robo-refer point --rgb color.png --depth depth.png --camera camera.json \\
      "the mug left of the red box"
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that is named and exit; see `run_command`."""
    run_command(_dispatch, list(sys.argv[1:] if argv is None else argv))


def run_command(command: Callable[[list[str]], None], arguments: list[str]) -> None:
    """Run a command and exit: 0 done, 2 an expected failure or wrong usage, 130 interrupted."""
    try:
        command(arguments)
        sys.stdout.flush()
    except RoboReferError as error:
        _report(error, as_json="--json" in arguments)
        sys.exit(EXIT_ERROR)
    except SystemExit as end:
        # People have been told on stderr already, with a hint; machines read stdout.
        if end.code == EXIT_ERROR and "--json" in arguments:
            print(json.dumps(_USAGE.as_dict()), flush=True)
        raise
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader (`| head`) has gone. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def usage() -> str:
    """Return what `robo-refer --help` prints: every command with its line, and an example."""
    lines = [f"  {name:<7} {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "robo-refer: an instruction and an RGB-D frame go in, a 3D point comes out.",
            "",
            "usage: robo-refer <command> [options]     (robo-refer <command> --help says more)",
            "",
            "commands:",
            *lines,
            "",
            EXAMPLE,
        ]
    )


def _dispatch(arguments: list[str]) -> None:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage(), end="")
    elif arguments[0] in {"-V", "--version"}:
        print(f"robo-refer {_version()}")
    elif arguments[0] in COMMANDS:
        with missing_dependency():
            _load(COMMANDS[arguments[0]].target)(arguments[1:])
    else:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is no command {arguments[0]!r}.",
            f"Use one of: {', '.join(COMMANDS)}.",
        )


def _load(target: str) -> Callable[[list[str]], None]:
    module, function = target.split(":")
    return cast(Callable[[list[str]], None], getattr(import_module(module), function))


def _version() -> str:
    try:
        return version("robo-refer")
    except PackageNotFoundError:
        return "(checkout, not installed)"


def _report(error: RoboReferError, *, as_json: bool) -> None:
    """Print the failure as one line on stderr, and as JSON on stdout for machines."""
    if as_json:
        print(json.dumps(error.as_dict()), flush=True)
    print("robo-refer:", " ".join(str(error).split()), file=sys.stderr)


if __name__ == "__main__":
    main()
