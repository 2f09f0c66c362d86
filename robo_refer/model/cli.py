"""`robo-refer model ...`: work on checkpoints."""

from __future__ import annotations

from pathlib import Path

import tyro


def export(checkpoint: Path, out: Path, name: str = "nano") -> None:
    """Write a trained checkpoint as ONNX, for the engine that needs no torch.

    Args:
        checkpoint: folder with safetensors, tokenizer and preprocessing spec.
        out: folder to write to; `robo-refer point --model OUT` then uses it.
        name: what the model calls itself in answers.
    """
    from robo_refer.model.export import export as export_checkpoint

    files = export_checkpoint(checkpoint, out, name)
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    print(f"{out}: {len(files)} files, {size_mb:.1f} MB")


def main(argv: list[str]) -> None:
    """Run `robo-refer model` with the arguments after its name."""
    app = tyro.extras.SubcommandApp()
    app.command(export)
    app.cli(args=argv, prog="robo-refer model", description="Work on checkpoints.")
