"""The page: a picture and an instruction on the left, the answer in all its forms on the right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.camera_file import read_camera
from robo_refer.files.depth_file import read_depth
from robo_refer.referrer import Referrer
from robo_refer.types import Frame, Referral
from robo_refer.ui.cloud import cloud
from robo_refer.viz.draw import mark, panel_size

SAMPLE = Path(__file__).parents[1] / "assets" / "sample"
INSTRUCTIONS = (
    "the nearest object",
    "the second object from the left",
    "a free place left of the nearest object",
    "the violet elephant",
)
_UNSEEN = "Without depth and a camera the answer is a pixel, not a place."
_FILES = (
    "Depth: 16-bit PNG in millimetres, float TIFF or `.npy` in metres, registered to the picture. "
    "Camera: JSON, or a ROS `camera_info` as YAML."
)
# No fonts from elsewhere: the page works without a network.
_FONT = ("system-ui", "sans-serif")


def build(referrer: Referrer) -> gr.Blocks:
    """Return the page for a model."""

    def answer(
        rgb: NDArray[np.uint8] | None,
        depth: str | None,
        camera: str | None,
        instruction: str,
        think: bool,
    ) -> tuple[Any, ...]:
        try:
            frame = frame_of(rgb, depth, camera)
            referral = referrer.refer(frame, instruction, think)
        except RoboReferError as error:
            raise gr.Error(str(error), print_exception=False) from error
        picture = mark(frame, [referral], [None], panel_size(frame))
        shown = json.dumps(referral.as_dict(), indent=1)
        return picture, verdict(referral), steps_of(referral), cloud(frame, referral), shown

    with gr.Blocks(title="RoboRefer", analytics_enabled=False) as page:
        gr.Markdown(f"# RoboRefer\nWhere is it? Model: **{referrer.engine.name}**")
        with gr.Row():
            with gr.Column():
                rgb = gr.Image(label="Colour", type="numpy", sources=["upload", "clipboard"])
                with gr.Row():
                    depth = gr.File(label="Depth", height=120)
                    camera = gr.File(label="Camera", height=120)
                gr.Markdown(_FILES)
                instruction = gr.Textbox(label="Instruction", elem_id="instruction", autofocus=True)
                think = gr.Checkbox(label="Reason before answering")
                button = gr.Button("Point at it", variant="primary", elem_id="ask")
            with gr.Column():
                picture = gr.Image(label="Answer", elem_id="answer", interactive=False)
                said = gr.Markdown(_UNSEEN, elem_id="verdict")
                steps = gr.Dataframe(
                    headers=["step", "target", "value"], label="Reasoning", interactive=False
                )
        with gr.Tabs():
            with gr.Tab("In 3D"):
                figure = gr.Plot(label="Scene, point, and its uncertainty (two sigma)")
            with gr.Tab("JSON"):
                raw = gr.Code(label="The whole answer", language="json", elem_id="json")
        inputs = [rgb, depth, camera, instruction, think]
        outputs = [picture, said, steps, figure, raw]
        for event in (button.click, instruction.submit):
            event(answer, inputs, outputs, api_name=False)
        files = [str(SAMPLE / name) for name in ("color.jpg", "depth.png", "camera.json")]
        gr.Examples(
            [[*files, text, text == INSTRUCTIONS[1]] for text in INSTRUCTIONS],
            inputs, label="A scene to try", cache_examples=False,
        )  # fmt: skip
    return page


def theme() -> gr.themes.Base:
    """Return the looks of the page, with the system's own fonts."""
    return gr.themes.Soft(primary_hue="red", font=_FONT, font_mono=("ui-monospace", "monospace"))


def frame_of(rgb: NDArray[np.uint8] | None, depth: str | None, camera: str | None) -> Frame:
    """Return the frame that a visitor gave.

    Raises:
        RoboReferError: BAD_IMAGE without a picture, and whatever is wrong with the files.
    """
    if rgb is None:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE, "There is no picture.", "Upload one, or take the sample scene."
        )
    return Frame(
        rgb,
        None if depth is None else read_depth(Path(depth)),
        None if camera is None else read_camera(Path(camera)),
    )


def verdict(referral: Referral) -> str:
    """Return the answer in a few words, as Markdown."""
    lines = []
    for number, point in enumerate(referral.points, start=1):
        u, v = point.uv_px
        place = f"**{number}.** pixel ({u:.0f}, {v:.0f})"
        if point.p_cam_m is not None:
            x, y, z = point.p_cam_m
            place += f", in the camera's frame ({x:.3f}, {y:.3f}, {z:.3f}) m"
        lines.append(f"{place}, depth {point.depth_status}")
    if referral.status == "no_target":
        lines.append("**Not there**, says the model.")
    elif referral.status != "ok":
        lines.append(f"Status: **{referral.status}**")
    return "  \n".join(lines)


def steps_of(referral: Referral) -> list[list[str]]:
    """Return the reasoning as rows of kind, target and value."""
    return [
        [step["type"], step["target"], json.dumps(step["value"])]
        for step in referral.as_dict()["steps"]
    ]
