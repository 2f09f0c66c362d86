"""How nano's weights start: the tower, and the words for numbers."""

from __future__ import annotations

import torch

from robo_refer.model.tower import ResidualBlock, StandardConv
from robo_refer_train.config import SftConfig
from robo_refer_train.dataset import load_table
from robo_refer_train.heads import token_places
from robo_refer_train.nano import build_model, build_processor, number_ids


def test_filters_have_no_mean_and_equal_norms_whatever_the_weights() -> None:
    conv = StandardConv(3, 5)
    with torch.no_grad():
        conv.weight.mul_(7.0).add_(2.0)
    flat = conv(torch.ones(1, 3, 8, 8))[0, :, 4, 4]
    assert torch.allclose(flat, torch.zeros(5), atol=1e-3)  # a flat image excites nothing
    noise = conv(torch.randn(4, 3, 64, 64))[:, :, 1:-1, 1:-1]
    assert torch.allclose(noise.std(dim=(0, 2, 3)), conv.gain[:, 0], rtol=0.2)


def test_a_residual_block_starts_as_the_identity() -> None:
    features = torch.rand(2, 4, 6, 6)
    assert torch.equal(ResidualBlock(4)(features), features)


def test_near_numbers_start_alike_and_far_ones_do_not(tiny_config: SftConfig) -> None:
    processor = build_processor(tiny_config, load_table(tiny_config.data))
    model = build_model(tiny_config, processor.tokenizer)
    numbers = number_ids(processor.tokenizer)
    for weight in (model.get_input_embeddings().weight, model.lm_head.weight):
        x = torch.nn.functional.normalize(weight[numbers.first :][: numbers.bins], dim=-1)
        y = torch.nn.functional.normalize(weight[numbers.second :][: numbers.bins], dim=-1)
        assert (x[:-1] * x[1:]).sum(-1).min() > (x[:-80] * x[80:]).sum(-1).mean() + 0.2
        assert (x @ x.T).argmax(dim=-1).tolist() == list(range(numbers.bins))
        assert (x @ y.T).abs().max() < 1e-5  # x is never mistaken for y


def test_token_places_are_the_cells_centres() -> None:
    y, x = token_places((3, 4), 120)
    bins = torch.arange(120) + 0.5
    assert torch.allclose(y.sum(-1), torch.ones(12))
    for token in range(12):
        row, column = divmod(token, 4)
        assert torch.isclose((y[token] * bins).sum(), torch.tensor((row + 0.5) * 40), atol=1.0)
        assert torch.isclose((x[token] * bins).sum(), torch.tensor((column + 0.5) * 30), atol=1.0)
