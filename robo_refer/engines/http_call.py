"""One way to call a JSON server: time limits, retries, and failures as sentences with a code."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from robo_refer.errors import ErrorCode, RoboReferError

MAX_REPLY_BYTES = 16 * 1024 * 1024
TRY_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Retries:
    """How often a call is tried, and how long is waited in between: doubling, then constant.

    Attributes:
        attempts: calls at most; 1 never retries, as a robot wants it.
        first_wait_s, longest_wait_s: seconds before the second call, and at most. A server's
            `Retry-After` counts instead where it is shorter than the longest wait.
    """

    attempts: int = 4
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0


class HttpCaller:
    """Sends JSON to one server and returns its JSON; may be used by several threads.

    Args:
        url: where the server is, "http://127.0.0.1:8000" or with a path.
        timeout_s: seconds for one whole call, from connecting to the last byte.
        api_key_env: name of the environment variable with the bearer token; "" sends none.
        retries: for servers that are busy, restarting or out of reach.

    Raises:
        RoboReferError: BAD_REQUEST when the address is no http address or the key is missing.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float = 60.0,
        api_key_env: str = "",
        retries: Retries | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self.shown_url = _without_secrets(self._url)
        self._timeout_s = timeout_s
        self._retries = retries or Retries()
        self._client = httpx2.Client(headers=_headers(api_key_env), timeout=timeout_s)

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON that the server answers to the JSON `body`.

        Raises:
            RoboReferError: BACKEND_UNREACHABLE, BACKEND_TIMEOUT, UNPARSABLE_ANSWER (the reply is
                not JSON), or BAD_REQUEST (the server refuses what it was sent).
        """
        wait_s = self._retries.first_wait_s
        for attempt in range(1, self._retries.attempts + 1):
            try:
                return self._post_once(path, body)
            except _TryAgain as again:
                if attempt == self._retries.attempts:
                    raise again.error from again
                asked_s = wait_s if again.wait_s is None else again.wait_s
                time.sleep(min(asked_s, self._retries.longest_wait_s))
                wait_s *= 2
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, "No attempt is allowed.", "Allow at least one attempt."
        )

    def close(self) -> None:
        """Close the connections; a call in flight fails at once with BACKEND_UNREACHABLE."""
        self._client.close()

    def _post_once(self, path: str, body: Any) -> Any:
        deadline = time.monotonic() + self._timeout_s
        sent = json.dumps(body).encode()  # in ASCII, whatever the text holds
        try:
            with self._client.stream("POST", f"{self._url}{path}", content=sent) as response:
                content = self._read(response, deadline)
        except httpx2.TimeoutException as error:
            raise _TryAgain(self._timed_out()) from error
        except httpx2.DecodingError as error:
            raise RoboReferError(
                ErrorCode.UNPARSABLE_ANSWER,
                f"{self.shown_url} answers, but what it compressed cannot be read.",
                "Check the address, and what stands between here and the server.",
            ) from error
        # RuntimeError: closed meanwhile; UnicodeError: a name that no host can have.
        except (httpx2.TransportError, RuntimeError, UnicodeError) as error:
            reason = _short(str(error) or type(error).__name__)
            raise _TryAgain(self._unreachable(f"cannot be reached: {reason}")) from error
        self._check(response, content)
        try:
            return json.loads(content)
        except ValueError as error:
            raise RoboReferError(
                ErrorCode.UNPARSABLE_ANSWER,
                f"{self.shown_url} answers, but not in JSON: {_short(content)!r}.",
                "Check the address and path: a web page often answers where no such server is.",
            ) from error

    def _read(self, response: httpx2.Response, deadline: float) -> bytes:
        """Return the body; the limits hold also for a server that sends a byte now and then."""
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if time.monotonic() > deadline:
                raise _TryAgain(self._timed_out())
            if len(content) > MAX_REPLY_BYTES:
                raise RoboReferError(
                    ErrorCode.UNPARSABLE_ANSWER,
                    f"{self.shown_url} sends more than {MAX_REPLY_BYTES // 2**20} MiB.",
                    "Check the address: this is no answer to a question.",
                )
        return bytes(content)

    def _check(self, response: httpx2.Response, content: bytes) -> None:
        status = response.status_code
        if status < 300:
            return
        said = f"answers {status}: {_short(content)!r}"
        if status in TRY_AGAIN:
            raise _TryAgain(self._unreachable(said), _retry_after_s(response))
        if status in (401, 403):
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{self.shown_url} {said}.",
                "Name the environment variable that holds the server's key.",
            )
        if status < 400:
            raise self._unreachable(f"redirects ({status})")
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"{self.shown_url} {said}.", "Check the address and the request."
        )

    def _unreachable(self, what: str) -> RoboReferError:
        return RoboReferError(
            ErrorCode.BACKEND_UNREACHABLE,
            f"{self.shown_url} {what}.",
            "Check that the server runs and that the address is right.",
        )

    def _timed_out(self) -> RoboReferError:
        return RoboReferError(
            ErrorCode.BACKEND_TIMEOUT,
            f"{self.shown_url} did not answer within {self._timeout_s:g} s.",
            "Allow more time, or ask less at once.",
        )


class _TryAgain(Exception):  # noqa: N818 - not an error yet
    """This attempt failed in a way that the next may not."""

    def __init__(self, error: RoboReferError, wait_s: float | None = None) -> None:
        self.error, self.wait_s = error, wait_s
        super().__init__(str(error))


def bearer_key(environment_name: str) -> str:
    """Return the key in an environment variable; "" for the name "".

    Raises:
        RoboReferError: BAD_REQUEST when it holds none, or one that no HTTP header can carry.
    """
    if not environment_name:
        return ""
    key = os.environ.get(environment_name, "")
    if not key:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The environment variable {environment_name} holds no key.",
            f"Set it, for example: export {environment_name}=...",
        )
    if not (key.isascii() and key.isprintable() and key == key.strip()):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The key in {environment_name} has characters that no HTTP header carries.",
            "Set it to the key alone, without line breaks or spaces around it.",
        )
    return key


def _headers(api_key_env: str) -> dict[str, str]:
    key = bearer_key(api_key_env)
    return {"Content-Type": "application/json"} | (
        {"Authorization": f"Bearer {key}"} if key else {}
    )


def _without_secrets(url: str) -> str:
    """Return the address without user and password.

    Raises:
        RoboReferError: BAD_REQUEST when it is no http address.
    """
    wrong = RoboReferError(
        ErrorCode.BAD_REQUEST,
        "The server's address is not an http address, or has a query.",
        "Write it like http://127.0.0.1:8000.",
    )
    try:
        parts, port, _ = urlsplit(url), urlsplit(url).port, httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL):
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise wrong
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


def _retry_after_s(response: httpx2.Response) -> float | None:
    try:
        return max(0.0, float(response.headers.get("retry-after", "")))
    except ValueError:  # absent, or a date
        return None


def _short(text: str | bytes) -> str:
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(plain.split())[:_SHOWN_CHARACTERS]
