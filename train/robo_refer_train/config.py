"""What a training run is: one dataclass, read from YAML, written beside the checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml

from robo_refer.errors import ErrorCode, RoboReferError

Config = TypeVar("Config")
Trainable = Literal["vision", "all_but_depth", "depth_projector", "language", "all"]


@dataclass(frozen=True)
class StageConfig:
    """One stage of supervised fine-tuning (paper section 4: alignment, then everything).

    Attributes:
        name: folder of the stage under the output.
        steps: optimiser steps.
        batch_images: images per step, over all processes.
        trainable: which parameters learn. "vision" (RGB tower, its projector, the decoder's words)
            learns from the auxiliary losses on images alone, without running the decoder, at three
            times as many images a second. "language" is the decoder, or adapters on it.
        depth_share: share of samples that are shown with depth.
        both_views: show every sample twice, as RGB and as RGB-D, as the paper does; `depth_share`
            is then of no matter.
        learning_rate: peak.
        warmup_steps, decay_steps: linear rise and linear fall; constant in between.
        init_depth_from_rgb: copy the RGB tower (and projector) into the depth tower first.
    """

    name: str
    steps: int
    batch_images: int = 8
    trainable: Trainable = "all"
    depth_share: float = 0.75
    both_views: bool = False
    learning_rate: float = 1.5e-3
    warmup_steps: int = 60
    decay_steps: int = 0
    init_depth_from_rgb: bool = False


@dataclass(frozen=True)
class SftConfig:
    """A supervised run from data to checkpoint.

    Attributes:
        data: folders written by `robo-refer data generate`.
        source_weights: share of some of these folders' samples, relative to the others' 1; {}
            draws every sample equally often.
        stream: read shards while training, instead of all of them before.
        objective: "nano" trains nano's own losses and heads, on Muon; "words" the plain likelihood
            of answers, on AdamW, for checkpoints of any size.
        output: where stages, logs and the final checkpoint go.
        start_from: folder of a checkpoint to go on from (its weights and words); "" starts anew.
        seed: of weights, shuffling and augmentation.
        vision, depth, text: sub-model configs of `RoboReferConfig`.
        canvas_px: (width, height) that the towers see.
        vocab_size: words of the tokenizer, before grammar and numbers are added.
        questions_per_image: questions on one image share its encoding.
        question_weights: how often questions of a kind are drawn, relative to the others (1).
        heatmap_weight, dense_weight: auxiliary losses of training.
        bin_sigma: width of the soft coordinate targets, in bins of 1/250.
        save_steps: checkpoint interval; a killed run resumes from the last one.
        threads: CPU threads of torch; 0 leaves its default.
        compile: compile the transformer layers (a minute at the start, a quarter less per step).
        use_depth: whether depth is ever shown; False is the control without depth.
        images_per_pass: images per forward and backward pass and process; 0 takes all at once.
        lora_rank: rank of adapters on the decoder for stages that train "language"; 0 trains the
            weights themselves. For "words", as are the next two.
        bf16, gradient_checkpointing: what is computed in bfloat16, and recomputed to save memory.
        report_to: "tensorboard", "trackio", "wandb", or several.
    """

    data: tuple[str, ...]
    output: str
    stages: tuple[StageConfig, ...]
    start_from: str = ""
    seed: int = 0
    vision: dict[str, Any] = field(default_factory=dict)
    depth: dict[str, Any] = field(default_factory=dict)
    text: dict[str, Any] = field(default_factory=dict)
    canvas_px: tuple[int, int] = (192, 144)
    merge: int = 2
    vocab_size: int = 700
    questions_per_image: int = 8
    question_weights: dict[str, float] = field(default_factory=dict)
    heatmap_weight: float = 0.5
    dense_weight: float = 0.5
    bin_sigma: float = 1.9
    weight_decay: float = 0.05
    save_steps: int = 200
    log_steps: int = 20
    threads: int = 0
    compile: bool = True
    use_depth: bool = True
    source_weights: dict[str, float] = field(default_factory=dict)
    stream: bool = False
    objective: Literal["nano", "words"] = "nano"
    images_per_pass: int = 0
    lora_rank: int = 0
    bf16: bool = False
    gradient_checkpointing: bool = False
    report_to: tuple[str, ...] = ("tensorboard",)


def load_config(path: Path) -> SftConfig:
    """Return the supervised run in a YAML file.

    Raises:
        RoboReferError: BAD_FILE when it is missing, not YAML, or has unknown names.
    """
    raw = read_yaml(path)
    stages = raw.pop("stages", None) or []
    return build(
        path, SftConfig, {**raw, "stages": [build(path, StageConfig, part) for part in stages]}
    )


def build(path: Path, kind: type[Config], raw: Any) -> Config:
    """Return a config's dataclass from the names and values in a file.

    Raises:
        RoboReferError: BAD_FILE for names that are unknown or missing.
    """
    try:
        return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in raw.items()})
    except (TypeError, AttributeError) as error:
        known = ", ".join(item.name for item in fields(kind))  # type: ignore[arg-type]
        remedy = f"Known names are: {known}."
        raise _bad_config(path, " ".join(str(error).split()), remedy) from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the names and values in a YAML file.

    Raises:
        RoboReferError: BAD_FILE when it is missing or holds anything else.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _bad_config(path, " ".join(str(error).split())) from error
    if not isinstance(raw, dict):
        raise _bad_config(path, "it holds no names with values")
    return raw


def save_config(config: Any, path: Path) -> None:
    """Write a config's dataclass as YAML that can be loaded again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(_plain(asdict(config)), sort_keys=False)
    path.write_text(text, encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def _bad_config(path: Path, reason: str, remedy: str = "See train/configs.") -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE, f"{path} is not a training config: {reason.rstrip('.')}.", remedy
    )
