"""The Parquet layout of `Sample`, and the note that tells Hugging Face `datasets` how to read it.

One Arrow schema is the source of both: nested structs with real types, images as PNG bytes in the
struct that `datasets.Image` uses. Only `meta` and `tags`, whose keys are free, are JSON text.
"""

from __future__ import annotations

import json
from typing import Any

from robo_refer.errors import missing_package

try:
    import pyarrow as pa
except ImportError as error:
    raise missing_package("pyarrow", "data") from error

_FLOAT = pa.float64()
_INT = pa.int32()
_TEXT = pa.string()
_VECTOR = pa.list_(_FLOAT)
_MATRIX = pa.list_(_VECTOR)
_IMAGE = pa.struct([("bytes", pa.binary()), ("path", _TEXT)])
_RLE = pa.struct([("size", pa.list_(_INT)), ("counts", _TEXT)])

_CAMERA = pa.struct(
    [
        ("width", _INT),
        ("height", _INT),
        ("fx", _FLOAT),
        ("fy", _FLOAT),
        ("cx", _FLOAT),
        ("cy", _FLOAT),
        ("distortion_model", _TEXT),
        ("distortion", _VECTOR),
        ("T_world_cam", _MATRIX),
        ("frame", _TEXT),
    ]
)
_OBJECT = pa.struct(
    [
        ("id", _INT),
        ("name", _TEXT),
        ("colour", _TEXT),
        ("material", _TEXT),
        ("size_m", _VECTOR),
        ("T_world_obj", _MATRIX),
        ("front_obj", _VECTOR),
        ("mask", _RLE),
        ("visible_fraction", _FLOAT),
        ("depth_m", _FLOAT),
        ("point_norm", _VECTOR),
        ("support_id", _INT),
        ("support_kind", _TEXT),
    ]
)
_STEP = pa.struct([("kind", _TEXT), ("target", _TEXT), ("value", _VECTOR)])
_QUESTION = pa.struct(
    [
        ("kind", _TEXT),
        ("family", _TEXT),
        ("hops", _INT),
        ("text", _TEXT),
        ("points", _MATRIX),
        ("steps", pa.list_(_STEP)),
        ("target_ids", pa.list_(_INT)),
        ("mask", _RLE),
        ("step_ids", pa.list_(_INT)),
        ("tags", _TEXT),
        ("reply", _TEXT),
    ]
)
_COLUMNS = (
    ("id", _TEXT),
    ("rgb", _IMAGE),
    ("depth", _IMAGE),
    ("camera", _CAMERA),
    ("objects", pa.list_(_OBJECT)),
    ("questions", pa.list_(_QUESTION)),
    ("source", _TEXT),
    ("meta", _TEXT),
)


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """Describe an Arrow type as `datasets.Features` does (names of datasets >= 4)."""
    if kind == _IMAGE:
        return {"_type": "Image"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    dtype = "float64" if kind == _FLOAT else str(kind)
    return {"dtype": dtype, "_type": "Value"}


def _schema() -> pa.Schema:
    features = {name: _feature(kind) for name, kind in _COLUMNS}
    note = json.dumps({"info": {"features": features}})
    return pa.schema(_COLUMNS, metadata={b"huggingface": note.encode()})


SCHEMA: pa.Schema = _schema()
