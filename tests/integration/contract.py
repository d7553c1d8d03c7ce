"""Holds requests and answers against the server's own OpenAPI document."""

import copy
import json
import re

import jsonschema

METHODS = ("get", "head", "put", "post", "delete", "patch", "options")


class Violation(AssertionError):
    pass


class Contract:
    def __init__(self, document):
        self.document = _closed(document)
        self.resolver = jsonschema.RefResolver("", self.document)
        self.operations = {}  # (method, template) → operation
        self.parameters = {}  # the same → parameters, those of the path included
        for template, item in self.document["paths"].items():
            for method, operation in item.items():
                if method not in METHODS:
                    continue
                at = (method.upper(), template)
                self.operations[at] = operation
                self.parameters[at] = [self.resolve(p) for p in
                                       item.get("parameters", []) + operation.get("parameters", [])]
        self.templates = sorted(self.document["paths"], key=_specific_first)
        self.patterns = {template: _pattern(template) for template in self.templates}
        self.seen = set()  # (method, template, status)

    def resolve(self, node):
        while "$ref" in node:
            _, node = self.resolver.resolve(node["$ref"])
        return node

    def template_of(self, path):
        for template in self.templates:
            if self.patterns[template].fullmatch(path):
                return template
        return None

    def check(self, method, path, query, answer):
        """Raises Violation unless the document allows this answer to this request."""
        template = self.template_of(path)
        if template is None:
            if answer.status not in (400, 404):
                raise Violation(f"{method} {path} is not in the document, and answers {answer.status}")
            return self._check_body(f"{method} {path}", _error_response(), answer)
        at = (method, template)
        where = f"{method} {template} → {answer.status}"
        if method == "HEAD" and at not in self.operations:
            at = ("GET", template)
        if at not in self.operations:
            if answer.status not in (405, 400):
                raise Violation(f"{where}: the method is not in the document")
            return None
        operation = self.operations[at]
        response = operation["responses"].get(str(answer.status))
        if response is None:
            raise Violation(f"{where}: the status is not in the document; body: {answer.body[:500]!r}")
        if answer.status < 400:
            known = {p["name"] for p in self.parameters[at] if p["in"] == "query"}
            for name in query:
                if name not in known:
                    raise Violation(f"{where}: the document does not know the query parameter {name!r}")
        self.seen.add((method, template, answer.status))
        response = self.resolve(response)
        self._check_headers(where, response, answer)
        if method != "HEAD":
            self._check_body(where, response, answer)
        return None

    def _check_headers(self, where, response, answer):
        documented = {name.lower(): self.resolve(header) for name, header in response.get("headers", {}).items()}
        for name, header in documented.items():
            value = answer.headers.get(name)
            if value is None:
                if header.get("required"):
                    raise Violation(f"{where}: the header {name} is missing")
                continue
            schema = self.resolve(header.get("schema", {}))
            typed = int(value) if schema.get("type") == "integer" and value.lstrip("-").isdigit() else \
                {"true": True, "false": False}.get(value, value) if schema.get("type") == "boolean" else value
            self._validate(f"{where}: header {name}", schema, typed)
        for name in answer.headers.keys():
            if name.lower().startswith("x-config-") and name.lower() not in documented:
                raise Violation(f"{where}: the header {name} is not in the document")

    def _check_body(self, where, response, answer):
        content = response.get("content", {})
        media_type = answer.headers.get("Content-Type", "").split(";")[0].strip()
        if not content:
            if answer.body:
                raise Violation(f"{where}: the document knows no body, here is one: {answer.body[:200]!r}")
            return
        if media_type not in {m.split(";")[0].strip() for m in content} and "*/*" not in content:
            raise Violation(f"{where}: {media_type!r} is none of the documented media types {sorted(content)}")
        media = next((c for m, c in content.items() if m.split(";")[0].strip() == media_type), content.get("*/*"))
        if media_type == "application/json" and "schema" in media and media is not content.get("*/*"):
            schema = media["schema"]
            if self.resolve(schema).get("type") == "string":
                return  # content of a config that happens to be JSON
            try:
                value = answer.json()
            except ValueError as error:
                raise Violation(f"{where}: not JSON ({error}): {answer.body[:200]!r}") from None
            self._validate(where, schema, value)

    def _validate(self, where, schema, value):
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        errors = sorted(validator.iter_errors(value), key=lambda e: list(map(str, e.path)))
        if errors:
            told = "; ".join(f"{'/'.join(map(str, e.path)) or 'value'}: {e.message}" for e in errors[:5])
            raise Violation(f"{where}: {told}\n{json.dumps(value, ensure_ascii=False)[:1000]}")


def _specific_first(template):
    return [(segment.startswith("{"), segment) for segment in template.split("/")], -len(template)


def _pattern(template):
    """A name may hold '/': the last capture of a template that ends in {name} takes the rest."""
    parts = []
    for segment in template.split("/"):
        if re.fullmatch(r"\{name(\.\.\.)?\}", segment) and template.count("{") >= 4:
            parts.append(".+")
        elif segment.startswith("{"):
            parts.append("[^/]+")
        else:
            parts.append(re.escape(segment))
    return re.compile("/".join(parts))


def _error_response():
    return {"content": {"application/json": {"schema": {
        "type": "object", "required": ["error", "request_id"], "properties": {
            "error": {"type": "object", "required": ["code", "message"]},
            "request_id": {"type": "string"}}}}}}


def _closed(document):
    """A copy in which no object may have members that the document does not name."""
    document = copy.deepcopy(document)

    def close(node):
        if isinstance(node, list):
            for each in node:
                close(each)
        elif isinstance(node, dict):
            if node.get("type") == "object" and "properties" in node and "additionalProperties" not in node:
                node["unevaluatedProperties"] = False
            for name, each in node.items():
                if name == "allOf":
                    node["unevaluatedProperties"] = False
                    for part in each:  # the whole is closed, its parts are not
                        for inner in part.get("properties", {}).values():
                            close(inner)
                else:
                    close(each)

    close(document.get("paths", {}))
    close(document.get("components", {}))
    return document
