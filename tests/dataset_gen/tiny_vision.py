"""Tiny random models of the classes that the source `web` names, saved as folders."""

from __future__ import annotations

from pathlib import Path

import torch
import transformers as tf

SIDE = 64
WORDS = ("mug", "box", "banana", "drill", "bottle", "can")
_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", *WORDS)
_SWIN = {
    "image_size": SIDE, "embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 1, 1],
    "window_size": 2, "out_features": ["stage2", "stage3", "stage4"],
}  # fmt: skip


def save_detector(folder: Path) -> str:
    """Save a Grounding DINO; return its folder."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(_TOKENS))
    config = tf.GroundingDinoConfig(
        backbone_config=tf.SwinConfig(**_SWIN),
        text_config=tf.BertConfig(
            vocab_size=len(_TOKENS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16,
        ),
        d_model=32, encoder_layers=1, decoder_layers=2, encoder_ffn_dim=32, decoder_ffn_dim=32,
        encoder_attention_heads=2, decoder_attention_heads=2, num_queries=12,
        num_feature_levels=3, max_text_len=64,
    )  # fmt: skip
    tf.GroundingDinoForObjectDetection(config).save_pretrained(folder)
    tokenizer = tf.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    size = {"shortest_edge": SIDE, "longest_edge": 2 * SIDE}
    tf.GroundingDinoProcessor(_grounding_images(size), tokenizer).save_pretrained(folder)
    return str(folder)


def _grounding_images(size: dict[str, int]) -> object:
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
        GroundingDinoImageProcessorPil,
    )

    return GroundingDinoImageProcessorPil(size=size)


def save_segmenter(folder: Path) -> str:
    """Save a SAM; return its folder."""
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    torch.manual_seed(0)
    config = tf.SamConfig(
        vision_config=tf.SamVisionConfig(
            hidden_size=16, output_channels=8, num_hidden_layers=1, num_attention_heads=2,
            image_size=SIDE, patch_size=8, mlp_dim=16, window_size=2,
            num_pos_feats=4, global_attn_indexes=[0],
        ).to_dict(),
        prompt_encoder_config={
            "hidden_size": 8, "image_size": SIDE, "patch_size": 8, "mask_input_channels": 4,
        },
        mask_decoder_config={
            "hidden_size": 8, "mlp_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "iou_head_hidden_dim": 16, "attention_downsample_rate": 1,
        },
    )  # fmt: skip
    tf.SamModel(config).save_pretrained(folder)
    images = SamImageProcessorPil(
        size={"longest_edge": SIDE}, pad_size={"height": SIDE, "width": SIDE}
    )
    tf.SamProcessor(images).save_pretrained(folder)
    return str(folder)


def save_depth(folder: Path, metric: bool = True) -> str:
    """Save a Depth Anything; return its folder."""
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

    torch.manual_seed(0)
    config = tf.DepthAnythingConfig(
        backbone_config=tf.Dinov2Config(
            hidden_size=16, num_hidden_layers=4, num_attention_heads=2, mlp_ratio=2,
            image_size=SIDE, patch_size=16, out_features=["stage1", "stage2", "stage3", "stage4"],
            reshape_hidden_states=False,
        ),
        reassemble_hidden_size=16, patch_size=16, neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8, head_hidden_size=4,
        depth_estimation_type="metric" if metric else "relative", max_depth=2 if metric else None,
    )  # fmt: skip
    tf.DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    DPTImageProcessorPil(size=size).save_pretrained(folder)
    return str(folder)


def save_tagger(folder: Path) -> str:
    """Save a CLIP; return its folder."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    vocabulary = {
        token: k
        for k, token in enumerate(
            (
                *"abcdefghijklmnopqrstuvwxyz",
                *(f"{c}</w>" for c in "abcdefghijklmnopqrstuvwxyz"),
                "<|startoftext|>",
                "<|endoftext|>",
            )
        )
    }
    tokenizer = tf.CLIPTokenizerFast(vocab=vocabulary, merges=[], model_max_length=77)
    ends = {"bos_token_id": len(vocabulary) - 2, "eos_token_id": len(vocabulary) - 1}
    small = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    config = tf.CLIPConfig(
        text_config={
            **small,
            **ends,
            "vocab_size": len(vocabulary),
            "pad_token_id": ends["eos_token_id"],
            "max_position_embeddings": 77,
        },
        vision_config={**small, "image_size": SIDE, "patch_size": 16},
        projection_dim=8,
    )
    tf.CLIPModel(config).save_pretrained(folder)
    images = CLIPImageProcessorPil(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    tf.CLIPProcessor(images, tokenizer).save_pretrained(folder)
    return str(folder)
