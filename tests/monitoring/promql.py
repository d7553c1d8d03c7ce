"""What a PromQL expression names: metrics, with the labels that are asked of each, and the labels that it groups by. Not a
parser: promtool has checked the expression before."""

import dataclasses
import re

# What is followed by a list of labels in parentheses.
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = GROUPING | {"and", "or", "unless", "bool", "offset", "inf", "nan",
                    "sum", "min", "max", "avg", "count", "group", "stddev", "stdvar", "topk", "bottomk", "quantile", "count_values"}

TOKEN = re.compile(r"""
    (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
  | (?P<range>\[[^\]]*\])
  | (?P<variable>\$\w+)
  | (?P<number>\d[\w.]*)
  | (?P<name>[a-zA-Z_:][\w:]*)
  | (?P<sign>=~|!~|!=|==|<=|>=|[-+*/%^<>=(){},@])
  | (?P<blank>\s+)
""", re.X)


@dataclasses.dataclass
class Named:
    metrics: dict  # to the set of labels that are asked of it
    labels: set    # that are grouped by


def tokens_of(expression):
    at, found = 0, []
    while at < len(expression):
        token = TOKEN.match(expression, at)
        assert token, f"not understood: {expression[at:]!r}"
        if token.lastgroup != "blank":
            found.append((token.lastgroup, token.group()))
        at = token.end()
    return found


def list_in(tokens, at, until):
    """The names in a list that begins at `at` with its bracket, without what they are compared with; and where it ends."""
    names = []
    while tokens[at][1] != until:
        if tokens[at][0] == "name":
            names.append(tokens[at][1])
        at += 1
    return names, at


def named_in(expression):
    tokens = tokens_of(expression)
    named = Named({}, set())
    at = 0
    while at < len(tokens):
        kind, word = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        if kind != "name":
            at += 1
        elif word in GROUPING and following == "(":
            labels, at = list_in(tokens, at + 1, ")")
            named.labels |= set(labels)
        elif word.lower() in WORDS or following == "(":
            at += 1  # an operator or a function
        else:
            labels = []
            if following == "{":
                labels, at = list_in(tokens, at + 1, "}")
            named.metrics.setdefault(word, set()).update(labels)
            at += 1
    return named
