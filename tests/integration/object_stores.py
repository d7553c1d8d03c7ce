"""Object stores of a test's own. Each checks who asks with code that is not ours: OpenStack Swift's for S3, the Azure SDK's for a
shared key, google-auth's for what a service account signs."""

import base64
import hashlib
import http.server
import json
import pathlib
import re
import subprocess

import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import botocore.session
import google.auth.jwt
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy
from botocore.config import Config

from faulty_proxy import Handler
from node import DIES_WITH_THE_TEST
from ports import Ports

BUCKET = "backups"


class Swift:
    """A process of its own; its bucket is there. Speaks as S3 does, in any region that is given."""

    USER, KEY = "test:tester", "testing"

    def __init__(self, folder, type="s3", region="us-east-1"):
        self.type, self.region, self._ports = type, region, Ports()
        self.port = self._ports.take()
        self._process = subprocess.Popen(
            [*DIES_WITH_THE_TEST, "/usr/bin/python3", pathlib.Path(__file__).with_name("swift_server.py"), folder, str(self.port), region],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout.readline() == "ready\n", "Swift did not start"
        self.client.create_bucket(Bucket=BUCKET)

    @property
    def client(self):
        """botocore's."""
        return botocore.session.get_session().create_client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name=self.region, aws_access_key_id=self.USER,
            aws_secret_access_key=self.KEY, config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}))

    def names(self):
        return sorted(item["Key"] for item in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", ()))

    def put(self, name, content):
        self.client.put_object(Bucket=BUCKET, Key=name, Body=content)

    def uploads(self):
        return self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])

    def settings(self, port):
        return {"type": self.type, "endpoint": f"http://127.0.0.1:{port}", "region": self.region, "credentials": f"{self.USER} {self.KEY}"}

    def close(self):
        self._process.kill()
        self._process.communicate()
        self._ports.close()


class _InMemory:
    """Objects by name, in this process; subclasses answer(handler, body)."""

    def __init__(self):
        self.objects, store = {}, self

        class Asked(Handler):
            def handle_one(self, body):
                store.answer(self, body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asked)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def names(self):
        return sorted(self.objects)

    def put(self, name, content):
        self.objects[name] = content

    def uploads(self):
        return []  # the store forgets them by itself

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def give(self, handler, name, wanted):
        """The object, or the range of it that is wanted."""
        content = self.objects.get(name)
        if content is None:
            return handler.reply(404, {}, b"<Error><Code>NotFound</Code><Message>there is none</Message></Error>")
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted or "")
        if not found:
            return handler.reply(200, {"Content-Length": str(len(content))}, content)
        first, last = map(int, found.groups())
        if first >= len(content):
            return handler.reply(416)
        return handler.reply(206, {"Content-Range": f"bytes {first}-{min(last, len(content) - 1)}/{len(content)}"}, content[first:last + 1])


