"""The decoder of an ONNX checkpoint and its cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray


class OnnxDecoder:
    """Reads and writes one text at a time; its cache stays where it is in memory.

    Args:
        session: of a graph as `robo_refer.model.decoder_graph` describes it.

    Raises:
        ValueError: it is another graph.
    """

    def __init__(self, session: Any) -> None:
        caches = [given for given in session.get_inputs() if given.name.startswith("past_")]
        if not caches:
            raise ValueError("its decoder was written by another version")
        self._session = session
        self._binding = session.io_binding()
        self._logits = np.zeros(session.get_outputs()[0].shape, np.float32)
        # ONNX Runtime works in numpy's memory, and does not keep it: what is bound is kept here.
        self._bound = [ort.OrtValue.ortvalue_from_numpy(self._logits)]
        self._binding.bind_ortvalue_output("logits", self._bound[0])
        for past in caches:
            cache = ort.OrtValue.ortvalue_from_numpy(np.zeros(past.shape, np.float32))
            self._bound.append(cache)
            self._binding.bind_ortvalue_input(past.name, cache)
            self._binding.bind_ortvalue_output(past.name.replace("past", "present"), cache)
        self.room: int = caches[0].shape[2]
        """How many tokens the cache holds."""
        self.length = 0
        """How many tokens have been read. Set to a smaller number, it forgets those behind."""

    def step(self, embeds: NDArray[np.float32]) -> NDArray[np.float32]:
        """Read (new, width) embeddings; return the (vocabulary,) logits behind the last.

        They are a view of memory that the next step writes to.
        """
        self.length += len(embeds)
        given = {
            "inputs_embeds": np.ascontiguousarray(embeds[None]),
            "last_place": np.array([self.length - 1], np.int32),
            "length": np.array([self.length], np.int32),
        }
        for name, array in given.items():
            self._binding.bind_cpu_input(name, array)
        self._session.run_with_iobinding(self._binding)
        return self._logits[0]
