"""Depth from colour alone, as in RoboRefer's training: a model's disparity, 8 bits, near bright."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.relative_depth import from_disparity

DEFAULT_MODEL = "depth-anything/Depth-Anything-V2-Large-hf"
"""The model behind the depth that the released models were trained on."""


class MonocularDepth:
    """A depth model of `transformers`' depth-estimation pipeline.

    Args:
        name_or_path: a folder, or a name on the hub. It must predict disparity (near is large),
            as Depth Anything V2 does; a metric model predicts the opposite.

    Raises:
        RoboReferError: BAD_CHECKPOINT when it cannot be loaded or predicts metres.
    """

    def __init__(self, name_or_path: str = DEFAULT_MODEL) -> None:
        from transformers import pipeline

        try:
            self._pipeline: Any = pipeline("depth-estimation", model=name_or_path)
        except Exception as error:  # the hub, the file and the model have their own exceptions
            raise RoboReferError(
                ErrorCode.BAD_CHECKPOINT,
                f"The depth model {name_or_path} cannot be loaded: "
                f"{' '.join(str(error).split())[:300].rstrip('.')}.",
                "Give a folder with a relative depth model, give sensor depth, or leave it out.",
            ) from error
        if getattr(self._pipeline.model.config, "depth_estimation_type", "relative") == "metric":
            raise RoboReferError(
                ErrorCode.BAD_CHECKPOINT,
                f"The depth model {name_or_path} predicts metres: its far is large.",
                "Give a relative one, such as Depth Anything V2 without 'Metric' in its name.",
            )

    def relative(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the (height, width) uint8 relative depth of a (height, width, 3) image."""
        from PIL import Image

        predicted = self._pipeline(Image.fromarray(rgb))["predicted_depth"]
        return from_disparity(predicted.squeeze().float().numpy())
