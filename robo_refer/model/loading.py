"""Loading a checkpoint folder, or saying why it cannot be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from robo_refer import checkpoint_files as files
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.model.processing import RoboReferProcessor
from robo_refer.model.tiled_processing import TiledProcessor


def load_checkpoint(folder: Path, **options: Any) -> tuple[RoboReferForConditionalGeneration, Any]:
    """Return the model, ready to answer, and the processor of a checkpoint folder.

    That is a `RoboReferProcessor` or, for a converted 2B or 8B, a `TiledProcessor`.

    Args:
        folder: the checkpoint.
        options: passed on to `from_pretrained` of the model.

    Raises:
        RoboReferError: BAD_CHECKPOINT when a file is missing or damaged, or when its weights are
            not exactly the model's: transformers fills what a file lacks with random weights.
    """
    if not folder.is_dir():
        raise _bad_checkpoint(folder, "there is no such folder")
    try:
        tiled = (folder / files.TILING).is_file()
        processor = (TiledProcessor if tiled else RoboReferProcessor).from_pretrained(folder)
        model, report = RoboReferForConditionalGeneration.from_pretrained(
            folder, output_loading_info=True, use_safetensors=True, **options
        )
    except Exception as error:  # each library has its own exceptions for a broken file
        raise _bad_checkpoint(folder, " ".join(str(error).split())) from error
    unmatched = {*report["missing_keys"], *report["unexpected_keys"]}
    if unmatched or report["mismatched_keys"]:
        raise _bad_checkpoint(folder, f"{len(unmatched)} weights are missing or unknown")
    return model.eval(), processor


def _bad_checkpoint(folder: Path, reason: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_CHECKPOINT,
        f"The checkpoint in {folder} cannot be loaded: {reason.rstrip('.')}.",
        "Give a folder written by 'robo-refer train sft', 'model convert' or save_pretrained.",
    )
