"""Ask a client every item that has no answer yet: several at once where it takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from tqdm import tqdm

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.clients.base import Asked, Client, LoadFrame
from robo_refer_bench.records import Record
from robo_refer_bench.run_log import RunLog, server_failed

GIVE_UP_AFTER = 10
"""So many failures of a server one after the other end a run: it is gone, or none of its kind."""


@dataclass(frozen=True, eq=False)
class Work:
    """Items about one picture, and what is shown with it."""

    items: tuple[Asked, ...]
    load_frame: LoadFrame


def ask_all(work: Sequence[Work], client: Client, log: RunLog) -> None:
    """Ask everything that the log has no record of, and log it as it comes.

    Every item ends as a record: an answer, or a failure with its reason. Calls to `client.ask` are
    bounded by its `workers`; with one worker records come in the order of `work`.

    Raises:
        RoboReferError: what `Client.ask` raises; BACKEND_UNREACHABLE and the like when a server
            failed `GIVE_UP_AFTER` times in a row. What was answered until then is logged.
    """
    done = {(record.suite, record.split, record.id) for record in log.records}
    total = sum(len(picture.items) for picture in work)
    left = list(_left(work, done, client.by_picture))
    failures = _Failures()
    pool = ThreadPoolExecutor(client.workers, thread_name_prefix="ask")
    # disable=None: no bar where nobody watches.
    with tqdm(total=total, initial=len(done), unit="q", disable=None, desc=client.model) as bar:
        try:
            for part, records in _answers(pool, left, client):
                log.add(records)
                bar.update(len(part.items))
                failures.see(records)
                if failures.total:
                    bar.set_postfix(failed=failures.total)
        except BaseException:
            client.close()  # whatever is in flight is not waited for
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _left(
    work: Sequence[Work], done: set[tuple[str, str, str]], by_picture: bool
) -> Iterator[Work]:
    for picture in work:
        items = tuple(asked for asked in picture.items if asked.key not in done)
        if by_picture and items:
            yield Work(items, picture.load_frame)
        elif items:
            yield from (Work((asked,), picture.load_frame) for asked in items)


def _answers(
    pool: ThreadPoolExecutor, work: Sequence[Work], client: Client
) -> Iterator[tuple[Work, list[Record]]]:
    """Yield the records of each part as soon as they are there, few parts being under way."""

    def answer(part: Work) -> list[Record]:
        replies = client.ask(part.items, part.load_frame)
        return [
            reply.record(asked, client) for reply, asked in zip(replies, part.items, strict=True)
        ]

    waiting: dict[Future[list[Record]], Work] = {}
    for part in work:
        waiting[pool.submit(answer, part)] = part
        if len(waiting) >= client.workers:
            yield from _finished(waiting)
    while waiting:
        yield from _finished(waiting)


def _finished(waiting: dict[Future[list[Record]], Work]) -> Iterator[tuple[Work, list[Record]]]:
    finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
    # What raises ends the run, and comes last: answers that are there are kept.
    for future in sorted(finished, key=lambda done: done.exception() is not None):
        yield waiting.pop(future), future.result()


class _Failures:
    """Counts what a server failed to answer, and ends the run when it only fails."""

    def __init__(self) -> None:
        self.total = 0
        self._in_a_row = 0

    def see(self, records: Sequence[Record]) -> None:
        for record in records:
            failed = server_failed(record)
            self.total += failed
            self._in_a_row = self._in_a_row + 1 if failed else 0
            if self._in_a_row >= GIVE_UP_AFTER:
                raise RoboReferError(
                    ErrorCode[record.status.upper()],
                    f"{GIVE_UP_AFTER} questions in a row were not answered: {record.error}",
                    "Everything answered until now is kept: run the same command to go on.",
                )
