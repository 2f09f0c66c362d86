"""The application: routes, their errors, and the model behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

from fastapi import FastAPI, Response
from fastapi import Request as HttpRequest
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse

from robo_refer.engines.base import Request
from robo_refer.engines.http_call import bearer_key
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry.camera import rays
from robo_refer.geometry.transforms import nearest_rigid
from robo_refer.parsing import format_answer
from robo_refer.referrer import Referrer
from robo_refer.serve import chat
from robo_refer.serve.batcher import Batcher, failed
from robo_refer.serve.config import ServeConfig
from robo_refer.serve.guard import RETRY_AFTER_S, Guard, error_body
from robo_refer.serve.metrics import Metrics
from robo_refer.serve.pictures import depth_of, depth_of_either_kind, rgb_of
from robo_refer.serve.schema import (
    CameraFields,
    ChatRequest,
    ErrorReply,
    QueryReply,
    QueryRequest,
    ReferRequest,
)
from robo_refer.types import Answer, CameraModel, Frame, Referral

STATUS = {
    ErrorCode.BUSY: 429,
    ErrorCode.BACKEND_TIMEOUT: 504,
    ErrorCode.BACKEND_UNREACHABLE: 502,
    ErrorCode.UNPARSABLE_ANSWER: 502,
    ErrorCode.UNKNOWN: 500,
}
"""HTTP status of errors; every other one is the caller's: 400."""

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorReply} for status in (400, 401, 408, 413, 422, 429, 500, 502, 504)
}


def create_app(config: ServeConfig, referrer: Referrer) -> Guard:
    """Return the ASGI application for a model.

    Raises:
        RoboReferError: BAD_REQUEST when the key's environment variable holds none that can be sent.
    """
    metrics = Metrics()
    batcher = Batcher(
        referrer.answer,
        max_batch=config.max_batch,
        max_queue=config.max_queue,
        wait_s=config.batch_wait_ms / 1000.0,
        on_batch=metrics.batch.observe,
    )
    metrics.queue.set_function(lambda: batcher.waiting)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        batcher.start()
        yield
        await batcher.close()

    app = FastAPI(
        title="RoboRefer", summary="Where is it? RGB-D and an instruction in, points out.",
        lifespan=life, responses=_ERRORS,
    )  # fmt: skip
    _report_errors(app)
    _count(app, metrics)
    _add_routes(app, config, referrer.engine.name, batcher)

    @app.get("/metrics", include_in_schema=False)
    async def _metrics() -> Response:
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    return Guard(
        app,
        bearer_key(config.api_key_env),
        max_requests=config.max_queue + config.max_batch,
        max_bytes=int(config.max_body_mb * 2**20),
        timeout_s=config.body_timeout_s,
    )


def _add_routes(app: FastAPI, config: ServeConfig, model: str, batcher: Batcher) -> None:
    async def answer(frame: Frame, instruction: str, reason: bool) -> Referral:
        return await batcher.submit(Request(frame, instruction, reason), config.timeout_s)

    @app.get("/")
    async def hello() -> dict[str, str]:
        """Say what this is."""
        return {"message": "RoboRefer", "model": model, "docs": "/docs"}

    @app.get("/health")
    async def health() -> dict[str, Any]:
        """Say that the server takes requests."""
        return {"status": "ok", "model": model, "waiting": batcher.waiting}

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        """List the one model, as OpenAI's clients ask for it."""
        return {
            "object": "list",
            "data": [{"id": model, "object": "model", "created": 0, "owned_by": "robo-refer"}],
        }

    @app.post("/query")
    async def query(asked: QueryRequest) -> QueryReply:
        """Answer in the protocol of the released RoboRefer server."""
        depth = asked.depth_url[0] if asked.enable_depth and asked.depth_url else None
        frame = await run_in_threadpool(_flat_frame, asked.image_url[0], depth)
        return QueryReply(answer=_text(await answer(frame, asked.text, asked.reason)))

    @app.post("/v1/chat/completions", response_model=None)
    async def completions(asked: ChatRequest) -> dict[str, Any] | StreamingResponse:
        """Answer like an OpenAI-compatible vision model, whole or as a stream."""
        text, image, depth = chat.asked(asked)
        frame = await run_in_threadpool(_flat_frame, image, depth)
        written = _text(await answer(frame, text, asked.reason))
        if asked.stream:
            return StreamingResponse(chat.events(model, written), media_type="text/event-stream")
        return chat.completion(model, written)

    @app.post("/v1/refer")
    async def refer(asked: ReferRequest) -> dict[str, Any]:
        """Answer with everything that is known: pixels, 3D points, covariance, steps."""
        frame = await run_in_threadpool(_frame, asked)
        return (await answer(frame, asked.instruction, asked.think)).as_dict()


