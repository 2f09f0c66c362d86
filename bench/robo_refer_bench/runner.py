"""Ask a model every selected question of a dataset, and score its answers and the controls'."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from robo_refer.data import Sample, read_samples, shard_paths
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics import score_answer
from robo_refer.metrics.controls import CONTROLS, Points, control_points
from robo_refer.referrer import BUNDLED, Referrer
from robo_refer.types import Answer, Frame, Referral
from robo_refer_bench.fingerprint import fingerprint
from robo_refer_bench.predictions import Prediction, PredictionLog, RunSettings
from robo_refer_bench.selection import (
    DepthChoice,
    FrameWork,
    HalfChoice,
    half_of,
    read_depth,
    select,
)

_DIGITS = 6


@dataclass(frozen=True)
class RunOptions:
    """What to ask.

    Attributes:
        half: which scenes.
        depth: whose depth the model sees.
        think: ask for written reasoning.
        limit: how many questions at most, None for all.
    """

    half: HalfChoice = "both"
    depth: DepthChoice = "own"
    think: bool = False
    limit: int | None = None


def run(
    data: Path, model: str, options: RunOptions, out: Path | None = None
) -> tuple[RunSettings, list[Prediction]]:
    """Score a model by name or path; see `run_with`."""
    folder = BUNDLED.get(model, Path(model))
    files = [path for path in folder.glob("*") if path.is_file()]
    if not files:
        Referrer.from_pretrained(model)  # says what is wrong with it
    return run_with(
        data, lambda: Referrer.from_pretrained(model), model, fingerprint(files), options, out
    )


def run_with(
    data: Path,
    load: Callable[[], Referrer],
    model: str,
    model_hash: str,
    options: RunOptions,
    out: Path | None = None,
) -> tuple[RunSettings, list[Prediction]]:
    """Ask every selected question, frame by frame, and return the predictions in order.

    Args:
        data: dataset folder or file.
        load: makes the model; called only when something is left to ask.
        model: its name.
        model_hash: what tells its weights from others'.
        options: what to ask.
        out: JSONL file that is continued where an earlier run with the same settings ended.

    Raises:
        RoboReferError: BAD_FILE, BAD_SAMPLE, BAD_REQUEST (nothing to ask, another run's `out`),
            BAD_CHECKPOINT. What goes wrong with one question is its status, not an error.
    """
    settings = RunSettings(
        model=model,
        model_hash=model_hash,
        data=data.resolve().name,
        data_hash=fingerprint(shard_paths(data)),
        half=options.half,
        depth=options.depth,
        think=options.think,
        limit=options.limit,
        controls=tuple(CONTROLS),
    )
    work = select(data, options.half, options.depth, options.limit)
    log = PredictionLog(out, settings)
    done = {prediction.sample for prediction in log.predictions}
    left = [frame for frame in work if frame.sample_id not in done]
    if left:
        referrer = load()
        total = sum(len(frame.questions) for frame in work)
        # disable=None: no bar where nobody watches.
        with tqdm(total=total, initial=len(log.predictions), unit="q", disable=None) as bar:
            for frame, sample in _samples(data, left):
                log.add(_answer_frame(data, referrer, frame, sample, options.think))
                bar.update(len(frame.questions))
    return settings, log.predictions


def _samples(data: Path, work: Sequence[FrameWork]) -> Iterator[tuple[FrameWork, Sample]]:
    """Stream the samples of the work, which is in the order of the dataset."""
    start = work[0].position
    wanted = {frame.position: frame for frame in work}
    for position, sample in enumerate(read_samples(data, start=start), start=start):
        if position in wanted:
            yield wanted[position], sample
        if position == work[-1].position:
            return


def _answer_frame(
    data: Path, referrer: Referrer, work: FrameWork, sample: Sample, think: bool
) -> list[Prediction]:
    if work.donor is None:
        depth_m = None
    elif work.donor == work.position:
        depth_m = sample.depth_m
    else:
        depth_m = read_depth(data, work.donor)
    # Without a camera the answer stays in 2D, which is all that a hit is about.
    frame = Frame(rgb=sample.rgb, depth_m=depth_m)
    texts = [sample.questions[index].text for index in work.questions]
    referrals = _refer(referrer, frame, texts, think)
    return [
        _prediction(sample, index, len(work.questions), referral)
        for index, referral in zip(work.questions, referrals, strict=True)
    ]


def _refer(referrer: Referrer, frame: Frame, texts: Sequence[str], think: bool) -> list[Referral]:
    """Ask all at once; where that is refused, one by one, so that only the bad one is lost."""
    try:
        return referrer.refer_many(frame, texts, think)
    except RoboReferError as error:
        if error.code is ErrorCode.BAD_CHECKPOINT:
            raise
        if len(texts) > 1:
            return [_refer(referrer, frame, [text], think)[0] for text in texts]
        status = error.code.name.lower()
        return [Referral(texts[0], referrer.engine.name, status, (), (), "", {})]


def _prediction(sample: Sample, index: int, asked: int, referral: Referral) -> Prediction:
    question = sample.questions[index]
    points: Points = tuple(point.uv_norm for point in referral.points)
    controls = control_points(sample, index)
    return Prediction(
        sample=sample.id,
        question=index,
        asked=asked,
        kind=question.kind,
        family=question.family,
        hops=question.hops,
        half=half_of(sample),
        text=question.text,
        tags=dict(question.tags),
        mask=question.mask,
        status=referral.status,
        points=_rounded(points),
        scores=[
            None if point.score is None else round(point.score, _DIGITS)
            for point in referral.points
        ],
        steps=referral.as_dict()["steps"],
        raw_answer=referral.raw_answer,
        hit=score_answer(_answer(points, referral.status), question),
        control_points={name: _rounded(answer) for name, answer in controls.items()},
        control_hits=[
            name for name, answer in controls.items() if score_answer(Answer(answer), question)
        ],
    )


def _answer(points: Points, status: str) -> Answer | None:
    # No points may mean a refusal, which can be right, or an answer that could not be read.
    if not points and status != ErrorCode.NO_TARGET.name.lower():
        return None
    return Answer(points)


def _rounded(points: Points) -> list[list[float]]:
    return [[round(float(x), _DIGITS), round(float(y), _DIGITS)] for x, y in points]
