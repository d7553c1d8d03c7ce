#!/usr/bin/env python3
"""Writes corpus/fuzz_api: for each operation of openapi.json the requests that its examples make: as it stands, with
each query parameter and each header, and by who is not logged in. With --check: are they what is there?"""

import io
import json
import pathlib
import sys
import urllib.parse
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus" / "fuzz_api"
DOCUMENT = json.loads((HERE.parents[1] / "src/api/native/openapi.json").read_text())
METHODS = ("get", "head", "put", "post", "delete")
BETWEEN = b"\x1e"


def resolved(node):
    while "$ref" in node:
        at = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        node = at
    return node


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("default/a.yaml"), "a: 1\n")
        archive.writestr(zipfile.ZipInfo("shop/default/b.json"), '{"b": 2}')
    return out.getvalue()


def body_of(operation):
    """Its media type and its example."""
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        example = content.get("example")
        if media == "application/zip":
            return media, zipped()
        return media.replace("*/*", "text/plain"), example.encode() if isinstance(example, str) else json.dumps(example).encode()
    return None, b""


def text_of(example):
    return str(example).lower() if isinstance(example, bool) else str(example)


def request(method, path, who="admin", query=None, header=None, media=None, body=b""):
    target = path + ("?" + urllib.parse.urlencode(query) if query else "")
    lines = [f"{who} {method.upper()} {target}"]
    if media:
        lines.append(f"Content-Type: {media}")
    if header:
        lines.append("{}: {}".format(*header))
    return "\n".join(lines).encode() + b"\n\n" + body


def seeds():
    for template, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            parameters = [resolved(each) for each in item.get("parameters", []) + operation.get("parameters", [])]
            path = template
            for each in parameters:
                if each["in"] == "path":
                    path = path.replace("{" + each["name"] + "}", urllib.parse.quote(text_of(each["example"])))
            media, body = body_of(operation)
            requests = [request(method, path, media=media, body=body)]
            for each in parameters:
                if each["in"] == "query":
                    requests.append(request(method, path, query={each["name"]: text_of(each.get("example", "x"))}, media=media, body=body))
                elif each["in"] == "header":
                    requests.append(request(method, path, header=(each["name"], text_of(each["example"])), media=media, body=body))
            requests += [request(method, path, who=who, media=media, body=body) for who in ("zhang", "nobody")]
            if template == "/v1/watch":
                requests.append(request(method, path, header=("Accept", "text/event-stream"), media=media, body=body))
            yield operation["operationId"], BETWEEN.join(requests)


def main():
    wanted = dict(seeds())
    if "--check" in sys.argv:
        wrong = [name for name, seed in wanted.items() if not (CORPUS / name).is_file() or (CORPUS / name).read_bytes() != seed]
        if wrong:
            sys.exit(f"not what the examples of openapi.json make: {', '.join(wrong)}; run {__file__}")
        return
    CORPUS.mkdir(parents=True, exist_ok=True)
    for name, seed in wanted.items():
        (CORPUS / name).write_bytes(seed)


main()
