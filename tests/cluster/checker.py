"""Judges a history: was it that of one config center which lost nothing and never went back?

check(operations, final) → what is wrong, a sentence each; `final` is {key: releases} of the whole history of every
config, read when all nodes were one again. What each check holds is said at its head. A history passes when:

* publishes, deletions and strong reads of each config are linearizable (linearize.py, register.py);
* revisions follow real time across configs, and none is used for two things;
* the final history has everything that was acknowledged, nothing that failed, and nothing twice;
* what watchers were told has no gap, no repeat and no reversal, and reads that asked for a revision had it;
* no node goes back, as long as it runs."""

import bisect
import collections
import dataclasses

from history import FAILED, OK, UNKNOWN, Release
from linearize import linearize


def check(operations, final):
    problems, resolved = [], list(_resolved(operations, final))
    problems += _final_is_what_was_done(operations, final)
    problems += _final_histories_are_whole(final)
    problems += _revisions_are_unique(operations, final)
    problems += _revisions_follow_time(resolved)
    problems += _nodes_never_go_back(operations, final)
    problems += _reads_are_of(operations, final)
    problems += _watches_are_whole(operations, final)
    problems += _is_linearizable(resolved)
    return problems


def _is_linearizable(operations):
    """Each config by itself: when each is linearizable, all of them are together."""
    by_key = collections.defaultdict(list)
    for op in operations:
        if op.mutates or op.kind == "read" and op.outcome == OK:
            by_key[op.key].append(op)
    for key, ops in sorted(by_key.items()):
        if stuck := linearize(ops):
            yield str(stuck)


def _resolved(operations, final):
    """What the final history knows of operations whose client was told nothing: they took effect as that release, or
    never did. That leaves the search little to guess."""
    effects = {release.operation: release for releases in final.values() for release in releases}
    for op in operations:
        if not op.mutates or op.outcome != UNKNOWN:
            yield op
        elif release := effects.get(op.id):
            yield dataclasses.replace(op, version=release.version, revision=release.revision)


def _seen(operations, final):
    """(release, who says so) of everything that anybody was told."""
    for releases in final.values():
        for release in releases:
            yield release, "the final history"
    for op in operations:
        if op.outcome != OK:
            continue
        if op.kind == "watch":
            yield from ((change, op) for change in op.changes)
        elif op.revision:
            content = None if op.kind == "delete" else op.content
            yield Release(op.key, op.version, op.revision, content), op


def _revisions_are_unique(operations, final):
    """A revision is one release of one config, and a version has one revision, and one when it was deleted."""
    by_revision, by_version = {}, {}
    for release, source in _seen(operations, final):
        what = (release.key, release.content)
        first, its_source = by_revision.setdefault(release.revision, (what, source))
        if first != what:
            yield f"revision {release.revision} is two things:\n    {its_source}\n    {source}"
        if release.version is None:
            continue
        first, its_source = by_version.setdefault((release.key, release.version, release.content is None), (release.revision, source))
        if first != release.revision:
            yield f"{release.key} version {release.version} has two revisions:\n    {its_source}\n    {source}"


def _final_histories_are_whole(final):
    """Versions count from 1 without gaps; a deletion has the version of what it deletes; revisions grow."""
    for key, releases in final.items():
        version = 0
        for release in releases:
            if release.version != version + (release.content is not None):
                yield f"in the final history of {key} this comes after version {version}: {release}"
            version = release.version
        for before, after in zip(releases, releases[1:]):
            if before.revision >= after.revision:
                yield f"the final history of {key} goes back: {before}, {after}"


def _final_is_what_was_done(operations, final):
    """What was acknowledged is there as it was acknowledged; what failed is not; nothing is there twice."""
    by_operation = collections.defaultdict(list)
    for releases in final.values():
        for release in releases:
            by_operation[release.operation].append(release)
    for op in operations:
        if not op.mutates:
            continue
        releases = by_operation.pop(op.id, [])
        if len(releases) > 1:
            yield f"took effect {len(releases)} times: {op}"
        if op.outcome == OK and not releases:
            yield f"acknowledged and lost: {op}"
        if op.outcome == FAILED and releases:
            yield f"was refused and took effect as {releases[0]}: {op}"
        for release in releases:
            content = op.content if op.kind == "publish" else None
            if (release.key, release.content) != (op.key, content):
                yield f"took effect as something else, {release}: {op}"
            elif op.outcome == OK and (release.version, release.revision) != (op.version, op.revision):
                yield f"was acknowledged as another version than the final history has, {release}: {op}"
    for releases in by_operation.values():
        yield from (f"nobody has done this: {release}" for release in releases)


