"""Requests and replies, as they stand in the OpenAPI description."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from robo_refer.files.depth_file import DepthUnit
from robo_refer.tokens import MAX_INSTRUCTION_CHARS

MAX_PROMPT_CHARS = 8000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class QueryRequest(BaseModel):
    """A question in the protocol of the released RoboRefer server."""

    text: str = Field(max_length=MAX_PROMPT_CHARS, description="What to point at.")
    image_url: list[str] = Field(
        min_length=1, max_length=1, description="One image: base64, or a data URL."
    )
    depth_url: list[str] = Field(
        default=[],
        max_length=1,
        description="Its depth: 16-bit PNG in millimetres, or 8-bit relative (near is bright).",
    )
    enable_depth: int = Field(default=0, ge=0, le=1)
    reason: bool = Field(default=False, description="Ask for written reasoning (ours only).")


class QueryReply(BaseModel):
    """The answer, as text in the answer grammar, its points in [0, 1] of the image."""

    result: Literal[1] = 1
    answer: str


class CameraFields(_Strict):
    """A pinhole camera, pixels; pose as a 4x4 matrix."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int = Field(ge=1, le=65535)
    height: int = Field(ge=1, le=65535)
    distortion_model: Literal["none", "plumb_bob", "rational_polynomial", "equidistant"] = "none"
    distortion: list[float] = Field(default=[], max_length=14)
    T_world_cam: list[list[float]] | None = None


class ReferRequest(_Strict):
    """An RGB-D frame and an instruction."""

    instruction: str = Field(max_length=MAX_INSTRUCTION_CHARS)
    image: str = Field(description="PNG or JPEG, as base64 or as a data URL.")
    depth: str | None = Field(
        default=None, description="16-bit PNG (millimetres) or float TIFF (metres), likewise."
    )
    depth_unit: DepthUnit | None = None
    camera: CameraFields | None = None
    think: bool = False


class ImageUrl(BaseModel):
    """An image of a message."""

    url: str


class Part(BaseModel):
    """A part of a message: text, or an image."""

    type: Literal["text", "image_url"]
    text: str | None = Field(default=None, max_length=MAX_PROMPT_CHARS)
    image_url: ImageUrl | None = None


class Message(BaseModel):
    """A message of a conversation; only the last one of the user is answered."""

    role: Literal["system", "user", "assistant"]
    content: str | list[Part]


class ChatRequest(BaseModel):
    """OpenAI's chat completion, as far as it makes sense here: greedy, one choice."""

    model: str = ""
    messages: list[Message] = Field(min_length=1, max_length=64)
    depth: str | None = Field(
        default=None, description="Depth as an extra field, instead of a second image."
    )
    reason: bool = False
    stream: bool = False
    n: int = Field(default=1, ge=1, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)


class ErrorReply(BaseModel):
    """What every failure looks like; `error` is for OpenAI's clients, `result` for RoboRefer's."""

    result: Literal[0] = 0
    status: str
    code: int
    message: str
    remedy: str
    error: dict[str, Any]
