"""What a training run is: one dataclass, read from YAML, written beside the checkpoint."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import yaml

from robo_refer.errors import ErrorCode, RoboReferError

Config = TypeVar("Config")
Trainable = Literal["vision", "all_but_depth", "depth_projector", "language", "all"]
TRACKERS = ("tensorboard", "trackio", "wandb")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageConfig:
    """One stage of supervised fine-tuning (paper section 4: alignment, then everything).

    Attributes:
        name: folder of the stage under the output.
        steps: optimiser steps.
        batch_images: images per step, over all processes.
        trainable: which parameters learn. "vision" (RGB tower, its projector, the decoder's words)
            learns from the auxiliary losses on images alone, without running the decoder, at three
            times as many images a second; it and "all_but_depth" are for "nano". "language" is the
            decoder, or adapters on it, for "words".
        depth_share: share of samples that are shown with depth.
        both_views: show every sample twice, as RGB and as RGB-D, as the paper does; `depth_share`
            is then of no matter.
        learning_rate: peak.
        warmup_steps, decay_steps: linear rise and linear fall; constant in between.
        init_depth_from_rgb: copy the RGB tower (and projector) into the depth tower first; for
            "nano".
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
        start_from: folder of a checkpoint to go on from (its weights and words). "" starts anew,
            which "words" cannot.
        start_share: "nano" only: share of the start's weights in the final ones, a mean of both
            (WiSE-FT, arXiv:2109.01903): some of what is new for more of what was known. 0 keeps
            what the stages end with.
        half_weights: "nano" only: round the final weights to numbers that float16 holds, so that
            their ONNX files take half the space, with the same answers.
        seed: of weights, shuffling and augmentation.
        questions_per_image: questions on one image share its encoding.
        question_weights: how often questions of a kind are drawn, relative to the others (1).
        weight_decay: of the optimiser.
        save_steps: checkpoint interval; a killed run resumes from the last one.
        log_steps: interval of what is logged.
        threads: CPU threads of torch; 0 leaves its default.
        use_depth: whether depth is ever shown; False is the control without depth.
        bf16: compute in bfloat16; what is trained, and the optimiser, stay in float32.
        gradient_checkpointing: recompute in the backward pass, to save memory.
        report_to: "tensorboard", "trackio", "wandb", or several; [] is none.
        vision, depth, text: "nano" only: sub-model configs of `RoboReferConfig`. What they leave
            out is as in the checkpoint that a run starts from; its decoder may get more layers.
        canvas_px: "nano" only: (width, height) that the towers see; may differ from that of the
            checkpoint that a run starts from.
        merge: "nano" only: patches along the side of the square that is one token.
        vocab_size: "nano" only: words of the tokenizer, before grammar and numbers are added.
        heatmap_weight, dense_weight: "nano" only: auxiliary losses of training.
        bin_sigma: "nano" only: width of the soft coordinate targets, in bins of 1/250.
        compile: "nano" only: compile the transformer layers (a minute at the start, a quarter less
            per step).
        images_per_pass: "words" only: images per forward and backward pass and process, the rest
            of the batch is accumulated; 0 takes all at once.
        lora_rank: "words" only: rank of adapters on the decoder for stages that train "language";
            0 trains the weights themselves.
    """

    data: tuple[str, ...]
    output: str
    stages: tuple[StageConfig, ...]
    start_from: str = ""
    start_share: float = 0.0
    half_weights: bool = False
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
        RoboReferError: BAD_FILE for names that are unknown or missing, and for values of another
            type.
    """
    try:
        values = {name: tuple(v) if isinstance(v, list) else v for name, v in raw.items()}
        made = kind(**values)
    except (TypeError, AttributeError) as error:
        known = ", ".join(item.name for item in fields(kind))  # type: ignore[arg-type]
        remedy = f"Known names are: {known}."
        raise _bad_config(path, " ".join(str(error).split()), remedy) from error
    for name, hint in get_type_hints(kind).items():
        if name in values and not _fits(values[name], hint):
            reason = f"{name} is {values[name]!r}, where {_named(hint)} belongs"
            raise _bad_config(path, reason, "YAML takes 1e-3 for text; write 1.0e-3.")
    return made


def _fits(value: Any, hint: Any) -> bool:
    """Tell whether a value read from YAML is of an annotated type."""
    kind, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if kind is Literal:
        return value in parts
    if kind is tuple:
        ends = parts if parts[-1] is not ... else parts[:1] * len(value or ())
        whole = isinstance(value, tuple) and len(value) == len(ends)
        return whole and all(map(_fits, value, ends))
    if kind is dict:
        return isinstance(value, dict) and all(_fits(part, parts[1]) for part in value.values())
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, (int, float) if hint is float else hint)


