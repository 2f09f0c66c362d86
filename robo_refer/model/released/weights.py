"""Tensors of a folder, and folders of tensors, one at a time: 8B never lies in memory whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tqdm import tqdm

from robo_refer.errors import ErrorCode, RoboReferError

MAX_SHARD_BYTES = 1_000_000_000
_PICKLES = ("*.bin", "*.pth", "*.pt", "*.ckpt", "*.pkl")


def bad_checkpoint(reason: str, remedy: str) -> RoboReferError:
    """Return BAD_CHECKPOINT with a reason and what to do about it."""
    return RoboReferError(ErrorCode.BAD_CHECKPOINT, reason, remedy)


@dataclass(frozen=True)
class StoredTensor:
    """One tensor on disk: where it is, and what it is without reading it."""

    file: Path
    name: str
    shape: tuple[int, ...]
    dtype: str

    def read(self) -> torch.Tensor:
        with safe_open(self.file, framework="pt") as opened:
            return opened.get_tensor(self.name)


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Return the tensors of a folder's `model.safetensors` or of the shards that its index names.

    Raises:
        RoboReferError: BAD_CHECKPOINT when weights are pickled, missing or damaged.
    """
    found: dict[str, StoredTensor] = {}
    for file in _weight_files(folder):
        try:
            with safe_open(file, framework="pt") as opened:
                for name in opened.keys():  # noqa: SIM118 - not a dict
                    part = opened.get_slice(name)
                    shape = tuple(part.get_shape())
                    found[name] = StoredTensor(file, name, shape, part.get_dtype())
        except (SafetensorError, OSError) as error:
            raise bad_checkpoint(
                f"The weights {file} are damaged: {' '.join(str(error).split())}.",
                "Download this file again.",
            ) from None
    return found


def _weight_files(folder: Path) -> list[Path]:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        except (ValueError, KeyError, AttributeError):
            raise bad_checkpoint(f"The index {index} is damaged.", "Download it again.") from None
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise bad_checkpoint(
                f"{len(missing)} of {len(names)} shards in {folder} are missing: "
                f"{', '.join(missing[:3])}.",
                "Download them too.",
            )
        return [folder / name for name in names]
    single = folder / "model.safetensors"
    if single.is_file():
        return [single]
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if pickles:
        raise bad_checkpoint(
            f"The weights {folder / pickles[0]} are pickled, and reading a pickle can run code.",
            "If you trust them, read them with torch.load(weights_only=True) and write "
            "model.safetensors with safetensors.torch.save_file, then convert that.",
        )
    raise bad_checkpoint(
        f"There are no weights in {folder}.",
        "It should hold model.safetensors, or shards with model.safetensors.index.json.",
    )


@dataclass(frozen=True)
class Outgoing:
    """One tensor to be written: its new name, its size, and how to get it when its turn comes."""

    name: str
    size_bytes: int
    read: Callable[[], torch.Tensor]


def write_weights(
    folder: Path, tensors: Sequence[Outgoing], max_shard_bytes: int = MAX_SHARD_BYTES
) -> None:
    """Write tensors as `model.safetensors`, or as shards with an index; one shard in memory.

    Args:
        folder: where to; it exists.
        tensors: what, in order.
        max_shard_bytes: a shard holds no more, unless it is a single tensor.
    """
    shards: list[list[Outgoing]] = [[]]
    for tensor in tensors:
        if shards[-1] and sum(t.size_bytes for t in shards[-1]) + tensor.size_bytes > (
            max_shard_bytes
        ):
            shards.append([])
        shards[-1].append(tensor)
    names = [f"model-{i + 1:05d}-of-{len(shards):05d}.safetensors" for i in range(len(shards))]
    if len(shards) == 1:
        names = ["model.safetensors"]
    total = sum(tensor.size_bytes for tensor in tensors)
    with tqdm(total=total, unit="B", unit_scale=True, desc=folder.name, disable=None) as bar:
        for name, shard in zip(names, shards, strict=True):
            # Clones: safetensors refuses to write tensors that share a file's memory.
            state = {tensor.name: tensor.read().clone() for tensor in shard}
            save_file(state, folder / name, metadata={"format": "pt"})
            del state
            bar.update(sum(tensor.size_bytes for tensor in shard))
    if len(shards) > 1:
        places = {
            tensor.name: name for name, shard in zip(names, shards, strict=True) for tensor in shard
        }
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
