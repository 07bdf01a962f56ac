"""Show a post-mortem stop until the user leaves it, and carry out the replays that are asked for meanwhile."""

from __future__ import annotations

from contextlib import nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fixcont.bytecode.snapshots import forget_snapshot
from fixcont.continuing.ways import Replay, Way
from fixcont.errors import Refused
from fixcont.postmortem.dead import PostMortem
from fixcont.postmortem.replay import Replayed, replay
from fixcont.stopping.serving import one_at_a_time
from fixcont.stopping.stop import Stop

if TYPE_CHECKING:
    from fixcont.postmortem.reopened import Reopened
    from fixcont.session import Session


def serve(session: Session, exception: BaseException | None, traceback: TracebackType | None) -> Any:
    """Show a traceback as a stop. Every answer but a replay leaves it.

    Returns:
        The value of the last replay that gave one, else None.

    Raises:
        Refused: there is no traceback.
        Quit: the user has ended the program at a stop of a replay.
    """
    post = PostMortem(session, exception, traceback)
    front_end = session.front_end
    value = None
    while True:
        way = _show(session, post.stop)
        post = post.holding(way.frame) if isinstance(way, Replay) else post
        refusal = post.refusal_of(way)
        if refusal is not None:
            front_end.refused(refusal)
            continue
        if not isinstance(way, Replay):
            return value
        try:
            outcome = carry_out(session, post, way)
        except Refused as refused:
            front_end.refused(refused.refusal)
            continue
        if outcome.error is None:
            value = outcome.value
        tell = getattr(front_end, "replayed", None)
        if tell is not None:
            tell(outcome)


def serve_opened(session: Session, reopened: Reopened) -> Way:
    """Show a saved stop until the user leaves it; a front end that is to replay loads the present code meanwhile (`Reopened.load`).

    Returns:
        How it was left.

    Raises:
        Quit: the user has ended the program at a stop of a replay.
    """
    front_end = session.front_end
    while True:
        way = _show(session, reopened.stop)
        if not isinstance(way, Replay) or reopened.post is None:
            return way
        reopened.post = reopened.post.holding(way.frame)
        refusal = reopened.post.refusal_of(way)
        if refusal is not None:
            front_end.refused(refusal)
            continue
        try:
            outcome = carry_out(session, reopened.post, way)
        except Refused as refused:
            front_end.refused(refused.refusal)
            continue
        tell = getattr(front_end, "replayed", None)
        if tell is not None:
            tell(outcome)


def _show(session: Session, stop: Stop) -> Way:
    alone = nullcontext() if getattr(session.front_end, "holds_several", False) else one_at_a_time
    with alone, session.at_work():
        try:
            session.expect_edits([*stop.frames[stop.selected :], *stop.frames[: stop.selected]])
            return session.front_end.stopped(stop)
        finally:
            session.expect_none()
            for frame in stop.frames:
                forget_snapshot(frame.raw)


def carry_out(session: Session, post: PostMortem, way: Replay) -> Replayed:
    """Replay a frame, with stops for what fails. Raises as `replay`."""
    with session.replaying():
        return replay(post, way)