def _named(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    return str(hint) if get_origin(hint) else str(hint.__name__)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the names and values in a YAML file.

    Raises:
        RoboReferError: BAD_FILE when it is missing or holds anything else.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"The training config {path} cannot be read: {error.strerror}.",
            "Give a YAML file, for example one of train/configs.",
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise _bad_config(path, " ".join(str(error).split())) from error
    if not isinstance(raw, dict):
        raise _bad_config(path, "it holds no names with values")
    return raw


def save_config(config: Any, path: Path) -> None:
    """Write a config's dataclass as YAML that can be loaded again, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(_plain(asdict(config)), sort_keys=False)
    beside = path.with_name(f".{path.name}.{os.getpid()}")  # every process of a run writes its own
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def keep_config(config: Any, output: Path, load: Callable[[Path], Any]) -> None:
    """Write the config beside the run; refuse to go on with a run that began with another.

    Args:
        config: of the run.
        output: its folder.
        load: reads such a config.

    Raises:
        RoboReferError: BAD_REQUEST when the folder holds a run of another config.
    """
    path = output / "config.yaml"
    if path.exists():
        began, now = _plain(asdict(load(path))), _plain(asdict(config))
        changed = [name for name, value in now.items() if began[name] != value]
        if changed:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"The run in {output} began with another {', '.join(changed)}.",
                "Give another --output, or the config that it began with.",
            )
    save_config(config, path)


def check_trackers(report_to: tuple[str, ...]) -> None:
    """Do nothing where all that a run reports to is known and installed.

    Raises:
        RoboReferError: BAD_REQUEST for a name that is unknown, MISSING_DEPENDENCY for a package
            that is not installed.
    """
    for name in report_to:
        if name not in TRACKERS:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"report_to names {name!r}, which nothing here reports to.",
                f"Choose from {', '.join(TRACKERS)}, or give [] for none.",
            )
        if find_spec(name) is None:
            raise RoboReferError(
                ErrorCode.MISSING_DEPENDENCY,
                f"report_to names {name}, and the package '{name}' is not installed.",
                f"Install it with: pip install {name}; or take it out of report_to.",
            )


def warn_of_slow_bf16(bf16: bool) -> None:
    """Say so where bfloat16 is asked of a processor that can only imitate it.

    There a step takes ten times as long as in float32 (measured with nano on AVX2), which nobody
    wants but who has to go on with a run that began elsewhere.
    """
    import torch  # not before configs are read: it takes seconds

    # What torch itself asks before it hands bfloat16 to oneDNN.
    if bf16 and not torch.cuda.is_available() and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        _log.warning(
            "bf16: this processor has no instructions for bfloat16, and a step will take about ten "
            "times as long as in float32. Set 'bf16: false' in the config."
        )


def check_least(values: Any, least: Mapping[str, int]) -> None:
    """Do nothing where the named numbers of a config are large enough; else BAD_REQUEST."""
    for name, smallest in least.items():
        value = getattr(values, name)
        if value < smallest:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{name} is {value}, and has to be {smallest} or more.",
                "Change it in the config.",
            )


def check_left_out(config: SftConfig, names: Iterable[str]) -> None:
    """Do nothing where a config leaves out what its objective does not know; else BAD_REQUEST."""
    for name in names:
        value = getattr(config, name)
        if value:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{name} is {value}, which the objective {config.objective!r} does not know.",
                f"Leave {name} out of the config, or train with the other objective.",
            )


def check_sft(config: SftConfig) -> None:
    """Do nothing where a supervised run makes sense, whatever its objective.

    Raises:
        RoboReferError: BAD_REQUEST for numbers that are too small and for stages that are missing
            or share a folder; what `check_trackers` raises.
    """
    check_trackers(config.report_to)
    warn_of_slow_bf16(config.bf16)
    ones = ("questions_per_image", "save_steps", "log_steps")
    check_least(config, {**dict.fromkeys(ones, 1), "lora_rank": 0, "images_per_pass": 0})
    for stage in config.stages:
        check_least(stage, {"steps": 1, "batch_images": 1})
    names = {stage.name for stage in config.stages}
    if not names or len(names) < len(config.stages):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "Two stages have one name." if names else "The config has no stages.",
            "Give one stage or more, each with a name of its own; see train/configs.",
        )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def _bad_config(path: Path, reason: str, remedy: str = "See train/configs.") -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE, f"{path} is not a training config: {reason.rstrip('.')}.", remedy
    )