def _revisions_follow_time(operations):
    """Whatever changes something after a revision was seen by anybody, of any config, has a larger one; also when only the
    final history tells which. What its client was not told was seen by nobody."""
    told = [op for op in operations if op.outcome == OK]
    ends = sorted(((op.end, seen, op) for op in told if (seen := _newest_seen(op))), key=lambda each: each[0])
    newest, its_op, place = 0, None, 0
    for op in sorted((op for op in operations if op.mutates and op.revision is not None), key=lambda op: op.start):
        while place < len(ends) and ends[place][0] < op.start:
            if ends[place][1] > newest:
                _, newest, its_op = ends[place]
            place += 1
        if op.revision <= newest:
            yield f"revision {newest} was there before this began:\n    {its_op}\n    {op}"


def _nodes_never_go_back(operations, final):
    """What one run of a node has told, it has from then on, for whoever asks; a watcher may be ahead of it."""
    histories = {key: _History(releases) for key, releases in final.items()}
    runs = collections.defaultdict(list)
    for op in operations:
        if op.outcome == OK and op.run is not None:
            runs[op.node, op.run].append(op)
    for ops in runs.values():
        ends = sorted(ops, key=lambda op: op.end)
        newest, its_op, place = 0, None, 0
        for op in sorted(ops, key=lambda op: op.start):
            while ends[place].end < op.start:
                if _newest_had(ends[place]) > newest:
                    newest, its_op = _newest_had(ends[place]), ends[place]
                place += 1
            if op.kind == "watch" and op.until is not None and op.until < newest:
                yield f"the node had revision {newest} before this began:\n    {its_op}\n    {op}"
            if op.kind in ("read", "read_at") and (there := histories.get(op.key, _History([])).at(newest)):
                if there.revision > (op.revision or 0):
                    yield f"the node had {there} before this began:\n    {its_op}\n    {op}"


def _newest_had(op):
    """Of what a node has told, what it must have had: it repeats to a watcher that is ahead of it what that had."""
    until = op.until if op.until is not None and op.until > op.after else 0
    return max([op.revision or 0, until, *(change.revision for change in op.changes)])


def _newest_seen(op):
    return max([op.revision or 0, op.until or 0, *(change.revision for change in op.changes)])


class _History:
    """The final history of one config, to be asked by revision."""

    def __init__(self, releases):
        self._releases = releases
        self._revisions = [release.revision for release in releases]

    def at(self, revision):
        """The release that is the newest at a revision."""
        place = bisect.bisect_right(self._revisions, revision)
        return self._releases[place - 1] if place else None

    def has(self, release):
        place = bisect.bisect_left(self._revisions, release.revision)
        if place == len(self._revisions):
            return False
        there = self._releases[place]
        return (there.revision, there.content) == (release.revision, release.content) and release.version in (None, there.version)


def _reads_are_of(operations, final):
    """Every read, strong or not, is of a release that there is; and none is older than what it asked for."""
    histories = {key: _History(releases) for key, releases in final.items()}
    for op in operations:
        if op.kind not in ("read", "read_at") or op.outcome != OK:
            continue
        history = histories.get(op.key, _History([]))
        if op.revision and not history.has(Release(op.key, op.version, op.revision, op.content)):
            yield f"read what was never there: {op}"
        newest = history.at(op.after)
        if newest and newest.revision > (op.revision or 0):
            yield f"is older than revision {op.after}, at which there was {newest}: {op}"


def _watches_are_whole(operations, final):
    """A watcher is told what there is, newer than what it has (no repeat), in order (no reversal), and everything that
    is the newest at the revision up to which it was told (no gap). What was replaced meanwhile may be left out."""
    histories = {key: _History(releases) for key, releases in final.items()}
    for op in operations:
        if op.kind != "watch" or op.outcome != OK:
            continue
        before = op.after
        told = {}
        for change in op.changes:
            history = histories.get(change.key, _History([]))
            if not _watches(op, change.key):
                yield f"told of {change.key}, which it does not watch: {op}"
            if not history.has(change):
                yield f"told of what was never there, {change}: {op}"
            if change.revision <= op.after:
                yield f"told again of revision {change.revision}: {op}"
            elif change.revision <= before:
                yield f"told of revision {change.revision} after {before}: {op}"
            before = told[change.key] = change.revision
        if op.until is None:
            continue
        if before > op.until:
            yield f"told of revision {before}, beyond {op.until}: {op}"
        for key in histories:
            newest = histories[key].at(op.until) if _watches(op, key) else None
            if newest and newest.revision > op.after and told.get(key, 0) < newest.revision:
                yield f"not told of {newest}: {op}"


def _watches(op, key):
    return key == op.key or op.key.endswith("/") and key.startswith(op.key)
