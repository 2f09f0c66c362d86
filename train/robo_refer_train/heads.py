"""Losses of training: soft coordinates, and what guides the model where words alone are blind.

The dense head, thrown away afterwards, makes every cell of the RGB tower say whether it is an
object, which, of what colour, and where its centre is. The loss of what is seen makes every image
token most like the decoder's own words for what it shows and where, as contrastive pretraining does
for SigLIP: to find a mug is then to find what is like "mug", and to say where it is is to copy, for
all words and places at once. The heatmap is the decoder's own attention: about to write a
coordinate, two heads of every layer in its second half are taught to look at that place of the
image, so that there is something to read. Depth tokens learn to tell objects from what they stand
on, to say what share of the objects is nearer than theirs, to be like the words for their own
place, and, in the first layer, to look at the image token of that place: from there on they know
what it is that is near or far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers.models.qwen2.modeling_qwen2 import rotate_half

from robo_refer.model.modeling import (
    RoboReferForConditionalGeneration,
    RoboReferPreTrainedModel,
)

LOOKING_HEADS = 2
SHARPNESS = 20.0
"""What likenesses (cosines) are multiplied by before a softmax over words."""

PLACE_SIGMA = 0.25
"""Width of the soft target of an image token's place, over its size."""

CLASS_WEIGHTS = {"name": 2.0, "colour": 1.0, "material": 0.5}
"""What a thing is takes longest to learn, and matters most; materials often cannot be seen."""


@dataclass(frozen=True)
class NumberIds:
    """Ids of the number tokens: the first and the second of a pair are contiguous ranges."""

    first: int
    second: int
    bins: int


def soft_coordinate_loss(
    logits: torch.Tensor, labels: torch.Tensor, numbers: NumberIds, sigma: float
) -> torch.Tensor:
    """Return the mean cross entropy over answer tokens, (tokens, vocabulary) and (tokens,).

    A coordinate's target is a Gaussian over its neighbours: one bin off is nearly right.
    """
    log_probs = functional.log_softmax(logits.float(), dim=-1)
    losses = -log_probs.gather(1, labels[:, None])[:, 0]
    grid = torch.arange(numbers.bins, device=labels.device)
    total = losses.sum()
    for start in (numbers.first, numbers.second):
        chosen = (labels >= start) & (labels < start + numbers.bins)
        offset = labels[chosen, None] - start - grid
        target = torch.softmax(-(offset.float() ** 2) / (2 * sigma**2), dim=-1)
        soft = -(target * log_probs[chosen, start : start + numbers.bins]).sum(-1)
        total = total + soft.sum() - losses[chosen].sum()
    return total / max(len(labels), 1)


