"""What clients did and were told, as values: the history that the checker judges."""

import dataclasses
import hashlib
import json
import math

ABSENT = "absent"  # as a precondition: only when the config does not exist

# An operation's outcome. What failed had no effect, for its precondition did not hold or there was nothing to delete;
# what is unknown may take effect at any time from its start on, or never.
OK, FAILED, UNKNOWN = "ok", "failed", "unknown"


def digest(content):
    """What stands for a content in a history."""
    return hashlib.sha256(content).hexdigest()


@dataclasses.dataclass(slots=True, frozen=True)
class Release:
    """One version of a config, or its deletion, which has the version that it deletes and no content."""

    key: str
    version: int
    revision: int
    content: str | None
    operation: str | None = None  # whose release it is; the recorder puts it into the comment


@dataclasses.dataclass(slots=True)
class Operation:
    """One call of one client, repeats under the same request id included. Which fields count is the kind's:

    publish  content, precondition → version, revision
    delete   precondition → version, revision; failed: there was nothing to delete
    read     strong → version, revision, content (None: deleted, or never there when the revision is 0)
    read_at  the same from any node, which must have `after`; 0 asks for nothing
    watch    one config, or a prefix that ends with "/": what is newer than `after` → changes; `until`: all up to there
    """

    id: str
    client: int
    kind: str
    key: str
    start: float
    end: float = math.inf
    outcome: str = UNKNOWN
    content: str | None = None
    precondition: int | str | None = None  # the revision that it must have, or ABSENT
    version: int | None = None
    revision: int | None = None
    after: int = 0
    until: int | None = None
    changes: list[Release] = dataclasses.field(default_factory=list)
    node: int | None = None  # who gave the answer
    run: int | None = None  # and in which run, from a start to its end; None: not known

    @property
    def mutates(self):
        return self.kind in ("publish", "delete")

    def __str__(self):
        asked = {"content": short(self.content) if self.kind == "publish" else None, "if": self.precondition,
                 "after": self.after or None}
        told = {"version": self.version, "revision": self.revision, "until": self.until, "node": self.node,
                "content": short(self.content) if self.kind in ("read", "read_at") else None,
                "changes": [(c.key, c.revision) for c in self.changes] if self.kind == "watch" else None}
        words = [f"{name} {value}" for name, value in {**asked, **told}.items() if value is not None]
        end = "…" if self.end == math.inf else f"{self.end:.4f}"
        return (f"{self.kind} {self.key} by client {self.client} at {self.start:.4f}–{end}: {self.outcome}"
                f"{', ' if words else ''}{', '.join(words)} [{self.id}]")


def short(content):
    return content[:12] if content else content


def save(file, operations, final):
    """A line for each operation and each release, so that a verdict can be looked into later."""
    with open(file, "w") as out:
        for kind, values in (("operation", operations), ("release", (r for each in final.values() for r in each))):
            for value in values:
                out.write(json.dumps({kind: dataclasses.asdict(value)}) + "\n")


def load(file):
    """(operations, final) of what save() wrote."""
    operations, final = [], {}
    with open(file) as lines:
        for line in lines:
            (kind, fields), = json.loads(line).items()
            if kind == "release":
                final.setdefault(fields["key"], []).append(Release(**fields))
            else:
                fields["changes"] = [Release(**change) for change in fields["changes"]]
                operations.append(Operation(**fields))
    return operations, final
