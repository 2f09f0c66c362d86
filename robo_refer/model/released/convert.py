"""Released layout -> a checkpoint of our one architecture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoTokenizer, GenerationConfig, PreTrainedTokenizerBase

from robo_refer import tokens
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.model.released.card import write_card
from robo_refer.model.released.layout import (
    LLM,
    PARTS,
    RGB_OF_DEPTH,
    Layout,
    our_name,
    read_layout,
)
from robo_refer.model.released.output import Conversion, new_folder
from robo_refer.model.released.weights import (
    MAX_SHARD_BYTES,
    Outgoing,
    StoredTensor,
    bad_checkpoint,
    stored_tensors,
    write_weights,
)
from robo_refer.model.tiled_processing import TiledProcessor

EMBEDDING = "model.language_model.embed_tokens.weight"
HEAD = "lm_head.weight"
_MEDIA_WORDS = ("<vila/sentinel>", tokens.IMAGE, "<vila/video>", tokens.DEPTH)
"""What the released code adds to a tokenizer that lacks it, in its order."""

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
}


def convert(
    source: Path,
    out: Path,
    *,
    init_depth: bool = False,
    name: str = "",
    max_shard_bytes: int = MAX_SHARD_BYTES,
) -> Conversion:
    """Write a released checkpoint as one of ours; `out` appears only when it is whole.

    Args:
        source: folder in the released layout.
        out: new folder.
        init_depth: start a depth tower and projector as copies of those for RGB, for an
            NVILA that has none.
        name: what the card calls the source; its folder's name by default.
        max_shard_bytes: size of the files of weights.

    Raises:
        RoboReferError: BAD_CHECKPOINT when the source is not what `layout` and `weights` know,
            or its tensors are not exactly the model's; BAD_FILE when `out` exists.
    """
    layout = read_layout(source)
    if layout.has_depth and init_depth:
        raise bad_checkpoint(
            f"{source} has a depth tower already.", "Use 'robo-refer model convert'."
        )
    if not layout.has_depth and not init_depth:
        raise bad_checkpoint(
            f"{source} has no depth tower: it is a plain NVILA.",
            "Use 'robo-refer model init-depth', which starts one from the RGB tower.",
        )
    tokenizer = _tokenizer(source / LLM)
    stored, notes = _stored(source, layout)
    outgoing, more = _match(stored, layout, len(tokenizer))
    notes += more
    if init_depth:
        notes.append("The depth tower and projector are copies of those for RGB, untrained.")
    with new_folder(out) as folder:
        _write_configs(folder, layout, tokenizer, stored[EMBEDDING].dtype)
        write_weights(folder, outgoing, max_shard_bytes)
        write_card(folder, source, name or source.name, notes)
    return Conversion(len(outgoing), sum(t.size_bytes for t in outgoing), tuple(notes))


def _tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # each library has its own exceptions for a broken file
        raise bad_checkpoint(
            f"The tokenizer in {folder} cannot be read: {' '.join(str(error).split())}.",
            "Download its files again.",
        ) from error
    if tokenizer.chat_template is None:
        raise bad_checkpoint(
            f"The tokenizer in {folder} has no chat template.",
            "The released code cannot load it either: download tokenizer_config.json again.",
        )
    known = tokenizer.get_vocab()
    if lacking := [word for word in _MEDIA_WORDS if word not in known]:
        tokenizer.add_tokens(lacking, special_tokens=True)
    return tokenizer


def _stored(source: Path, layout: Layout) -> tuple[dict[str, StoredTensor], list[str]]:
    """Return our name -> released tensor, for all parts."""
    found: dict[str, StoredTensor] = {}
    for part in PARTS:
        origin = part if layout.has_depth else RGB_OF_DEPTH.get(part, part)
        for name, tensor in stored_tensors(source / origin).items():
            found[our_name(part, name)] = tensor
    notes = []
    if layout.config.tie_word_embeddings and HEAD in found and EMBEDDING in found:
        if not torch.equal(found[HEAD].read(), found[EMBEDDING].read()):
            raise bad_checkpoint(
                "Its head is tied to the embeddings by its configuration, but stored apart from "
                "them with other values.",
                "Say which is right: set tie_word_embeddings in llm/config.json.",
            )
        del found[HEAD]
        notes.append("The head is stored once, as it is tied to the embeddings.")
    return found, notes


def _match(
    stored: dict[str, StoredTensor], layout: Layout, vocabulary: int
) -> tuple[list[Outgoing], list[str]]:
    """Return what is to be written, in the model's order, every tensor accounted for."""
    layout.config.text_config.vocab_size = vocabulary
    with torch.device("meta"):
        expected = RoboReferForConditionalGeneration(layout.config).state_dict()
    if layout.config.tie_word_embeddings:
        del expected[HEAD]
    missing, unknown = expected.keys() - stored.keys(), stored.keys() - expected.keys()
    for names, what in ((missing, "are missing"), (unknown, "have no place in the model")):
        if names:
            raise bad_checkpoint(
                f"{len(names)} tensors {what}: {', '.join(sorted(names)[:3])}.",
                "The configuration and the weights must come from the same checkpoint.",
            )
    outgoing, notes = [], []
    for name, model_tensor in expected.items():
        tensor, shape = stored[name], tuple(model_tensor.shape)
        if name in (EMBEDDING, HEAD) and len(tensor.shape) == 2 and tensor.shape[1] == shape[1]:
            if tensor.shape[0] != vocabulary:
                notes.append(
                    f"{name} has {vocabulary} rows, one a token, instead of {tensor.shape[0]}."
                )
            read = _rows_reader(tensor, vocabulary)
        elif tensor.shape == shape:
            read = tensor.read
        else:
            raise bad_checkpoint(
                f"{tensor.name} in {tensor.file.parent} is {list(tensor.shape)} and should be "
                f"{list(shape)}.",
                "The configuration and the weights must come from the same checkpoint.",
            )
        if tensor.dtype not in _DTYPES:
            raise bad_checkpoint(
                f"{tensor.name} in {tensor.file.parent} holds {tensor.dtype} numbers.",
                "Give the checkpoint as it was before it was quantised.",
            )
        size = model_tensor.numel() * _DTYPES[tensor.dtype].itemsize
        outgoing.append(Outgoing(name, size, read))
    return outgoing, notes


def _rows_reader(tensor: StoredTensor, rows: int) -> Callable[[], torch.Tensor]:
    """Return what reads an embedding with exactly `rows` rows, new ones at the mean of the old.

    The released code does so whenever it loads: a table padded for speed is cut to its tokens,
    and a token added since (`<depth>`, whose own embedding nothing reads) gets a row.
    """

    def read() -> torch.Tensor:
        table = tensor.read()
        if table.shape[0] >= rows:
            return table[:rows]
        mean = table.float().mean(dim=0, keepdim=True).to(table.dtype)
        return torch.cat([table, mean.expand(rows - table.shape[0], -1)])

    return read


def _write_configs(
    folder: Path, layout: Layout, tokenizer: PreTrainedTokenizerBase, dtype: str
) -> None:
    config = layout.config
    config.image_token_id, config.depth_token_id = tokenizer.convert_tokens_to_ids(
        [tokens.IMAGE, tokens.DEPTH]
    )
    config.architectures = [RoboReferForConditionalGeneration.__name__]
    config.dtype = _DTYPES.get(dtype)
    config.save_pretrained(folder)
    TiledProcessor(tokenizer, layout.tiling).save_pretrained(folder)
    # The released code reads no generation_config.json: greedy, and nothing penalised.
    GenerationConfig(
        do_sample=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    ).save_pretrained(folder)
