"""From a layout to the triangles that a renderer draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray
from robo_refer_data.assets.mesh import Mesh
from robo_refer_data.assets.palette import Surface
from robo_refer_data.render import RenderScene
from robo_refer_data.render.textures import TEXTURES
from robo_refer_data.scenes.layout import Layout

CLEAR_GLOSS = 0.6  # glass is glossier than this, whatever else a glass thing has is not
_TEXTURE_INDEX = {name: index for index, name in enumerate(TEXTURES)}


def assemble(layout: Layout) -> RenderScene:
    """Return the scene's triangles, looks and light, for its camera."""
    pieces = _Pieces()
    for prop in layout.props:
        pieces.add(prop.mesh, prop.surface, prop.T_world_prop, 1.0, 0, prop.is_surface, False)
    for placed in layout.objects:
        glass = placed.asset.material == "glass"
        for part in placed.asset.parts:
            # labels, caps and flowers are as opaque as ever
            clear = glass and part.surface.gloss > CLEAR_GLOSS and part.surface.texture == "plain"
            place = (placed.T_world_obj, placed.scale)
            pieces.add(part.mesh, part.surface, *place, placed.id, False, clear)
    return pieces.scene(layout)


class _Pieces:
    """Collects meshes and joins them once."""

    def __init__(self) -> None:
        self.vertices: list[FloatArray] = []
        self.local: list[FloatArray] = []
        self.faces: list[NDArray[np.int32]] = []
        self.looks: list[tuple[float, ...]] = []
        self.textures: list[int] = []
        self.instances: list[int] = []
        self.surfaces: list[bool] = []
        self.clear: list[bool] = []
        self.images: list[tuple[int, int, int]] = []
        self.texels: list[NDArray[np.float32]] = []
        self.texel_count = 0
        self.vertex_count = 0

    def add(
        self,
        mesh: Mesh,
        surface: Surface,
        T_world_part: FloatArray | None,
        scale: float,
        instance: int,
        is_surface: bool,
        is_clear: bool,
    ) -> None:
        """Add one part; its texture is centred on it and scales with it."""
        points = mesh.vertices
        if surface.image is not None and mesh.uv is not None:
            self.local.append(np.pad(mesh.uv, ((0, 0), (0, 1))))
            self._add_image(surface.image)
        else:
            self.local.append(points - (points.min(axis=0) + points.max(axis=0)) / 2)
            self.images.append((0, 0, 0))
        if T_world_part is not None:
            points = (scale * points) @ T_world_part[:3, :3].T + T_world_part[:3, 3]
        self.vertices.append(points)
        self.faces.append(mesh.faces + self.vertex_count)
        self.vertex_count += len(points)
        colours = (*surface.colour, *surface.second)
        self.looks.append((*colours, surface.scale_m, surface.gloss, surface.metal))
        self.textures.append(_TEXTURE_INDEX[surface.texture])
        self.instances.append(instance)
        self.surfaces.append(is_surface)
        self.clear.append(is_clear)

    def _add_image(self, image: NDArray[np.uint8]) -> None:
        height, width = image.shape[:2]
        self.images.append((self.texel_count + 1, width, height))  # texel 0 is nobody's
        self.texels.append(_LINEAR_BYTE[image.reshape(-1, 3)])
        self.texel_count += width * height

    def scene(self, layout: Layout) -> RenderScene:
        """Join everything."""
        looks = np.array(self.looks, dtype=np.float32)
        looks[:, :6] = _linear(looks[:, :6])
        counts = [len(faces) for faces in self.faces]
        return RenderScene(
            vertices=np.concatenate(self.vertices).astype(np.float32),
            local=np.concatenate(self.local).astype(np.float32),
            faces=np.concatenate(self.faces).astype(np.int32),
            face_part=np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            part_looks=looks,
            part_texture=np.array(self.textures, dtype=np.int32),
            part_image=np.array(self.images, dtype=np.int32),
            texels=np.concatenate([np.zeros((1, 3), np.float32), *self.texels]),
            part_instance=np.array(self.instances, dtype=np.int32),
            part_surface=np.array(self.surfaces, dtype=bool),
            part_clear=np.array(self.clear, dtype=bool),
            lighting=layout.lighting,
            camera=layout.camera,
        )


def _linear(srgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return linear light for sRGB values in [0, 1] (IEC 61966-2-1)."""
    low, high = srgb / 12.92, ((np.maximum(srgb, 0.04) + 0.055) / 1.055) ** 2.4
    return np.where(srgb <= 0.04045, low, high).astype(np.float32)


_LINEAR_BYTE = _linear(np.linspace(0, 1, 256, dtype=np.float32))
