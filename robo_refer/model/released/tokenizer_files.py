"""Tokenizer files as transformers 4.49's slow Qwen2 tokenizer reads them, which the original uses.

Everything is taken from `tokenizer.json`, the one file that every version writes.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from robo_refer.model.released.weights import bad_checkpoint


def write_tokenizer(source: Path, folder: Path, max_length: int) -> None:
    """Write vocabulary, merges, added words and the chat template of a checkpoint of ours.

    Args:
        source: our checkpoint.
        folder: `llm/` of the released layout; it exists.
        max_length: tokens of a prompt that the model was trained for.

    Raises:
        RoboReferError: BAD_CHECKPOINT when the tokenizer cannot be read or is no byte-level BPE.
    """
    try:
        told = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
        tokenizer = AutoTokenizer.from_pretrained(source)
    except Exception as error:  # each library has its own exceptions for a broken file
        raise bad_checkpoint(
            f"The tokenizer in {source} cannot be read: {' '.join(str(error).split())}.",
            "Copy its files again.",
        ) from error
    model = told["model"]
    if model["type"] != "BPE":
        raise bad_checkpoint(
            f"The tokenizer is a {model['type']}, not the BPE of Qwen2.",
            "The released code reads no other.",
        )
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    (folder / "merges.txt").write_text(
        "\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8"
    )
    _write_json(folder / "vocab.json", model["vocab"])
    added = told["added_tokens"]
    _write_json(folder / "added_tokens.json", {word["content"]: word["id"] for word in added})
    special = {
        "bos_token": tokenizer.bos_token,
        "eos_token": tokenizer.eos_token,
        "pad_token": tokenizer.pad_token,
        "unk_token": tokenizer.unk_token,
    }
    _write_json(
        folder / "special_tokens_map.json",
        {name: word for name, word in special.items() if word is not None},
    )
    _write_json(
        folder / "tokenizer_config.json",
        {
            **special,
            "added_tokens_decoder": {
                str(word["id"]): {name: value for name, value in word.items() if name != "id"}
                for word in added
            },
            "chat_template": tokenizer.chat_template,
            "clean_up_tokenization_spaces": False,
            "errors": "replace",
            "legacy": False,
            "model_max_length": max_length,
            "padding_side": "right",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
        },
    )


def _write_json(path: Path, fields: Any) -> None:
    path.write_text(json.dumps(fields, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
