"""Builds nano's tokenizer: byte-level BPE on the generator's own language."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from robo_refer import tokens


def build_tokenizer(texts: Iterable[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer trained on `texts`.

    Every word is seen with a leading space, also after a token of the grammar, so that "red" in
    an instruction and in a step are the same word; the decoder removes that space after a bracket.
    Being byte-level, it can read any text.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteLevel(), decoders.Fuse(), decoders.Replace(Regex(r"\] \[ "), "] [")]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[
            AddedToken(t, special=True, normalized=False) for t in tokens.CONTROL_TOKENS
        ],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    plain = [t for t in tokens.all_added_tokens() if t not in tokens.CONTROL_TOKENS]
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in plain])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=tokens.PAD,
        eos_token=tokens.END,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