class TrainingModel(RoboReferPreTrainedModel):
    """The model with its auxiliary heads; `forward` returns the weighted loss and its parts."""

    _tied_weights_keys = {  # noqa: RUF012 - transformers' own name and form
        "model.lm_head.weight": "model.model.language_model.embed_tokens.weight"
    }

    def __init__(
        self,
        model: RoboReferForConditionalGeneration,
        numbers: NumberIds,
        classes: dict[str, Sequence[Sequence[int]]],
        *,
        heatmap_weight: float,
        dense_weight: float,
        bin_sigma: float,
    ) -> None:
        super().__init__(model.config)
        self.model = model
        self.numbers = numbers
        self.classes = {name: len(words) for name, words in classes.items()}
        self.heatmap_weight, self.dense_weight = heatmap_weight, dense_weight
        self.bin_sigma = bin_sigma
        vision = model.config.vision_config.hidden_size
        self.dense = nn.Sequential(
            nn.Linear(vision, vision), nn.GELU(), nn.Linear(vision, 3 + sum(self.classes.values()))
        )
        self.dense_depth = nn.Linear(model.config.depth_config.hidden_size, 3)
        self.rank = nn.Linear(model.config.text_config.hidden_size, 1)
        for name, words in classes.items():
            mixture = torch.zeros(len(words), model.config.text_config.vocab_size)
            for row, ids in enumerate(words):
                mixture[row, list(ids)] = 1 / max(len(ids), 1)
            self.register_buffer(f"mixture_{name}", mixture, persistent=False)
        grid = [side // model.config.merge for side in model.config.vision_config.grid]
        for axis, place in enumerate(token_places(grid, numbers.bins)):
            self.register_buffer(f"place_{'yx'[axis]}", place, persistent=False)
        self.sees_only = False
        self.post_init()

    def forward(self, **batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run one packed batch (see `Collator`); only the RGB tower where `sees_only` is set."""
        inner = self.model.model
        if self.sees_only:
            features = inner.tower_features(inner.vision_tower, batch["pixel_values"])
            dense, seen = self._dense_loss(features, batch), self._seen_loss(features, batch)
            return {"loss": dense + seen, "dense": dense.detach(), "seen": seen.detach()}
        output = inner(
            input_ids=batch["input_ids"],
            pixel_values=batch["pixel_values"],
            depth_values=batch["depth_values"],
            attention_mask=batch["attention_mask"],
            position_ids=batch["position_ids"],
            use_cache=False,
            output_hidden_states=True,
        )
        hidden = output.last_hidden_state
        answers = batch["labels"][:, 1:] != -100
        states = hidden[:, :-1][answers]
        words = soft_coordinate_loss(
            self.model.lm_head(states),
            batch["labels"][:, 1:][answers],
            self.numbers,
            self.bin_sigma,
        )
        layers = list(zip(output.hidden_states, inner.language_model.layers, strict=False))
        later = layers[len(layers) // 2 :]
        looks = [self._look_loss(given, layer, batch) for given, layer in later]
        heat = torch.stack(looks).mean()
        dense = self._dense_loss(output.image_features, batch)
        seen = self._seen_loss(output.image_features, batch)
        loss = words + self.heatmap_weight * heat + self.dense_weight * (dense + seen)
        depth_parts = {}
        if output.depth_features is not None:
            measured = self._measured_loss(output.depth_features, batch)
            fused = self._fuse_loss(*layers[0], batch)
            loss = loss + self.dense_weight * (measured + fused)
            depth_parts = {"measured": measured.detach(), "fused": fused.detach()}
        return {
            "loss": loss,
            "words": words.detach(),
            "heatmap": heat.detach(),
            "dense": dense.detach(),
            "seen": seen.detach(),
            **depth_parts,
        }

    def _look_loss(
        self, hidden: torch.Tensor, layer: nn.Module, batch: dict[str, Any]
    ) -> torch.Tensor:
        """Cross entropy between where some heads of a layer look and where the point is.

        They may look at the place in the image or in the depth map.

        Args:
            hidden: (batch, length, width), what the layer is given.
            layer: the decoder layer; its first `LOOKING_HEADS` heads are taught.
            batch: places where points are about to be written, and Gaussians over the cells there.
        """
        rows, places, target = batch["point_rows"], batch["point_places"], batch["point_cells"]
        if not len(rows):  # nothing is pointed at: all that was asked for is absent
            return hidden.new_zeros(())
        query, key = self._queries_and_keys(hidden, layer, batch)
        # Of all tokens, then of some: gathering scores is a tenth of gathering keys.
        scores = torch.einsum("bqhc,bkhc->bqhk", query, key)[rows, places]
        visible = batch["attention_mask"][rows, 0, places]
        scores = scores.masked_fill(~visible[:, None], float("-inf"))
        looks = functional.log_softmax(scores, dim=-1)
        cells = target.shape[1]
        seen = looks[..., :cells]
        if batch["depth_values"] is not None:
            ids = batch["input_ids"][rows, cells : 2 * cells]
            no_depth = ids[:, None] != self.model.config.depth_token_id
            measured = looks[..., cells : 2 * cells].masked_fill(no_depth, float("-inf"))
            seen = torch.logaddexp(seen, measured)
        return -(target[:, None] * seen).sum(-1).mean()

    def _fuse_loss(
        self, hidden: torch.Tensor, layer: nn.Module, batch: dict[str, Any]
    ) -> torch.Tensor:
        """Cross entropy between where a depth token looks and the image token of its place."""
        cells = batch["point_cells"].shape[1]
        rows = batch["input_ids"][:, cells] == self.model.config.depth_token_id
        query, key = self._queries_and_keys(hidden[rows], layer, batch, rows)
        scores = torch.einsum("bqhc,bkhc->bhqk", query[:, cells : 2 * cells], key[:, : 2 * cells])
        future = torch.ones(cells, 2 * cells, dtype=torch.bool, device=scores.device)
        looks = scores.masked_fill(future.triu(cells + 1), float("-inf")).log_softmax(-1)
        return -looks.diagonal(dim1=2, dim2=3).mean()

    def _queries_and_keys(
        self,
        hidden: torch.Tensor,
        layer: nn.Module,
        batch: dict[str, Any],
        rows: torch.Tensor | slice = slice(None),
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (rows, length, heads, channels) of a layer's first `LOOKING_HEADS` heads.

        Their products are the heads' scores: queries carry the scale.
        """
        attention, width = layer.self_attn, layer.self_attn.head_dim
        normed = layer.input_layernorm(hidden)
        rotary = self.model.model.language_model.rotary_emb(normed, batch["position_ids"][rows])
        cos, sin = (angle[:, :, None] for angle in rotary)
        first = slice(0, LOOKING_HEADS * width)
        query, key = (
            functional.linear(normed, part.weight[first], part.bias[first]).unflatten(
                2, (-1, width)
            )
            for part in (attention.q_proj, attention.k_proj)
        )
        query, key = (part * cos + rotate_half(part) * sin for part in (query, key))
        return query * width**-0.5, key

    def _measured_loss(self, features: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        """Objectness and centre offset of every cell of a depth map, place and rank of its tokens.

        Args:
            features: (depth maps, cells, channels) of the depth tower.
            batch: its rows with depth, in order, are those of the maps.
        """
        inner, cells = self.model.model, batch["point_cells"].shape[1]
        rows = batch["input_ids"][:, cells] == self.model.config.depth_token_id
        prediction, inside = self.dense_depth(features), batch["cell_object"][rows]
        tokens = inner.depth_projector(features, self.model.config.depth_config.grid)
        loss = self._place_loss(functional.normalize(tokens, dim=-1))
        loss = loss + functional.binary_cross_entropy_with_logits(
            prediction[..., 0], inside.float()
        )
        if not inside.any():
            return loss
        offset = batch["cell_offset"][rows][inside]
        loss = loss + functional.smooth_l1_loss(prediction[inside][:, 1:], offset)
        parts = self._merged(inside.float()[..., None])
        shown = parts[..., 0] > 0
        ranks = self._merged((batch["cell_rank"][rows] * inside)[..., None])[shown] / parts[shown]
        return loss + functional.binary_cross_entropy_with_logits(self.rank(tokens[shown]), ranks)

    def _dense_loss(self, features: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        """Objectness, classes and centre offset of every cell."""
        prediction = self.dense(features)
        inside = batch["cell_object"]
        loss = functional.binary_cross_entropy_with_logits(prediction[..., 0], inside.float())
        if not inside.any():
            return loss
        objects = prediction[inside]
        loss = loss + functional.smooth_l1_loss(objects[:, 1:3], batch["cell_offset"][inside])
        start = 3
        for name, count in self.classes.items():
            target = batch[f"cell_{name}"][inside]
            entropy = functional.cross_entropy(objects[:, start : start + count], target)
            loss = loss + CLASS_WEIGHTS[name] * entropy
            start += count
        return loss

    def _seen_loss(self, features: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
        """Cross entropy of every image token's likeness to the words for what and where it is."""
        inner = self.model.model
        embeddings = inner.get_input_embeddings().weight
        inside = batch["cell_object"].float()
        shown = self._merged(inside[..., None])[..., 0] > 0
        grid = self.model.config.vision_config.grid
        tokens = functional.normalize(inner.vision_projector(features, grid), dim=-1)
        loss = self._place_loss(tokens)
        if not shown.any():
            return loss
        for name, count in self.classes.items():
            words = functional.normalize(getattr(self, f"mixture_{name}") @ embeddings, dim=-1)
            shares = functional.one_hot(batch[f"cell_{name}"], count) * inside[..., None]
            target = self._merged(shares)[shown]
            entropy = functional.cross_entropy(
                SHARPNESS * tokens[shown] @ words.T, target / target.sum(-1, keepdim=True)
            )
            loss = loss + CLASS_WEIGHTS[name] * entropy
        return loss

    def _merged(self, cells: torch.Tensor) -> torch.Tensor:
        """Return (batch, tokens, channels): sums of (batch, cells, channels) over tokens' cells."""
        (rows, columns), merge = self.model.config.vision_config.grid, self.model.config.merge
        squares = cells.unflatten(1, (rows // merge, merge, columns // merge, merge))
        return squares.sum(dim=(2, 4)).flatten(1, 2)

    def _place_loss(self, tokens: torch.Tensor) -> torch.Tensor:
        """Cross entropy of every image token's likeness to the words for its own place."""
        numbers, embeddings = self.numbers, self.model.get_input_embeddings().weight
        loss = tokens.new_zeros(())
        for start, target in ((numbers.first, self.place_x), (numbers.second, self.place_y)):
            words = functional.normalize(embeddings[start : start + numbers.bins], dim=-1)
            likeness = functional.log_softmax(SHARPNESS * tokens @ words.T, dim=-1)
            loss = loss - (target * likeness).sum(-1).mean()
        return loss


def token_places(grid: Sequence[int], bins: int) -> list[torch.Tensor]:
    """Return, for rows and for columns of a grid, a (tokens, bins) Gaussian at every token."""
    targets = []
    for axis, count in enumerate(grid):
        centre = (torch.arange(count) + 0.5) / count * bins - 0.5
        distance = (torch.arange(bins) - centre[:, None]) / (bins / count * PLACE_SIGMA)
        target = torch.softmax(-(distance**2) / 2, dim=-1)
        other = grid[1 - axis]
        spread = (
            target[:, None].expand(-1, other, -1) if axis == 0 else target.expand(other, -1, -1)
        )
        targets.append(spread.reshape(-1, bins))
    return targets
