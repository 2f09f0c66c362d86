"""`robo-refer model ...`: work on checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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


def convert(
    source: Annotated[str, tyro.conf.Positional],
    out: Path,
    reverse: bool = False,
    revision: str = "main",
) -> None:
    """Write a released RoboRefer 2B or 8B as a checkpoint of ours, or ours as a released one.

    Example: robo-refer model convert Zhoues/RoboRefer-2B-SFT --out checkpoints/2b

    Args:
        source: folder in the released layout (llm/, vision_tower/ ...), or its name on the hub.
        out: new folder; `robo-refer point --model OUT` then uses it.
        reverse: the source is ours; write the released layout, which the original code reads.
        revision: of a name on the hub.
    """
    from robo_refer.model.released.convert import convert as to_ours
    from robo_refer.model.released.hub import fetch
    from robo_refer.model.released.restore import restore

    if reverse:
        done = restore(Path(source), out)
    else:
        done = to_ours(fetch(source, revision), out, name=_name(source))
    print(done.report(out))


def init_depth(
    source: Annotated[str, tyro.conf.Positional], out: Path, revision: str = "main"
) -> None:
    """Write a plain NVILA as a checkpoint of ours, its depth tower a copy of the RGB tower.

    That is how RoboRefer's training starts.

    Example: robo-refer model init-depth Efficient-Large-Model/NVILA-Lite-2B --out 2b-start

    Args:
        source: folder of an NVILA without depth, or its name on the hub.
        out: new folder.
        revision: of a name on the hub.
    """
    from robo_refer.model.released.convert import convert as to_ours
    from robo_refer.model.released.hub import fetch

    done = to_ours(fetch(source, revision), out, init_depth=True, name=_name(source))
    print(done.report(out))


def _name(source: str) -> str:
    """Return what a card calls the source: its name on the hub, or that of its folder."""
    return Path(source).resolve().name if Path(source).is_dir() else source


def main(argv: list[str]) -> None:
    """Run `robo-refer model` with the arguments after its name."""
    app = tyro.extras.SubcommandApp()
    app.command(export)
    app.command(convert)
    app.command(init_depth)
    app.cli(
        args=argv,
        prog="robo-refer model",
        description="Work on checkpoints.",
        config=(tyro.conf.FlagCreatePairsOff,),
    )
