"""`robo-refer serve`."""

from __future__ import annotations

import sys

import tyro

from robo_refer.ports import LOOPBACK
from robo_refer.serve.config import ServeConfig

EXAMPLE = """\
Serve a model over HTTP: RoboRefer's protocol, OpenAI's, and our own with 3D points.

  robo-refer serve --model nano
  curl -s http://127.0.0.1:8000/v1/refer -H 'content-type: application/json' \\
    -d "{\\"instruction\\": \\"the red mug\\", \\"image\\": \\"$(base64 -w0 color.png)\\"}"

/docs describes every route; /health and /metrics are for machines.
"""


def main(argv: list[str]) -> None:
    """Run `robo-refer serve` with the arguments after its name."""
    config = tyro.cli(ServeConfig, args=argv, prog="robo-refer serve", description=EXAMPLE)

    from robo_refer.referrer import Referrer
    from robo_refer.serve.app import create_app
    from robo_refer.serve.listening import run

    if config.host not in LOOPBACK and not config.api_key_env:
        print(
            f"robo-refer: everyone who reaches {config.host} can use this server; "
            "--api-key-env asks them for a key.",
            file=sys.stderr,
        )
    run(create_app(config, Referrer.from_pretrained(config.model)), config)
