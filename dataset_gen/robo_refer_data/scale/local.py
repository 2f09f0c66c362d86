"""Shards in processes of this machine; what a dying worker had in hand is tried once more, alone.

A worker that dies takes its pool with it, and nobody knows which shard killed it. No more shards
are handed out than there are workers, so the suspects are few; each then gets a process of its own.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from robo_refer.errors import RoboReferError
from robo_refer_data.scale.job import Job, Progress, Shards, died, make_shard
from robo_refer_data.scale.workers import made_one, single_threaded_children, start_worker

_LOOK_S = 0.2


def make_here(job: Job, shards: Shards, workers: int, progress: Progress) -> None:
    """Make shards in `workers` processes, each on one thread.

    Raises:
        OSError: a shard could not be written; finished ones are kept.
    """
    waiting = deque(shards)
    suspects: list[int] = []
    with single_threaded_children():
        while waiting:
            suspects += _in_a_pool(job, shards, waiting, workers, progress)
        for shard in suspects:
            if _in_a_pool(job, shards, deque([shard]), 1, progress):
                progress.failures[shard] = died(shard)


def _in_a_pool(
    job: Job, shards: Shards, waiting: deque[int], workers: int, progress: Progress
) -> list[int]:
    """Make shards until none is waiting, or a worker dies; return what the dead one may have had.

    Args:
        job: what to make.
        shards: all of it.
        waiting: shards to make; those handed out are taken from it.
        workers: number of processes.
        progress: is told.
    """
    context = multiprocessing.get_context("spawn")  # fork is unsafe with numba's and BLAS' threads
    done, stop = context.Value("q", 0), context.Event()
    before = progress.finished
    running: dict[Future[RoboReferError | None], int] = {}
    count = min(workers, len(waiting))
    with ProcessPoolExecutor(count, context, start_worker, (done, stop)) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < count:
                    shard = waiting[0]
                    running[pool.submit(_make, job, shard, shards[shard])] = shard
                    waiting.popleft()
                ready, _ = wait(running, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                progress.report(before + done.value)
                for future in ready:
                    _note(future.result(), running[future], shards, progress)
                    del running[future]
        except BrokenProcessPool:
            return list(running.values())
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            progress.report(progress.finished)
    return []


def _note(failure: RoboReferError | None, shard: int, shards: Shards, progress: Progress) -> None:
    if failure is None:
        progress.finished += len(shards[shard])
    else:
        progress.failures[shard] = failure


def _make(job: Job, shard: int, indices: range) -> RoboReferError | None:
    return make_shard(job, shard, indices, made_one)
