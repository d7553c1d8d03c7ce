"""What one config must do when its operations come one after another: the specification that histories are held against."""

from typing import NamedTuple

from history import ABSENT, OK, UNKNOWN


class State(NamedTuple):
    version: int = 0
    revision: int | None = 0  # None: of a release whose revision nobody was told
    content: str | None = None  # None: not there

    def __str__(self):
        what = "nothing" if self.version == 0 else f"version {self.version}, revision {self.revision}"
        return what + (", deleted" if self.version and self.content is None else "")


def step(state, operation):
    """The state after the operation, or None when it cannot have had its outcome in this one."""
    return _steps[operation.kind](state, operation)


def _publish(state, op):
    if op.outcome not in (OK, UNKNOWN):
        return state if _may_refuse(state, op.precondition) else None
    return _next(state, op, state.version + 1, op.content) if _may_permit(state, op.precondition) else None


def _delete(state, op):
    there = state.content is not None
    if op.outcome not in (OK, UNKNOWN):
        return state if not there or _may_refuse(state, op.precondition) else None
    return _next(state, op, state.version, None) if there and _may_permit(state, op.precondition) else None


def _read(state, op):
    if op.content != state.content or op.version not in (None, state.version):
        return None
    if None in (op.revision, state.revision) or op.revision == state.revision:
        return state
    return None


def _next(state, op, version, content):
    if op.version not in (None, version):
        return None
    if op.revision is not None and state.revision is not None and op.revision <= state.revision:
        return None
    return State(version, op.revision, content)


def _may_permit(state, precondition):
    if precondition is None:
        return True
    if precondition == ABSENT:
        return state.content is None
    return state.content is not None and state.revision in (None, precondition)


def _may_refuse(state, precondition):
    if precondition is None:
        return False
    if precondition == ABSENT:
        return state.content is not None
    return state.content is None or state.revision is None or state.revision != precondition


_steps = {"publish": _publish, "delete": _delete, "read": _read}
