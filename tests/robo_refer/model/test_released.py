"""Released layout to ours and back: every tensor, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from nvila_fixture import KINDS, released
from safetensors.torch import load_file, save_file

from robo_refer.cli.main import main
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer.model.released.convert import convert
from robo_refer.model.released.hub import fetch
from robo_refer.model.released.layout import PARTS, our_name, read_layout, released_name
from robo_refer.model.released.restore import restore
from robo_refer.model.released.weights import stored_tensors


def copy_of(kind: str, folder: Path) -> Path:
    """Return a copy that may be damaged: the fixtures themselves are read-only."""
    copy = folder / "released"
    shutil.copytree(released(kind), copy, copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return copy


def edit(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back_every_tensor_is_the_same(kind: str, tmp_path: Path) -> None:
    there = convert(released(kind), tmp_path / "ours", max_shard_bytes=300_000)
    assert len(list((tmp_path / "ours").glob("*.safetensors"))) > 3, "it was to be sharded"
    back = restore(tmp_path / "ours", tmp_path / "back")
    assert there.tensors == back.tensors
    assert there.notes == ()
    for part in PARTS:
        before, after = (
            load_file(root / part / "model.safetensors")
            for root in (released(kind), tmp_path / "back")
        )
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)
    before, after = (
        json.loads((root / "config.json").read_text())
        for root in (released(kind), tmp_path / "back")
    )
    steering = [key for key in after if not key.endswith("_cfg")]
    assert {key: before[key] for key in steering} == {key: after[key] for key in steering}
    again, first = read_layout(tmp_path / "back"), read_layout(released(kind))
    assert (again.tiling, again.has_depth) == (first.tiling, first.has_depth)
    for file in ("vocab.json", "added_tokens.json"):
        before, after = (
            json.loads((root / "llm" / file).read_text())
            for root in (released(kind), tmp_path / "back")
        )
        assert before == after
    merges = [
        (root / "llm" / "merges.txt").read_text().split("\n")[1:]
        for root in (released(kind), tmp_path / "back")
    ]
    assert merges[0] == merges[1]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_trained_further_goes_back_too(kind: str, tmp_path: Path) -> None:
    convert(released(kind), tmp_path / "ours")
    model, processor = load_checkpoint(tmp_path / "ours")
    with torch.no_grad():
        model.model.depth_projector.layers[1].bias += 1
    model.save_pretrained(tmp_path / "trained", max_shard_size="400kB")
    processor.save_pretrained(tmp_path / "trained")
    restore(tmp_path / "trained", tmp_path / "back")
    changed = []
    for part in PARTS:
        before = load_file(released(kind) / part / "model.safetensors")
        for name, tensor in stored_tensors(tmp_path / "back" / part).items():
            if not torch.equal(before.pop(name), tensor.read()):
                changed.append((part, name))
        assert not before
    assert changed == [("depth_projector", "layers.2.bias")]


@pytest.mark.parametrize("kind", KINDS)
def test_names_map_one_to_one(kind: str) -> None:
    for part in PARTS:
        for name in stored_tensors(released(kind) / part):
            assert released_name(our_name(part, name)) == (part, name)


def plain_nvila(folder: Path) -> Path:
    """Return the 2B fixture as it would be before RoboRefer added depth to it."""
    plain = copy_of("lite2b", folder)
    for part in ("depth_tower", "depth_projector"):
        shutil.rmtree(plain / part)
    top = json.loads((plain / "config.json").read_text())
    for key in [key for key in top if "depth" in key]:
        del top[key]
    (plain / "config.json").write_text(json.dumps(top))
    for file, table in (("tokenizer.json", "added_tokens"), ("added_tokens.json", None)):
        path = plain / "llm" / file
        fields = json.loads(path.read_text())
        if table:
            fields[table] = [word for word in fields[table] if word["content"] != "<depth>"]
        else:
            del fields["<depth>"]
        path.write_text(json.dumps(fields))
    config = json.loads((plain / "llm" / "tokenizer_config.json").read_text())
    del config["added_tokens_decoder"]["708"]
    (plain / "llm" / "tokenizer_config.json").write_text(json.dumps(config))
    weights = load_file(plain / "llm" / "model.safetensors")
    weights["model.embed_tokens.weight"] = weights["model.embed_tokens.weight"][:708].clone()
    save_file(weights, plain / "llm" / "model.safetensors", metadata={"format": "pt"})
    edit(plain / "llm" / "config.json", vocab_size=708)
    return plain


def test_depth_starts_as_a_copy_of_rgb(tmp_path: Path) -> None:
    plain = plain_nvila(tmp_path)
    with pytest.raises(RoboReferError, match="init-depth"):
        convert(plain, tmp_path / "no")
    done = convert(plain, tmp_path / "start", init_depth=True)
    assert len(done.notes) == 2  # the new row, and that depth is untrained
    model, processor = load_checkpoint(tmp_path / "start")
    inner = model.model
    for rgb, depth in (
        (inner.vision_tower, inner.depth_tower),
        (inner.vision_projector, inner.depth_projector),
    ):
        pairs = zip(rgb.state_dict().values(), depth.state_dict().values(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)
    assert processor.tokenizer.convert_tokens_to_ids("<depth>") == 708
    assert model.config.depth_token_id == 708
    table = inner.get_input_embeddings().weight
    torch.testing.assert_close(table[708], table[:708].mean(dim=0))
    with pytest.raises(RoboReferError, match="already"):
        convert(released("lite2b"), tmp_path / "no", init_depth=True)


def _pickled(folder: Path) -> None:
    (folder / "llm" / "model.safetensors").rename(folder / "llm" / "pytorch_model.bin")


def _shard_missing(folder: Path) -> None:
    (folder / "llm" / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "llm" / "model.safetensors.index.json").write_text(json.dumps(index))


def _wrong_shape(folder: Path) -> None:
    edit(folder / "vision_tower" / "config.json", intermediate_size=96)


def _more_layers(folder: Path) -> None:
    edit(folder / "llm" / "config.json", num_hidden_layers=3)


def _fewer_layers(folder: Path) -> None:
    edit(folder / "llm" / "config.json", num_hidden_layers=1)


def _truncated(folder: Path) -> None:
    path = folder / "depth_tower" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


def _no_part(folder: Path) -> None:
    shutil.rmtree(folder / "depth_projector")


def _no_template(folder: Path) -> None:
    path = folder / "llm" / "tokenizer_config.json"
    fields = json.loads(path.read_text())
    del fields["chat_template"]
    path.write_text(json.dumps(fields))


def _field(file: str, **fields: Any) -> Callable[[Path], None]:
    return lambda folder: edit(folder / file, **fields)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_pickled, "pickle"),
        (_shard_missing, "shards"),
        (_wrong_shape, "should be"),
        (_more_layers, "missing"),
        (_fewer_layers, "no place"),
        (_truncated, "damaged"),
        (_no_part, "depth_projector"),
        (_no_template, "chat template"),
        (_field("mm_projector/config.json", mm_projector_type="resampler"), "resampler"),
        (_field("config.json", model_type="qwen2_vl"), "qwen2_vl"),
        (_field("config.json", image_aspect_ratio="resize"), "image_aspect_ratio"),
        (_field("config.json", mm_vision_select_feature="patch"), "mm_vision_select_feature"),
        (_field("config.json", use_depth_tower=False), "RGB tower"),
        (_field("config.json", image_encoder='{"_target_": "a.TSPVideoEncoder"}'), "image_encoder"),
        (_field("llm/config.json", model_type="llama"), "llama"),
        (_field("config.json", mm_vision_select_layer=None), "is wrong"),
        (_field("config.json", image_encoder="{"), "is wrong"),
        (_field("config.json", image_aspect_ratio="dynamic_s2", s2_scales=None,
                s2_resize_output_to_scale_idx=-1), "is wrong"),
    ],
)  # fmt: skip
def test_what_is_not_whole_or_not_known_is_refused(
    damage: Callable[[Path], None], says: str, tmp_path: Path
) -> None:
    source = copy_of("lite2b", tmp_path)
    damage(source)
    with pytest.raises(RoboReferError, match=says) as caught:
        convert(source, tmp_path / "ours")
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT
    assert [path.name for path in tmp_path.iterdir()] == ["released"], "nothing half done stays"


def _cut(folder: Path, name: str) -> None:
    path = folder / name
    path.write_text(path.read_text()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda folder: _cut(folder, "config.json"), "configuration"),
        (lambda folder: _cut(folder, "robo_refer_tiling.json"), "configuration"),
        (_field("config.json", merge=5), "not that of a converted"),
        (lambda folder: _cut(folder, "tokenizer.json"), "tokenizer"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "tokenizer"),
    ],
)
def test_a_damaged_checkpoint_of_ours_is_not_written_back(
    damage: Callable[[Path], None], says: str, tmp_path: Path
) -> None:
    convert(released("lite2b"), tmp_path / "ours")
    damage(tmp_path / "ours")
    with pytest.raises(RoboReferError, match=says) as caught:
        restore(tmp_path / "ours", tmp_path / "back")
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT
    assert [path.name for path in tmp_path.iterdir()] == ["ours"], "nothing half done stays"


def test_a_head_apart_from_the_embeddings_it_is_tied_to_is_refused(tmp_path: Path) -> None:
    source = copy_of("lite2b", tmp_path)
    path = source / "llm" / "model.safetensors"
    weights = load_file(path)
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"].clone()
    save_file(weights, path, metadata={"format": "pt"})
    assert "tied" in convert(source, tmp_path / "same").notes[0]
    weights["lm_head.weight"][3] += 1
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(RoboReferError, match="tied"):
        convert(source, tmp_path / "other")


def test_rows_that_no_token_has_are_left_out_and_named(tmp_path: Path) -> None:
    source = copy_of("s2_8b", tmp_path)
    path = source / "llm" / "model.safetensors"
    weights = load_file(path)
    for name in ("lm_head.weight", "model.embed_tokens.weight"):
        weights[name] = torch.cat([weights[name], torch.ones(11, weights[name].shape[1])])
    save_file(weights, path, metadata={"format": "pt"})
    edit(source / "llm" / "config.json", vocab_size=720)
    done = convert(source, tmp_path / "ours")
    assert len(done.notes) == 2
    assert all("instead of 720" in note for note in done.notes)
    assert load_checkpoint(tmp_path / "ours")[0].lm_head.weight.shape[0] == 709
    assert "instead of 720" in (tmp_path / "ours" / "README.md").read_text()


def test_the_card_names_source_and_licence(tmp_path: Path) -> None:
    source = copy_of("lite2b", tmp_path)
    convert(source, tmp_path / "silent", name="Somebody/model-2b")
    (source / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n# A model\n")
    convert(source, tmp_path / "stated", name="Somebody/model-2b")
    silent, stated = ((tmp_path / name / "README.md").read_text() for name in ("silent", "stated"))
    assert "Somebody/model-2b" in silent
    assert "names no licence" in silent
    assert "license: cc-by-nc-4.0" in stated


def test_the_commands_convert_and_refuse_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "ours")
    main(["model", "convert", str(released("lite2b")), "--out", out])
    assert "152 tensors" in capsys.readouterr().out
    main(["model", "convert", out, "--reverse", "--out", str(tmp_path / "back")])
    for wrong in (["export", "--checkpoint", out], ["convert", "--reverse", str(tmp_path)]):
        with pytest.raises(SystemExit) as caught:
            main(["model", *wrong, "--out", str(tmp_path / "no")])
        assert caught.value.code == 2
    with pytest.raises(SystemExit) as caught:
        main(["model", "convert", str(released("lite2b")), "--out", out])
    assert caught.value.code == 2
    assert "exists already" in capsys.readouterr().err


def test_what_is_neither_folder_nor_name_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RoboReferError) as caught:
        fetch("no such folder")
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no route\nto host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(RoboReferError) as caught:
        fetch("owner/name")
    assert caught.value.code is ErrorCode.BACKEND_UNREACHABLE
    assert "\n" not in str(caught.value)
