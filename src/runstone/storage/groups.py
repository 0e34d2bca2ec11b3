"""
What waits for one commit: jobs, the transactions they share, their answers.

Jobs that call the same storage function may be done as one set: the function
names a sibling that takes many calls at once (`together`), so that a group of
a hundred costs the statements of one.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from operator import attrgetter
from typing import Any, NamedTuple, TypeAlias, TypeVar, TypeVarTuple

from runstone import errors
from runstone.storage.tx import Tx


T = TypeVar("T")
Args = TypeVarTuple("Args")
Many: TypeAlias = Callable[[Tx, Sequence[Any]], Sequence[object]]


class Job(NamedTuple):
    """A call of a storage function that waits for the writer."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    answer: "Future[Any] | asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop | None

    @property
    def run_id(self) -> str:
        """The run that it locks, if it is known to lock no other."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else ""

    def call(self, tx: Tx) -> object:
        """Do what it is there for."""
        return self.fn(tx, *self.args, **self.kwargs)


Outcome: TypeAlias = tuple[Job, object]
"""A job and what it returned, or the error that it raised."""

_siblings: dict[Callable[..., Any], Many] = {}


def together(
    fn: Callable[[Tx, *Args], T],
    many: Callable[[Tx, Sequence[tuple[*Args]]], Sequence[T | errors.RunstoneError]],
) -> None:
    """
    Let *many* do calls of *fn* that are committed together.

    It returns what each call would have returned or raised, had they come one
    after the other; it locks runs in the order of their ids.
    """
    _siblings[fn] = many


def parts(group: Sequence[Job]) -> list[list[Job]]:
    """
    Divide *group* into transactions that lock runs in the order of their ids.

    Two servers that lock the same runs must do so in one order: a deadlock is
    found after a second, and nobody writes meanwhile.  So each set has its
    transaction, and a job that does not say which run it locks has its own.
    """
    sets, others = _sets(group)
    alone = [[job] for job in others if not job.run_id]
    orderly = sorted((job for job in others if job.run_id), key=attrgetter("run_id"))

    return [*sets, *alone, *([orderly] if orderly else [])]


def run_all(tx: Tx, group: Sequence[Job]) -> list[Outcome]:
    """
    Return each job's answer, or the error it raised before it wrote.

    An error after a write spoils the transaction for the others, so it is
    raised, and the caller runs the jobs one by one.
    """
    sets, others = _sets(group)
    outcomes: list[Outcome] = []
    for jobs in sets:
        answers = _siblings[jobs[0].fn](tx, [job.args for job in jobs])
        outcomes.extend(zip(jobs, answers, strict=True))
    for job in others:
        before = tx.changes
        try:
            outcomes.append((job, job.call(tx)))
        except errors.RunstoneError as error:
            if tx.changes != before:
                raise
            outcomes.append((job, error))

    return outcomes


def _sets(group: Sequence[Job]) -> tuple[list[list[Job]], list[Job]]:
    """Return the jobs that can be done as sets, and the others."""
    if len(group) == 1:
        return [], list(group)
    by_function: dict[Callable[..., Any], list[Job]] = {}
    others = []
    for job in group:
        if job.fn in _siblings and not job.kwargs:
            by_function.setdefault(job.fn, []).append(job)
        else:
            others.append(job)
    sets = [jobs for jobs in by_function.values() if len(jobs) > 1]
    others.extend(jobs[0] for jobs in by_function.values() if len(jobs) == 1)

    return sets, others


def tell(outcomes: Iterable[Outcome]) -> None:
    """Answer every job, from any thread, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for job, outcome in outcomes:
        if job.loop is None:
            settle([(job, outcome)])
        else:
            by_loop.setdefault(job.loop, []).append((job, outcome))
    for loop, answers in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(settle, answers)


def settle(outcomes: Iterable[Outcome]) -> None:
    """Answer every job, on its own event loop."""
    for job, outcome in outcomes:
        if job.answer.done():  # whoever asked has gone
            continue
        if isinstance(outcome, Exception):
            job.answer.set_exception(outcome)
        else:
            job.answer.set_result(outcome)
