"""Builds nano from a training config: tokenizer, processor, model with fresh weights."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional
from transformers import PretrainedConfig, PreTrainedTokenizerFast

from robo_refer import tokens
from robo_refer.model.configuration import RoboReferConfig
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.model.processing import RoboReferProcessor
from robo_refer.preprocess import PreprocessSpec
from robo_refer_train.config import SftConfig
from robo_refer_train.dataset import Classes
from robo_refer_train.heads import NumberIds
from robo_refer_train.tokenizer import build_tokenizer

TOKENIZER_SAMPLES = 4000


def texts_of(table: pa.Table, limit: int) -> Iterable[str]:
    """Yield instructions and step phrases of the first `limit` samples."""
    for questions in table.column("questions").slice(0, limit).to_pylist():
        for question in questions:
            yield tokens.normalise_instruction(question["text"])
            for step in question["steps"]:
                yield step["target"]


def build_processor(config: SftConfig, table: pa.Table) -> RoboReferProcessor:
    """Return the processor: a tokenizer trained on the data's own language, and the canvas."""
    tokenizer = build_tokenizer(texts_of(table, TOKENIZER_SAMPLES), config.vocab_size)
    return RoboReferProcessor(tokenizer, canvas_spec(config))


def canvas_spec(config: SftConfig) -> PreprocessSpec:
    """Return what the towers of a config see."""
    width, height = config.canvas_px
    cells = (width // 8 // config.merge) * (height // 8 // config.merge)
    return PreprocessSpec(width, height, image_tokens=cells, depth_tokens=cells)


def build_model(
    config: SftConfig, tokenizer: PreTrainedTokenizerFast, began: RoboReferConfig | None = None
) -> RoboReferForConditionalGeneration:
    """Return the model with weights drawn from the config's seed.

    Args:
        config: of the run.
        tokenizer: with the model's words.
        began: shape of the checkpoint that the run starts from, for what the config leaves out.
    """
    torch.manual_seed(config.seed)
    random.seed(config.seed)
    width, height = config.canvas_px
    tower = {"model_type": "robo_refer_tower", "image_size": (height, width)}
    model_config = RoboReferConfig(
        vision_config={**_shape(began and began.vision_config), **tower, **config.vision},
        depth_config={**_shape(began and began.depth_config), **tower, **config.depth},
        text_config={
            "max_position_embeddings": 1024,
            "tie_word_embeddings": False,
            **_shape(began and began.text_config),
            "model_type": "qwen2",
            "vocab_size": len(tokenizer),
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            **config.text,
        },
        merge=config.merge,
        image_token_id=tokenizer.convert_tokens_to_ids(tokens.IMAGE),
        depth_token_id=tokenizer.convert_tokens_to_ids(tokens.DEPTH),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = RoboReferForConditionalGeneration(model_config)
    initialise_decoder(model)
    initialise_numbers(model, number_ids(tokenizer))
    return model


def _shape(part: PretrainedConfig | None) -> dict[str, Any]:
    """Return the fields of a sub-model's config; the kind of every layer follows from them."""
    fields: dict[str, Any] = part.to_dict() if part else {}
    fields.pop("layer_types", None)
    return fields


def initialise_decoder(model: RoboReferForConditionalGeneration) -> None:
    """Draw the decoder's weights for its small width.

    The usual 0.02 is meant for widths of thousands: at 192 words drown in what the layers add to
    them, and the decoder takes thousands of steps to look at the image at all. Here every layer
    keeps the size of its input, and words start as large as the image's tokens.
    """
    decoder = model.model.language_model
    depth = len(decoder.layers)
    for name, module in decoder.named_modules():
        if isinstance(module, nn.Linear):
            std = module.in_features**-0.5
            if name.endswith(("o_proj", "down_proj")):
                std *= (2 * depth) ** -0.5
            nn.init.trunc_normal_(module.weight, std=std, a=-3 * std, b=3 * std)
    nn.init.normal_(decoder.embed_tokens.weight, std=0.7)
    nn.init.normal_(model.lm_head.weight, std=0.02)


def load_start(
    config: SftConfig, tokenizer: PreTrainedTokenizerFast
) -> RoboReferForConditionalGeneration:
    """Return the model of the checkpoint that a run starts from, changed as the config says.

    What a tower has learnt about places is resampled for a canvas of another size, as for vision
    transformers (arXiv:2010.11929, section 3.2); a decoder's new layers begin as `deepened` says.
    """
    folder = Path(config.start_from)
    began = RoboReferConfig.from_pretrained(folder)
    model = build_model(config, tokenizer, began)
    weights = load_file(folder / "model.safetensors")
    for tower, before, now in (
        ("vision_tower", began.vision_config, model.config.vision_config),
        ("depth_tower", began.depth_config, model.config.depth_config),
    ):
        name = f"model.{tower}.position_embedding"
        weights[name] = resampled(weights[name], before.grid, now.grid)
    layers = (began.text_config.num_hidden_layers, model.config.text_config.num_hidden_layers)
    model.load_state_dict(deepened(weights, *layers))
    return model


def resampled(places: torch.Tensor, before: Sequence[int], now: Sequence[int]) -> torch.Tensor:
    """Return (1, cells, channels) of a grid of (rows, columns) as of a grid of another size."""
    if list(before) == list(now):
        return places
    squares = places.unflatten(1, tuple(before)).permute(0, 3, 1, 2)
    squares = functional.interpolate(squares, tuple(now), mode="bicubic", antialias=True)
    return squares.flatten(2).transpose(1, 2)


def deepened(weights: Mapping[str, torch.Tensor], before: int, now: int) -> dict[str, torch.Tensor]:
    """Return a model's weights as those of one that has more decoder layers and says the same.

    New layers are spread evenly. Each is a copy of the layer that it follows, with nothing in the
    matrices that write its result, as in LLaMA Pro (arXiv:2401.02415).
    """
    if now <= before:
        return dict(weights)
    prefix = "model.language_model.layers."
    deeper = {name: weight for name, weight in weights.items() if not name.startswith(prefix)}
    sources = [((layer + 1) * before - 1) // now for layer in range(now)]
    for layer, source in enumerate(sources):
        new = layer > 0 and source == sources[layer - 1]
        for name, weight in weights.items():
            if name.startswith(f"{prefix}{source}."):
                own = name.removeprefix(f"{prefix}{source}.")
                silent = new and own.endswith(("o_proj.weight", "down_proj.weight"))
                deeper[f"{prefix}{layer}.{own}"] = torch.zeros_like(weight) if silent else weight
    return deeper


def initialise_numbers(model: RoboReferForConditionalGeneration, numbers: NumberIds) -> None:
    """Draw the words for coordinates so that near numbers are alike, read and written.

    Each is a sum of waves over [0, 1], from half a wave up to one over four bins, in directions of
    its own for x and for y. To write where one looks is then one linear map for all places; with
    random rows the decoder looks at the right place for long before it can say where that is.
    """
    width = model.config.text_config.hidden_size
    waves = width // 6
    place = (torch.arange(numbers.bins) + 0.5) / numbers.bins
    angle = torch.pi * place[:, None] * torch.logspace(0, math.log10(numbers.bins / 2), waves)
    code = torch.cat([angle.sin(), angle.cos()], dim=1)
    directions = torch.linalg.qr(torch.randn(width, 4 * waves)).Q
    read, written = model.get_input_embeddings().weight, model.lm_head.weight
    for start, axis in zip(
        (numbers.first, numbers.second), directions.chunk(2, dim=1), strict=True
    ):
        rows = code @ axis.T
        rows = rows / rows.square().mean().sqrt()
        with torch.no_grad():
            read[start : start + numbers.bins] = 0.7 * rows
            written[start : start + numbers.bins] = 0.05 * rows


def number_ids(tokenizer: PreTrainedTokenizerFast) -> NumberIds:
    """Return the id ranges of the number tokens."""
    first, second = tokenizer.convert_tokens_to_ids(
        [tokens.FIRST_TOKENS[0], tokens.SECOND_TOKENS[0]]
    )
    return NumberIds(first, second, tokens.BINS)


def class_words(
    tokenizer: PreTrainedTokenizerFast, classes: Classes
) -> dict[str, Sequence[Sequence[int]]]:
    """Return the token ids of every word that the dense head tells apart."""
    return {
        key: [tokenizer(word).input_ids if word else [] for word in words]
        for key, words in asdict(classes).items()
    }


def opener_ids(tokenizer: PreTrainedTokenizerFast) -> Sequence[int]:
    """Return the tokens behind which a point begins."""
    ids: list[int] = tokenizer.convert_tokens_to_ids(["[(", "]: [(", "</think>\n<answer>[("])
    return ids


def copy_rgb_into_depth(model: RoboReferForConditionalGeneration) -> None:
    """Initialise the depth tower and projector from the RGB ones, as RoboRefer does.

    A depth tower with fewer layers takes the first ones.
    """
    inner = model.model
    source = inner.vision_tower.state_dict()
    target = inner.depth_tower.state_dict()
    inner.depth_tower.load_state_dict({name: source[name] for name in target})
    inner.depth_projector.load_state_dict(inner.vision_projector.state_dict())
