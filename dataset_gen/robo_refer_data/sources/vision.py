"""The models that look at pictures, by their names in `transformers`, each behind one function.

Every class loads its model when it is first asked, so that a run whose stages are kept loads none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer.types import FloatArray

try:
    import torch
    import transformers
except ImportError as error:
    raise missing_package("transformers", "torch") from error

Image = NDArray[np.uint8]
_METRIC = ("depth_pro", "zoedepth")
"""Model types whose depth is always in metres."""


class _Model:
    """A model and its processor.

    Args:
        name: on the Hub, or a local folder.
        device: where it computes.
    """

    kind: Any

    def __init__(self, name: str, device: str) -> None:
        self.name, self.device = name, device

    @cached_property
    def model(self) -> Any:
        return _loaded(self.kind.from_pretrained, self.name).to(self.device).eval()

    @cached_property
    def processor(self) -> Any:
        return _loaded(transformers.AutoProcessor.from_pretrained, self.name)


def _loaded(load: Callable[[str], Any], name: str) -> Any:
    try:
        return load(name)
    except (OSError, ValueError, ImportError) as error:
        raise RoboReferError(
            ErrorCode.BAD_CHECKPOINT,
            f"The model {name!r} cannot be loaded: {' '.join(str(error).split())[:300]}",
            "Give a folder that holds it, or a name that the Hub knows, and install what it needs.",
        ) from error


class Tagger(_Model):
    """Scores texts against a picture (SigLIP, CLIP)."""

    kind = transformers.AutoModel

    @torch.inference_mode()
    def scores(self, rgb: Image, texts: Sequence[str]) -> list[float]:
        """Return how well each text fits the picture; larger is better."""
        inputs = self.processor(
            images=rgb, text=list(texts), padding="max_length", truncation=True, return_tensors="pt"
        ).to(self.device)
        return [float(value) for value in self.model(**inputs).logits_per_image[0]]


class Detector(_Model):
    """Finds named things (Grounding DINO)."""

    kind = transformers.AutoModelForZeroShotObjectDetection

    @torch.inference_mode()
    def boxes(self, rgb: Image, names: Sequence[str]) -> tuple[FloatArray, FloatArray, list[str]]:
        """Return boxes (n, 4) in pixels (left, top, right, bottom), scores (n,), and names.

        A box's score for a name is the mean over the words of that name in the prompt, so that
        "coffee mug" and "coffee pot" are told apart by all of their words.
        """
        prompt = ". ".join(names) + "."
        inputs = self.processor(images=rgb, text=prompt, return_tensors="pt").to(self.device)
        outputs = self.model(**inputs)
        words = self._words(prompt, names)
        scores = outputs.logits[0].sigmoid().cpu().numpy()
        per_name = np.stack([scores[:, at].mean(axis=1) for at in words], axis=1)
        height, width = rgb.shape[:2]
        cx, cy, w, h = outputs.pred_boxes[0].cpu().numpy().astype(float).T
        corners = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1)
        pixels = np.clip(corners, 0, 1) * (width, height, width, height)
        best = per_name.argmax(axis=1)
        return pixels, per_name.max(axis=1), [names[k] for k in best]

    def _words(self, prompt: str, names: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each name in the prompt."""
        spans = self.processor.tokenizer(prompt, return_offsets_mapping=True)["offset_mapping"]
        found, start = [], 0
        for name in names:
            end = start + len(name)
            found.append([k for k, (a, b) in enumerate(spans) if a >= start and start < b <= end])
            start = end + len(". ")
        if not all(found):
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"The detector has no words for {names[found.index([])]!r}.",
                "Take it out of the names, or say it in plain letters.",
            )
        return found


class Segmenter(_Model):
    """Masks of what is in boxes (SAM, SAM 2)."""

    kind = transformers.AutoModelForMaskGeneration

    @torch.inference_mode()
    def masks(self, rgb: Image, boxes_px: FloatArray) -> NDArray[np.bool_]:
        """Return (n, height, width) masks of boxes (n, 4), left, top, right, bottom in pixels."""
        inputs = self.processor(images=rgb, input_boxes=[boxes_px.tolist()], return_tensors="pt")
        sizes = [
            inputs[name] for name in ("original_sizes", "reshaped_input_sizes") if name in inputs
        ]
        inputs = {
            name: value.to(self.device, torch.float32 if value.is_floating_point() else None)
            for name, value in inputs.items()
            if name not in ("original_sizes", "reshaped_input_sizes")
        }
        outputs = self.model(**inputs, multimask_output=False)
        (found,) = self.processor.post_process_masks(outputs.pred_masks.cpu(), *sizes)
        return np.asarray(found[:, 0].numpy() > 0)


class DepthModel(_Model):
    """Depth in metres from one picture (Depth Anything V2 metric, Depth Pro, ZoeDepth)."""

    kind = transformers.AutoModelForDepthEstimation

    @cached_property
    def processor(self) -> Any:
        return _loaded(transformers.AutoImageProcessor.from_pretrained, self.name)

    def check(self) -> None:
        """Refuse a model whose depth has no unit; raises BAD_REQUEST."""
        config = self.model.config
        metric = getattr(config, "depth_estimation_type", "") == "metric"
        if config.model_type not in _METRIC and not metric:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"The depth of {self.name!r} ({config.model_type}) is relative, not in metres.",
                "Name a metric model, such as Depth Anything V2's metric ones, or Depth Pro.",
            )

    @torch.inference_mode()
    def depth(self, rgb: Image) -> tuple[FloatArray, float | None]:
        """Return (height, width) float32 metres, and the focal length in pixels if it knows it."""
        self.check()
        inputs = self.processor(images=rgb, return_tensors="pt").to(self.device)
        outputs = self.model(**inputs)
        (found,) = self.processor.post_process_depth_estimation(
            outputs, target_sizes=[rgb.shape[:2]]
        )
        depth_m = found["predicted_depth"].cpu().numpy().astype(np.float32)
        focal = found.get("focal_length")
        usable = np.where(np.isfinite(depth_m) & (depth_m > 0), depth_m, 0)
        return usable, None if focal is None else float(focal)
