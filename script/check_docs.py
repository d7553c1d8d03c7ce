#!/usr/bin/env python3
"""Holds the documentation against the tree: every `src/file.cc: function` of docs/ARCHITECTURE.md exists there, every
relative link leads to a file, and every page docs/X.zh-CN.md says what docs/X.md says, as far as that can be counted."""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def steps_that_are_gone(page):
    for line in page.read_text().splitlines():
        source = None
        for quoted in re.findall(r"`([^`]+)`", line):
            found = re.match(r"(src/[\w/.*]+)(?:: (\S+))?$", quoted)
            if found:
                source = ROOT / found.group(1)
                if not list(ROOT.glob(found.group(1))):
                    yield f"{found.group(1)} does not exist"
                    source = None
            function = found.group(2) if found else quoted
            # The words after a file's function are further functions of that file.
            if source and source.is_file() and function and re.fullmatch(r"[\w:]+", function):
                if not re.search(rf"\b{re.escape(function.split('::')[-1])}\b", source.read_text()):
                    yield f"{source.relative_to(ROOT)} has no {function}"


def links_that_are_broken(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target and not (page.parent / target).exists():
            yield f"there is no {target}"


def differences_of_translation(page, translation):
    """The same examples, the same code in the text, as many headings, items and rows."""
    texts = [path.read_text() for path in (page, translation)]
    blocks = [re.findall(r"^```.*?^```$", text, re.S | re.M) for text in texts]
    if blocks[0] != blocks[1]:
        yield f"its examples are not those of {page.name}"
    prose = [re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M) for text in texts]
    spans = [collections.Counter(re.findall(r"`[^`\n]+`", text)) for text in prose]
    for span in (spans[0] - spans[1]):
        yield f"{page.name} says {span}, and it does not, or not as often"
    for span in (spans[1] - spans[0]):
        yield f"it says {span}, and {page.name} does not, or not as often"
    for what, pattern in (("headings", r"^#+ "), ("items", r"^\* "), ("rows", r"^\|")):
        counts = [len(re.findall(pattern, text, re.M)) for text in prose]
        if counts[0] != counts[1]:
            yield f"it has {counts[1]} {what}, {page.name} has {counts[0]}"


def main():
    pages = [page for page in ROOT.rglob("*.md") if "build" not in page.relative_to(ROOT).parts]
    complaints = [f"docs/ARCHITECTURE.md: {what}" for what in steps_that_are_gone(ROOT / "docs/ARCHITECTURE.md")]
    complaints += [f"{page.relative_to(ROOT)}: {what}" for page in pages for what in links_that_are_broken(page)]
    for translation in (ROOT / "docs").glob("*.zh-CN.md"):
        page = translation.with_name(translation.name.replace(".zh-CN", ""))
        complaints += [f"{translation.relative_to(ROOT)}: {what}" for what in differences_of_translation(page, translation)]
    for complaint in complaints:
        print(complaint)
    print(f"{len(pages)} pages, {len(complaints)} complaints")
    return 1 if complaints or len(pages) < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
