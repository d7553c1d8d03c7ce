#!/usr/bin/env python3
"""Holds the documentation against the tree: every `src/file.cc: function` of docs/ARCHITECTURE.md exists there, every
relative link leads to a file."""

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


def main():
    pages = [page for page in ROOT.rglob("*.md") if "build" not in page.relative_to(ROOT).parts]
    complaints = [f"docs/ARCHITECTURE.md: {what}" for what in steps_that_are_gone(ROOT / "docs/ARCHITECTURE.md")]
    complaints += [f"{page.relative_to(ROOT)}: {what}" for page in pages for what in links_that_are_broken(page)]
    for complaint in complaints:
        print(complaint)
    print(f"{len(pages)} pages, {len(complaints)} complaints")
    return 1 if complaints or len(pages) < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
