"""`robo-refer ui`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import tyro

from robo_refer.ports import LOOPBACK, open_port


@dataclass(frozen=True)
class UiOptions:
    """Open a page to try a model: a picture, an instruction, and where it points, also in 3D.

    Only this machine reaches it, unless --host says otherwise. Nothing is sent anywhere else.
    """

    model: str = "nano"
    """"nano", the folder of a checkpoint, or the address of a server (http://...)."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: int = 7860
    """Port to listen on; 0 takes a free one and prints it."""

    browser: bool = True
    """Open the page in a browser."""


def main(argv: list[str]) -> None:
    """Run `robo-refer ui` with the arguments after its name."""
    options = tyro.cli(UiOptions, args=argv, prog="robo-refer ui")

    from robo_refer.referrer import Referrer
    from robo_refer.ui.page import SAMPLE, build, theme

    if options.host not in LOOPBACK:
        print(
            f"robo-refer: everyone who reaches {options.host} can use this page.", file=sys.stderr
        )
    # The page's own server would say it with a traceback, and only once the model is loaded; nor
    # does it know what port 0 is.
    with open_port(options.host, options.port) as free:
        port = free.getsockname()[1]
    page = build(Referrer.from_pretrained(options.model))
    page.launch(
        server_name=options.host,
        server_port=port,
        inbrowser=options.browser,
        share=False,
        theme=theme(),
        allowed_paths=[str(SAMPLE)],
        max_file_size="64mb",
        footer_links=[],
    )
