"""Around what a model sees: guards of the depth half, and a memory of frozen towers."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.modeling import RoboReferForConditionalGeneration


class DepthGuard:
    """Counts the depth maps that reach a decoder, and stops a run in which one does not."""

    def __init__(self, models: Sequence[RoboReferForConditionalGeneration]) -> None:
        self.seen = 0
        for model in models:
            model.model.register_forward_hook(self._count, with_kwargs=True)

    def _count(self, module: nn.Module, args: Any, inputs: dict[str, Any], output: Any) -> None:
        features, grids = output.depth_features, inputs.get("depth_grids")
        if features is not None:  # of maps, or of their tiles
            self.seen += len(features if grids is None else grids)

    @contextmanager
    def expects(self, maps: int) -> Iterator[None]:
        """Check that at least `maps` depth maps were seen inside.

        Raises:
            RoboReferError: NO_DEPTH when there were fewer: the model would learn to do without.
        """
        before = self.seen
        yield
        if self.seen - before < maps:
            raise RoboReferError(
                ErrorCode.NO_DEPTH,
                f"The model saw {self.seen - before} depth maps where the data has {maps}: it "
                "would be trained blind.",
                "Look with 'robo-refer train doctor', or set use_depth: false to train without.",
            )


class DepthAlways:
    """Runs the depth half also in a pass without depth that is learnt from, for nothing.

    Processes among which weights are split meet in every layer, in the order of the layers: one
    that left the depth tower out would meet the others in the wrong place. So would one that had
    no gradients of it to share, where gradients are split.
    """

    def __init__(self, model: RoboReferForConditionalGeneration) -> None:
        inner = self._inner = model.model
        self._shown: tuple[Any, Any] | None = None
        inner.register_forward_pre_hook(self._begin, with_kwargs=True)
        inner.depth_projector.register_forward_hook(self._done)
        inner.language_model.register_forward_pre_hook(self._catch_up, with_kwargs=True)

    def _begin(self, module: nn.Module, args: Any, inputs: dict[str, Any]) -> None:
        if torch.is_grad_enabled():
            self._shown = inputs["pixel_values"], inputs.get("image_grids")

    def _done(self, module: nn.Module, args: Any, output: torch.Tensor) -> None:
        self._shown = None

    def _catch_up(self, module: nn.Module, args: Any, inputs: dict[str, Any]) -> Any:
        if self._shown is None:
            return None
        tokens, _ = self._inner.depth_tokens(*self._shown)
        inputs["inputs_embeds"] = inputs["inputs_embeds"] + 0.0 * tokens.sum()
        return args, inputs


class TowerMemory:
    """The features of frozen towers, computed once per picture.

    Pictures are known by their content, so that whoever runs the model, on whatever batch, finds
    what was computed for another.

    Args:
        models: whose towers; one with a trainable parameter is left alone.
        pictures: how many are remembered; the one seen longest ago is forgotten first.
    """

    def __init__(self, models: Sequence[RoboReferForConditionalGeneration], pictures: int) -> None:
        self._pictures, self._compute = pictures, models[0].model.tower_features
        self._known: OrderedDict[bytes, torch.Tensor] = OrderedDict()
        self.computed = 0
        for model in models:
            model.model.tower_features = self._features  # type: ignore[method-assign]

    def _features(self, tower: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
        if not self._pictures or next(tower.parameters()).requires_grad:
            self.computed += len(pixels)
            return self._compute(tower, pixels)
        names = [_name(tower, picture) for picture in pixels]
        missing = {name: row for row, name in enumerate(names) if name not in self._known}
        if missing:
            with torch.no_grad():
                features = self._compute(tower, pixels[list(missing.values())])
            self._known.update(zip(missing, features, strict=True))
            self.computed += len(missing)
        for name in names:
            self._known.move_to_end(name)
        found = torch.stack([self._known[name] for name in names])
        while len(self._known) > self._pictures:
            self._known.popitem(last=False)
        return found


def _name(tower: nn.Module, picture: torch.Tensor) -> bytes:
    """Return the name of a picture for a tower, which its weights stand for: copies share them."""
    content = picture.detach().float().cpu().numpy().tobytes()
    return hashlib.blake2b(content + str(next(tower.parameters()).data_ptr()).encode()).digest()