def _flat_frame(image: str, depth: str | None) -> Frame:
    """Return a frame for an answer in text, which has no 3D points."""
    rgb = rgb_of(image, "image")
    return Frame(rgb, None if depth is None else depth_of_either_kind(depth, "depth"))


def _frame(asked: ReferRequest) -> Frame:
    rgb = rgb_of(asked.image, "image")
    depth_m = None if asked.depth is None else depth_of(asked.depth, "depth", asked.depth_unit)
    return Frame(rgb, depth_m, None if asked.camera is None else _camera(asked.camera))


def _camera(fields: CameraFields) -> CameraModel:
    """Return the camera, checked: what fails in a batch is asked again with everybody else's."""
    given = fields.model_dump()
    given["distortion"] = tuple(given["distortion"])
    written, pose = given.pop("T_world_cam"), None
    if written is not None:
        is_4x4 = [len(row) for row in written] == [4] * 4
        pose = nearest_rigid(written) if is_4x4 else None
        if pose is None:
            raise RoboReferError(
                ErrorCode.BAD_CAMERA,
                "T_world_cam is not a 4x4 matrix of a rotation and a translation.",
                "Give the pose of the camera's optical frame in the world, metres.",
            )
    camera = CameraModel(**given, T_world_cam=pose)
    rays([(camera.cx, camera.cy)], camera)  # knows which lenses there are
    return camera


def _text(referral: Referral) -> str:
    """Return the answer in the grammar, in the image's coordinates; as written if unreadable."""
    if referral.status == ErrorCode.UNPARSABLE_ANSWER.name.lower():
        return referral.raw_answer
    points = tuple(point.uv_norm for point in referral.points)
    return format_answer(Answer(points, referral.steps))


def _report_errors(app: FastAPI) -> None:
    @app.exception_handler(RoboReferError)
    async def expected(_: HttpRequest, error: RoboReferError) -> JSONResponse:
        status = STATUS.get(error.code, 400)
        headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 429 else None
        return JSONResponse(error_body(error), status, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: HttpRequest, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
        wrong = RoboReferError(
            ErrorCode.BAD_REQUEST, f"{place}: {first['msg']}.", "See /docs for what is expected."
        )
        return JSONResponse(error_body(wrong), 422)

    async def refused(_: HttpRequest, error: Any) -> JSONResponse:
        wrong = RoboReferError(
            ErrorCode.BAD_REQUEST, f"{error.detail}.", "See /docs for what is expected."
        )
        return JSONResponse(error_body(wrong), error.status_code, error.headers)

    for status in (400, 404, 405):  # what FastAPI itself refuses
        app.add_exception_handler(status, refused)

    @app.exception_handler(Exception)
    async def unexpected(_: HttpRequest, __: Exception) -> JSONResponse:
        # Starlette raises it once more when this is sent, and so the log has it.
        return JSONResponse(error_body(failed()), 500)


def _count(app: FastAPI, metrics: Metrics) -> None:
    @app.middleware("http")
    async def count(
        request: HttpRequest, following: Callable[[HttpRequest], Awaitable[Response]]
    ) -> Response:
        start = perf_counter()
        response = await following(request)
        route = request.scope.get("route")
        path = getattr(route, "path", "other")  # never what a caller made up
        metrics.requests.labels(path, str(response.status_code)).inc()
        metrics.seconds.labels(path).observe(perf_counter() - start)
        return response
