"""The fine filter: a vision-language model says whether a picture is fit (paper, section 3.1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from robo_refer.data.images import encode_rgb
from robo_refer.engines.chat_endpoint import ChatEndpoint, image_part, text_part

UNREADABLE = "the judge's answer cannot be read"
UNFIT = "the judge finds it unfit"
_TOKENS = 200
_ASKED = (
    "Is this picture fit for learning where real things are in space? It is not if it is a "
    "painting, a drawing or computer graphics; if it is too dark, blurred, or black and white; if "
    "a lens or an edit distorts it; or if it is pieced together from several pictures. Answer in "
    "one line: what you see in a few words, then a vertical bar, then Yes if it is fit or No. For "
    "example: a kitchen table in daylight | Yes"
)


class Judge:
    """A vision-language model behind an OpenAI-compatible server.

    Args:
        url: address of the server, which usually ends in "/v1".
        model: the model's name on it.
        api_key_env: name of the environment variable with its key, if it needs one.
    """

    def __init__(self, url: str, model: str, api_key_env: str = "") -> None:
        self.model = model
        self._endpoint = ChatEndpoint(url, model, api_key_env=api_key_env)

    def objection(self, rgb: NDArray[np.uint8]) -> str:
        """Return UNFIT, UNREADABLE, or "" for a picture (height, width, 3) that is fit.

        Raises:
            RoboReferError: those of `ChatEndpoint.complete`.
        """
        parts = [image_part(encode_rgb(rgb)), text_part(_ASKED)]
        return read_verdict(self._endpoint.complete(parts, max_tokens=_TOKENS))


def read_verdict(reply: str) -> str:
    """Return what an answer "what is seen | Yes" means, see `Judge.objection`."""
    _, bar, verdict = reply.strip().rpartition("|")
    said = verdict.strip().strip(".*").lower()
    if not bar or said not in ("yes", "no"):
        return UNREADABLE
    return "" if said == "yes" else UNFIT
