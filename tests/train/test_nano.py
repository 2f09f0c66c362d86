"""How nano's weights start: the tower, and the words for numbers."""

from __future__ import annotations

import pytest
import torch

from robo_refer.data.records import from_row
from robo_refer.metrics import is_hit
from robo_refer.model.tower import ResidualBlock, StandardConv
from robo_refer_train.canvas import OnCanvas
from robo_refer_train.config import SftConfig
from robo_refer_train.dataset import CELL_PX, Classes, Collator, TrainingRows
from robo_refer_train.heads import TrainingModel, token_places
from robo_refer_train.nano import (
    build_model,
    build_processor,
    class_words,
    number_ids,
    opener_ids,
)
from robo_refer_train.packing import Packer
from robo_refer_train.sources import TableSource, load_table


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


def test_the_rank_of_a_cell_is_the_share_of_objects_nearer_than_its_own(
    tiny_config: SftConfig,
) -> None:
    table = load_table(tiny_config.data)
    processor, classes = build_processor(tiny_config, table), Classes.of(table)
    spec = processor.spec
    packer = Packer(processor.tokenizer.backend_tokenizer, spec.image_tokens, spec.depth_tokens)
    source = TableSource(table)
    rows = TrainingRows(
        source, packer, spec, classes, draws=1, seed=0, questions=1, depth_share=1.0
    )
    seen = 0
    for number in range(len(table)):
        sample = from_row(source.row(number, 0))
        objects = sample.objects
        ranks = rows._cells(objects, OnCanvas.of(sample.size, spec))["cell_rank"]
        by_depth = sorted(objects, key=lambda item: item.depth_m)
        for place, item in enumerate(by_depth):
            x, y = item.point_norm
            column, row = int(x * spec.width / CELL_PX), int(y * spec.height / CELL_PX)
            centre = (column + 0.5) * CELL_PX / spec.width, (row + 0.5) * CELL_PX / spec.height
            if not is_hit(centre, item.mask):
                continue  # the cell shows something else
            seen += 1
            rank = ranks[row * (spec.width // CELL_PX) + column]
            assert rank == pytest.approx(place / max(len(objects) - 1, 1))
    assert seen


def test_rows_without_depth_or_points_have_losses(tiny_config: SftConfig) -> None:
    table = load_table(tiny_config.data)
    processor, classes = build_processor(tiny_config, table), Classes.of(table)
    model = build_model(tiny_config, processor.tokenizer)
    numbers, spec = number_ids(processor.tokenizer), processor.spec
    words = class_words(processor.tokenizer, classes)
    training = TrainingModel(
        model, numbers, words, heatmap_weight=1.0, dense_weight=1.0, bin_sigma=1.9
    )
    packer = Packer(processor.tokenizer.backend_tokenizer, spec.image_tokens, spec.depth_tokens)
    side = 8 * tiny_config.merge
    grid = (spec.height // side, spec.width // side)
    collator = Collator(
        range(numbers.first, numbers.first + numbers.bins), opener_ids(processor.tokenizer), grid
    )
    points = set()
    nothing = dict.fromkeys(("direct_colour", "right_of", "absent_name"), 0.0)
    for share, weights in ((0.0, {}), (1.0, {}), (1.0, nothing)):
        rows = TrainingRows(
            TableSource(table),
            packer,
            spec,
            classes,
            draws=12,
            seed=0,
            questions=1,
            depth_share=share,
            weights=weights,
        )
        for number in range(12):
            batch = collator([rows[number]])
            parts = training(**batch)
            assert all(torch.isfinite(value) for value in parts.values())
            assert bool(parts["heatmap"] > 0) == bool(len(batch["point_rows"]))
            assert ("fused" in parts) == (share == 1.0)
            points.add(len(batch["point_rows"]))
    assert {0, 2} <= points  # nothing to point at; one point, looked at before x and before y
