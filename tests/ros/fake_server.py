"""A real HTTP server of the RoboRefer protocol whose answers a test chooses."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

HANG_LIMIT_S = 60.0


class FakeServer:
    """Answers `POST /query`.

    Attributes:
        answer: what it says.
        body: bytes that it sends instead of JSON, or None.
        asked: set when a question has arrived.
        hangs: whether it keeps questions until `release`.
    """

    def __init__(self, port: int = 0) -> None:
        self.answer, self.body, self.hangs = "[(0.5, 0.5)]", None, False
        self.asked, self._released = threading.Event(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.set()
                if outer.hangs:
                    outer._released.wait(HANG_LIMIT_S)
                body = outer.body or json.dumps({"result": 1, "answer": outer.answer}).encode()
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # the client has gone
                    pass

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def hang(self) -> None:
        """Keep the questions that come from now on."""
        self.asked.clear()
        self._released.clear()
        self.hangs = True

    def release(self) -> None:
        """Answer what was kept."""
        self.hangs = False
        self._released.set()

    def reset(self) -> None:
        """Answer as at first."""
        self.answer, self.body = "[(0.5, 0.5)]", None
        self.release()

    def close(self) -> None:
        """Stop listening."""
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> FakeServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
