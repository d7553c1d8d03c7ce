#!/usr/bin/env python3
"""Holds every #include under src/ against cmake/Layers.cmake: which folder may include which, and which third-party
headers stay in the folders that own them and out of what other folders include. Also: nothing detaches a coroutine or
asks the system what time it is behind the back of base/."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
# One way to do each thing: pattern, where it is allowed, what to use instead.
ONE_WAY = [
    (re.compile(r"\basio::detached\b"), (), "TaskGroup::spawn (base/task.h)"),
    (re.compile(r"system_clock::now|\btime\(nullptr\)|gettimeofday"), ("src/base/",), "Clock (base/clock.h)"),
    (re.compile(r"\bstd::regex\b"), (), "plain parsing"),
]


def read_layers():
    text = (ROOT / "cmake/Layers.cmake").read_text()
    values = dict(re.findall(r'^set\((\w+) ?"?([^")]*)"?\)', text, re.M))
    folders = values["CC_FOLDERS"].split()
    allowed = {folder: set(values[f"CC_LAYER_{folder}"].split()) | {folder} for folder in folders}
    owners = {}
    for folder in folders:
        for prefix in values.get(f"CC_EXTERNAL_{folder}", "").split():
            owners.setdefault(prefix, set()).add(folder)
    return allowed, owners


def includes_of(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1)


def headers_that_leak(files, owners):
    """Headers of ours through which a confined third-party header is seen, and which one."""
    ours = {path.relative_to(ROOT / "src").as_posix(): path for path in files if path.suffix == ".h"}
    leaks = {}
    grown = True
    while grown:
        grown = False
        for name, path in ours.items():
            if name in leaks:
                continue
            for _, header in includes_of(path):
                through = header if any(header.startswith(prefix) for prefix in owners) else leaks.get(header)
                if through:
                    leaks[name] = through
                    grown = True
                    break
    return leaks


def main():
    allowed, owners = read_layers()
    complaints = []
    files = sorted(path for path in (ROOT / "src").rglob("*") if path.suffix in (".h", ".cc"))
    leaks = headers_that_leak(files, owners)
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        folder = path.relative_to(ROOT / "src").parts[0]
        if folder == "main.cc":
            continue
        if folder not in allowed:
            complaints.append(f"{name}: src/{folder} is not in cmake/Layers.cmake")
            continue
        is_test = name.endswith("_test.cc")
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for pattern, places, instead in ONE_WAY:
                if pattern.search(line) and not is_test and not name.startswith(places or ("\0",)):
                    complaints.append(f"{name}:{number}: use {instead}")
        for number, header in includes_of(path):
            target = header.split("/")[0]
            if target in allowed and target not in allowed[folder] and "/" in header:
                complaints.append(f"{name}:{number}: {folder} may not include {header}")
            if target in allowed and target != folder and header in leaks:
                complaints.append(f"{name}:{number}: {header} brings in <{leaks[header]}>, which stays in {target}")
            for prefix, folders in owners.items():
                if header.startswith(prefix) and folder not in folders:
                    complaints.append(f"{name}:{number}: only {', '.join(sorted(folders))} may include <{header}>")
    for complaint in complaints:
        print(complaint)
    print(f"{len(files)} files, {len(complaints)} complaints")
    return 1 if complaints or len(files) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
