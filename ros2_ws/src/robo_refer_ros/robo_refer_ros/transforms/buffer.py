"""The transforms of the last seconds, and where one frame was in another: no ROS in here.

As in tf2: a frame has one parent; between two known moments a transform is interpolated (shift
linearly, rotation spherically); before the first and after the last there is none. The graph of
frames and the interpolation are those of pytransform3d.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left, insort

import numpy as np
from numpy.typing import NDArray
from pytransform3d.transform_manager import TemporalTransformManager, TimeVaryingTransform
from pytransform3d.transformations import pq_slerp, transform_from_pq

Array = NDArray[np.float64]


class LookupFailedError(Exception):
    """A sentence that says why there is no transform."""


class TransformBuffer:
    """Collects transforms and answers where frames were; for several threads.

    Args:
        cache_s: how long transforms are kept, seconds before the newest of their frame.
    """

    def __init__(self, cache_s: float) -> None:
        self._cache_ns = round(cache_s * 1e9)
        self._changed = threading.Condition()
        self._edges: dict[str, _Edge] = {}
        self._graph = TemporalTransformManager(check=False)

    def add(
        self, parent: str, child: str, stamp_ns: int, pq: Array, *, static: bool = False
    ) -> None:
        """Take in where `child` is in `parent`: (x, y, z, qw, qx, qy, qz), metres."""
        with self._changed:
            edge = self._edges.get(child)
            if edge is None or edge.parent != parent or edge.is_static != static:
                self._remove(child)
                edge = self._edges[child] = _Edge(parent, child, static)
                self._graph.add_transform(child, parent, edge)
            edge.add(stamp_ns, pq, self._cache_ns)
            self._changed.notify_all()

    def lookup(self, target: str, source: str, stamp_ns: int, timeout_s: float = 0.0) -> Array:
        """Return the 4x4 `T_target_source` at a moment, waited for at most `timeout_s` seconds.

        Raises:
            LookupFailedError: a frame is unknown, the two are not connected, or the moment lies
                outside of what is known.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                try:
                    return self._lookup(target, source, stamp_ns)
                except LookupFailedError:
                    left_s = deadline - time.monotonic()
                    if left_s <= 0:
                        raise
                    self._changed.wait(left_s)

    def clear(self) -> None:
        """Forget everything but static transforms."""
        with self._changed:
            for child in [edge.child for edge in self._edges.values() if not edge.is_static]:
                self._remove(child)

    def _remove(self, child: str) -> None:
        edge = self._edges.pop(child, None)
        if edge is not None:
            self._graph.remove_transform(child, edge.parent)

    def _lookup(self, target: str, source: str, stamp_ns: int) -> Array:
        if target == source:
            return np.eye(4)
        known = self._edges.keys() | {edge.parent for edge in self._edges.values()}
        for frame in (target, source):
            if frame not in known:
                raise LookupFailedError(f"The frame '{frame}' does not exist.")
        try:
            return np.asarray(self._graph.get_transform_at_time(source, target, stamp_ns))
        except KeyError:
            raise LookupFailedError(
                f"The frames '{target}' and '{source}' are not connected."
            ) from None


class _Edge(TimeVaryingTransform):
    """Where a frame is in its parent, over time. `as_matrix` takes integer nanoseconds."""

    def __init__(self, parent: str, child: str, is_static: bool) -> None:
        self.parent, self.child, self.is_static = parent, child, is_static
        self._stamps: list[int] = []
        self._pqs: dict[int, Array] = {}

    def add(self, stamp_ns: int, pq: Array, cache_ns: int) -> None:
        """Take in one moment; only the newest of a static transform counts."""
        if self.is_static:
            self._stamps.clear()
            self._pqs.clear()
        if self._stamps and stamp_ns < self._stamps[-1] - cache_ns:
            return
        if stamp_ns not in self._pqs:
            insort(self._stamps, stamp_ns)
        self._pqs[stamp_ns] = pq
        while self._stamps[0] < self._stamps[-1] - cache_ns:
            del self._pqs[self._stamps.pop(0)]

    def as_matrix(self, query_time: int) -> Array:
        """Return the 4x4 `T_parent_child` at a moment in nanoseconds."""
        if self.is_static:
            return transform_from_pq(self._pqs[self._stamps[0]])
        after = bisect_left(self._stamps, query_time)
        if after < len(self._stamps) and self._stamps[after] == query_time:
            return transform_from_pq(self._pqs[query_time])
        if after == 0 or after == len(self._stamps):
            raise LookupFailedError(self._outside(query_time))
        before, later = self._stamps[after - 1], self._stamps[after]
        share = (query_time - before) / (later - before)
        return transform_from_pq(pq_slerp(self._pqs[before], self._pqs[later], share))

    def check_transforms(self) -> _Edge:
        """Return itself; what comes in has been checked."""
        return self

    def _outside(self, stamp_ns: int) -> str:
        first, last = self._stamps[0], self._stamps[-1]
        where = f"'{self.child}' in '{self.parent}'"
        if stamp_ns > last:
            gap_s = (stamp_ns - last) / 1e9
            return f"{where} is known up to {gap_s:.3f} s before the image, not at its time."
        gap_s = (first - stamp_ns) / 1e9
        return f"{where} is known from {gap_s:.3f} s after the image on, not at its time."