class Azure(_InMemory):
    """As much of the Blob Storage as is needed, at /ACCOUNT, with a shared key or a shared access signature."""

    ACCOUNT, SAS = "account", "sv=2021-06-08&sig=c2lnbmVk%2Fby%2Btests"
    KEY = base64.b64encode(bytes(range(64))).decode()

    def __init__(self, with_sas=False):
        self.with_sas, self.blocks = with_sas, {}
        super().__init__()

    def settings(self, port):
        endpoint = f"BlobEndpoint=http://127.0.0.1:{port}/{self.ACCOUNT}"
        if self.with_sas:
            return {"type": "azure", "credentials": f"{endpoint};SharedAccessSignature={self.SAS}"}
        return {"type": "azure", "credentials": f"AccountName={self.ACCOUNT};AccountKey={self.KEY};{endpoint}"}

    def _is_known(self, handler, query):
        if self.with_sas:
            return all(query.get(name) == values[0] for name, values in urllib.parse.parse_qs(self.SAS).items()) and "Authorization" not in handler.headers
        url = f"http://{handler.headers['Host']}{handler.path}"
        request = HttpRequest(handler.command, url, headers={name.lower(): value for name, value in handler.headers.items() if name != "Authorization"})
        request.query = {name: urllib.parse.quote(value) for name, value in query.items()}
        SharedKeyCredentialPolicy(self.ACCOUNT, self.KEY).on_request(PipelineRequest(request, PipelineContext(None)))
        return request.headers["Authorization"] == handler.headers["Authorization"]

    def answer(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        if not self._is_known(handler, query):
            return handler.reply(403, {}, b"<Error><Code>AuthenticationFailed</Code><Message>the signature is wrong</Message></Error>")
        assert parts.path.startswith(f"/{self.ACCOUNT}/{BUCKET}")
        name = urllib.parse.unquote(parts.path[len(f"/{self.ACCOUNT}/{BUCKET}/"):])
        if query.get("comp") == "list":
            return self._list(handler, query)
        if handler.command == "PUT":
            return self._put(handler, name, query, body)
        if handler.command == "DELETE":
            return handler.reply(202 if self.objects.pop(name, None) is not None else 404)
        return self.give(handler, name, handler.headers.get("x-ms-range"))

    def _list(self, handler, query):
        """Two at a time."""
        names = [name for name in self.names() if name.startswith(query["prefix"]) and name > query.get("marker", "")]
        blobs = "".join(f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{len(self.objects[name])}</Content-Length></Properties></Blob>"
                        for name in names[:2])
        more = names[1] if len(names) > 2 else ""
        handler.reply(200, {}, f"<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>{more}</NextMarker></EnumerationResults>".encode())

    def _put(self, handler, name, query, body):
        sum_of = base64.b64encode(hashlib.md5(body).digest()).decode()
        if handler.headers["Content-MD5"] != sum_of:
            return handler.reply(400, {}, b"<Error><Code>Md5Mismatch</Code><Message>it arrived otherwise</Message></Error>")
        if query.get("comp") == "block":
            self.blocks[name, query["blockid"]] = body
        elif query.get("comp") == "blocklist":
            self.objects[name] = b"".join(self.blocks[name, each.text] for each in ElementTree.fromstring(body))
        else:
            assert handler.headers["x-ms-blob-type"] == "BlockBlob"
            self.objects[name] = body
        return handler.reply(201, {"Content-MD5": sum_of})


class Google(_InMemory):
    """As much of Google's Cloud Storage as is needed, and what gives out tokens; `valid` are those that hold."""

    EMAIL = "backups@project.iam.example"

    def __init__(self, folder):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=backups", "-days", "2",
                        "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"], check=True, capture_output=True)
        self._key, self._certificate = ((folder / name).read_text() for name in ("key.pem", "certificate.pem"))
        self.valid, self.given, self._uploads = {}, 0, {}
        super().__init__()

    def settings(self, port):
        account = {"type": "service_account", "client_email": self.EMAIL, "private_key_id": "one", "private_key": self._key,
                   "token_uri": f"http://127.0.0.1:{self.port}/token"}
        return {"type": "gcs", "endpoint": f"http://127.0.0.1:{port}", "credentials": json.dumps(account)}

    def answer(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        if parts.path == "/token":
            return self._token(handler, body)
        if "upload_id" in query:
            return self._go_on(handler, query["upload_id"], body)
        if self.valid.get(handler.headers.get("Authorization", "").removeprefix("Bearer "), 0) < time.time():
            return self._reply(handler, 401, {"error": {"message": "the token is unknown or has expired"}})
        objects = f"/b/{BUCKET}/o"
        if parts.path == "/upload/storage/v1" + objects:
            if query["uploadType"] == "resumable":
                upload = str(len(self._uploads))
                self._uploads[upload] = [query["name"], b""]
                return handler.reply(200, {"Location": f"http://{handler.headers['Host']}/session?upload_id={upload}"})
            return self._made(handler, query["name"], body)
        if parts.path == "/storage/v1" + objects:
            return self._list(handler, query)
        name = urllib.parse.unquote(parts.path[len("/storage/v1" + objects) + 1:])
        if handler.command == "DELETE":
            return handler.reply(204 if self.objects.pop(name, None) is not None else 404)
        return self.give(handler, name, handler.headers.get("Range"))

    def _reply(self, handler, status, what):
        handler.reply(status, {"Content-Type": "application/json"}, json.dumps(what).encode())

    def _token(self, handler, body):
        asked = dict(urllib.parse.parse_qsl(body.decode()))
        try:
            claim = google.auth.jwt.decode(asked["assertion"], certs={"one": self._certificate}, audience=f"http://127.0.0.1:{self.port}/token")
        except ValueError as wrong:
            return self._reply(handler, 400, {"error": "invalid_grant", "error_description": str(wrong)})
        assert claim["iss"] == self.EMAIL and "devstorage" in claim["scope"] and asked["grant_type"].endswith("jwt-bearer")
        self.given += 1
        self.valid[f"token-{self.given}"] = time.time() + 3600
        return self._reply(handler, 200, {"access_token": f"token-{self.given}", "expires_in": 3600, "token_type": "Bearer"})

    def _go_on(self, handler, upload, body):
        name, has = self._uploads[upload]
        first, last, size = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)", handler.headers["Content-Range"]).groups()
        if body:
            assert int(last) - int(first) + 1 == len(body) and int(first) <= len(has)
            has = self._uploads[upload][1] = has[:int(first)] + body
        if len(has) == int(size):
            return self._made(handler, name, has)
        return handler.reply(308, {"Range": f"bytes=0-{len(has) - 1}"} if has else {})

    def _made(self, handler, name, content):
        self.objects[name] = content
        self._reply(handler, 200, {"name": name, "size": str(len(content)), "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode()})

    def _list(self, handler, query):
        """Two at a time."""
        names = [name for name in self.names() if name.startswith(query["prefix"]) and name > query.get("pageToken", "")]
        answer = {"items": [{"name": name, "size": str(len(self.objects[name]))} for name in names[:2]]}
        self._reply(handler, 200, {**answer, **({"nextPageToken": names[1]} if len(names) > 2 else {})})
