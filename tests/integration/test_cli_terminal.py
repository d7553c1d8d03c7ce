"""The command line at a terminal, and what it does when its output, its files or its server are not as they should be."""

import contextlib
import http.server
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading

import pytest

from authority import Authority
from command import Command
from conftest import log_in
from node import ADMIN_PASSWORD, BINARY, PATIENCE, wait_until
from terminal import Terminal


@pytest.fixture
def cli(command, admin):
    command.variables["CONFIG_CENTER_TOKEN"] = admin.token
    return command


# --- output that cannot be written ---

@pytest.mark.parametrize("arguments", [
    ("get", "KEY"), ("list", "-o", "json"), ("list",), ("export", "dev/APP", "-"), ("audit", "--export", "-"), ("diff", "KEY", "1..2"),
    ("get", "KEY", "--output-file", "-"), ("watch", "KEY", "--initial"), ("publish", "KEY", "--file", "-", "--dry-run"),
    ("config", "reference"), ("config", "show"), ("completion", "bash"), ("--help",), ("get", "--help"), ("--version",), ("version",)],
    ids=" ".join)
def test_output_that_could_not_be_written_is_a_failure(cli, admin, key, app, arguments):
    admin.publish(key, b"a: 1\n")
    admin.publish(key, b"a: 2\n")
    words = [word.replace("KEY", key).replace("APP", app) for word in arguments]

    def run(**more):
        return subprocess.run([BINARY, *words], env=cli.environment(), stderr=subprocess.PIPE, input=b"a: 3\n",
                              timeout=60 * PATIENCE, **more)

    with open("/dev/full", "wb") as full:
        done = run(stdout=full)
    assert done.returncode == 1 and b"standard output: No space left on device" in done.stderr
    done = run(preexec_fn=lambda: os.close(1))
    assert done.returncode == 1 and b"standard output" in done.stderr
    reading, writing = os.pipe()
    os.close(reading)
    done = run(stdout=writing, restore_signals=False)  # SIGPIPE ignored, as some parents leave it
    os.close(writing)
    assert done.returncode == 1 and done.stderr == b"", "who has stopped reading knows it"


# --- files that a person names ---

def test_an_output_file_stays_what_it_is(cli, admin, key, tmp_path):
    admin.publish(key, b"secret: 1\n")
    target, link, private = tmp_path / "target", tmp_path / "link", tmp_path / "private"
    target.write_text("old")
    link.symlink_to(target)
    private.write_text("old")
    private.chmod(0o600)
    for path in (link, private):
        cli("get", key, "--output-file", path)
    assert link.is_symlink() and target.read_text() == "secret: 1\n"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600 and private.read_text() == "secret: 1\n"
    device = os.stat("/dev/null").st_rdev
    cli("get", key, "--output-file", "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode) and os.stat("/dev/null").st_rdev == device
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        cli("get", key, "--output-file", pipe)
        assert reader.communicate(timeout=60 * PATIENCE)[0] == b"secret: 1\n"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert cli("get", key, "--output-file", "-").stdout == "secret: 1\n"
    assert not (cli.home / "-").exists()


def test_new_files_follow_the_umask(cli, admin, key, app, tmp_path):
    admin.publish(key, b"secret: 1\n")
    script = (f'umask 077; {BINARY} export dev/{app} {tmp_path}/out && {BINARY} export dev/{app} {tmp_path}/out.zip && '
              f'{BINARY} get {key} --output-file {tmp_path}/a && {BINARY} audit --export {tmp_path}/audit')
    subprocess.run(["sh", "-c", script], env=cli.environment(), check=True, timeout=60 * PATIENCE)
    made = [tmp_path / name for name in ("out", "out/default", "out/default/application.yaml", "out.zip", "a", "audit")]
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in made} == {path.name: "0o0" for path in made}


def test_a_get_into_a_file_tells_a_program_what_it_wrote(cli, admin, key, tmp_path):
    admin.publish(key, b"a: 1\n")
    told = cli.json("get", key, "--output-file", tmp_path / "out")
    assert told["to"] == str(tmp_path / "out") and told["version"] == 1 and "content" not in told
    assert (tmp_path / "out").read_text() == "a: 1\n"
    assert cli.json("get", key, "--if-none-match", told["revision"]) == {"key": key, "changed": False}


# --- text of others ---

HOSTILE = "evil \x1b[31mred\x1b[0m\nFAKE line\r\a \u202e"


def test_tables_hold_nothing_that_a_terminal_obeys(cli, admin, key, app):
    admin.publish(key, b"a: 1\n", comment=HOSTILE)
    admin.put(f"/v1/applications/{app}", {"description": HOSTILE}, expect=200)
    for arguments in (("list", f"dev/{app}"), ("history", key), ("app", "list"), ("app", "show", app), ("list", "-o", "json"),
                      ("history", key, "-o", "yaml")):
        shown = cli(*arguments).stdout
        assert not set(shown) & set("\x1b\r\a\u202e"), arguments
    assert len(cli("list", f"dev/{app}").stdout.splitlines()) == 2
    assert cli.json("history", key)[0]["comment"] == HOSTILE, "a program gets what was written"


@pytest.mark.parametrize("path,body", [("/v1/applications/APP", {"owner": "a\nb"}), ("/v1/applications/APP", {"department": "a\x1b"}),
                                       ("/v1/users/APP", {"display_name": "\x1b[2J", "password": "a long enough password"})])
def test_names_of_people_hold_no_control_characters(admin, app, path, body):
    admin.put(path.replace("APP", app), body, expect=400)


def test_a_diff_on_a_terminal_shows_control_characters(cli, admin, key):
    key = key.replace(".yaml", ".txt")
    admin.publish(key, b"a\n")
    admin.publish(key, b"a\n\x1b[1A\x1b[2K\rhidden\n")
    for arguments in (("diff", key, "1..2"), ("get", key)):
        terminal = Terminal(cli, *arguments)
        terminal.read_until(lambda shown: "hidden" in shown)
        assert terminal.end() == 0
        assert "\\x1b[1A\\x1b[2K\\rhidden" in terminal.shown
    assert "\x1b[1A\x1b[2K\rhidden" in cli("diff", key, "1..2", binary=True).stdout.decode(), "a program gets what was written"


@pytest.mark.parametrize("how", ["\x03", signal.SIGTERM, signal.SIGHUP, "\x1c"], ids=["^C", "TERM", "HUP", "^\\"])
def test_whatever_ends_a_password_prompt_echo_is_on_again(command, how):
    terminal = Terminal(command, "login", "--username", "admin")
    terminal.read_until(lambda shown: "assword" in shown)
    assert not terminal.echoes()
    if isinstance(how, str):
        terminal.type(how)
    else:
        terminal.process.send_signal(how)
    wait_until(lambda: terminal.process.poll() is not None, "it ends")
    assert terminal.echoes()
    assert terminal.end() == -{"\x03": signal.SIGINT, "\x1c": signal.SIGQUIT}.get(how, how)


def test_a_password_prompt_that_is_stopped_asks_again(command, tmp_path):
    """^Z, and fg: a job of a shell, which this one stands for."""
    leader = tmp_path / "leader.py"
    leader.write_text(textwrap.dedent("""\
        import os, signal, sys, termios
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.execv(sys.argv[1], sys.argv[1:])
        _, status = os.waitpid(child, os.WUNTRACED)
        assert os.WIFSTOPPED(status), status
        print("stopped", "echo on" if termios.tcgetattr(0)[3] & termios.ECHO else "echo off", flush=True)
        os.kill(child, signal.SIGCONT)
        _, status = os.waitpid(child, 0)
        sys.exit(os.waitstatus_to_exitcode(status))
        """))
    terminal = Terminal(command, "login", "--username", "admin", leader=(sys.executable, leader))
    terminal.read_until(lambda shown: "assword" in shown)
    terminal.type("\x1a")
    terminal.read_until(lambda shown: "stopped echo on" in shown and "assword" in shown.partition("stopped echo on")[2])
    assert not terminal.echoes()
    terminal.type(ADMIN_PASSWORD + "\n")
    assert terminal.end() == 0
    assert ADMIN_PASSWORD not in terminal.shown


@pytest.mark.parametrize("answer,status", [("Yes", 0), ("Y", 0), ("no", 1), ("", 1)])
def test_yes_is_yes_however_it_is_written(cli, admin, key, answer, status):
    admin.publish(key, b"a: 1\n")
    terminal = Terminal(cli, "delete", key)
    terminal.read_until(lambda shown: "[y/N]" in shown)
    terminal.type(answer + "\n")
    assert terminal.end() == status


# --- a server that is none of ours ---

@contextlib.contextmanager
def server_that_answers(body, content_type="application/json"):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"3", b'{"items": 1}', b'{"items": [1]}', b"<html></html>", b'{"published": {}, "changes": 1}'])
def test_an_answer_of_another_shape_is_an_error_and_no_crash(tmp_path, body):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("x")
    with server_that_answers(body) as url:
        own = Command(tmp_path / "home", None, CONFIG_CENTER_SERVER=url, CONFIG_CENTER_TOKEN="x")
        key = "dev/shop/default/a"
        for arguments in (("role", "list"), ("import", "dev/shop/default", tmp_path / "folder"), ("watch", key, "--initial", "--once"),
                          ("watch", key, "--once", "--timeout", "1s"), ("cluster", "status"), ("key", "list"), ("user", "list"), ("list",),
                          ("history", key), ("env", "list"), ("app", "cluster", "list"), ("audit",), ("audit", "--export", "-"),
                          ("user", "revoke", "a", "viewer", "--dry-run"), ("key", "create", "shop"), ("publish", key, "--file", "-"),
                          ("export", "dev", tmp_path / "out"), ("whoami",), ("diff", key), ("draft", "list")):
            done = subprocess.run([BINARY, *map(str, arguments)], env=own.environment(), capture_output=True, text=True, input="x",
                                  timeout=60 * PATIENCE)
            assert (done.returncode, bool(done.stderr)) in ((0, False), (1, True)), (arguments, done.stderr)
            assert "terminate" not in done.stderr, (arguments, done.stderr)
        own("login", "-u", "x", "--password-stdin", input="x", expect=1)
        assert not (own.home / ".config").exists()


def test_an_audit_export_that_broke_off_is_a_failure_and_keeps_the_old_file(tmp_path):
    body = b'{"id":1}\n{"id":2}\n{"error":{"code":"unavailable","message":"the disk is gone"}}\n'
    (tmp_path / "audit").write_text("old")
    with server_that_answers(body, "application/x-ndjson") as url:
        own = Command(tmp_path / "home", None, CONFIG_CENTER_SERVER=url)
        done = own("audit", "--export", tmp_path / "audit", expect=1)
        assert "the disk is gone" in done.stderr and "2 audit records" in done.stderr
        assert (tmp_path / "audit").read_text() == "old"
        own("audit", "--export", "-", expect=1)


# --- TLS ---

@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """ca.pem, and server and client certificates that it signed, as files."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = Authority(folder)
    for name in ("server", "client"):
        authority.issue(name)
    return folder


def test_login_keeps_the_files_of_tls(make_node, certificates, tmp_path):
    node = make_node(start=False, server_tls_certificate_file=certificates / "server.pem", server_tls_key_file=certificates / "server.key")
    node.start()
    own = Command(tmp_path / "home", node)
    refused = own("login", "-u", "admin", "--password-stdin", input=ADMIN_PASSWORD, expect=1)
    assert "--ca-file" in refused.stderr
    own("login", "-u", "admin", "--password-stdin", "--ca-file", os.path.relpath(certificates / "ca.pem", own.home), input=ADMIN_PASSWORD)
    assert own.json("whoami", cwd=tmp_path)["name"] == "admin"
    by_variable = Command(tmp_path / "other", node, CONFIG_CENTER_CA_FILE=str(certificates / "ca.pem"))
    assert "log in" in by_variable("whoami", expect=1).stderr.lower()
    untrusting = Command(tmp_path / "third", node)
    assert "--ca-file" in untrusting("watch", "dev/shop", expect=1).stderr, "it does not try for ever"


def test_a_node_that_asks_for_certificates_gets_one(make_node, certificates, tmp_path):
    node = make_node(start=False, server_tls_certificate_file=certificates / "server.pem", server_tls_key_file=certificates / "server.key",
                     server_tls_client_ca_file=certificates / "ca.pem")
    node.start(wait=False)
    wait_until(lambda: any(r["message"] == "serving" for r in node.records()), "it serves")
    port = next(r for r in node.records() if r["message"] == "serving")["address"].rsplit(":", 1)[1]
    own = Command(tmp_path / "home", None, CONFIG_CENTER_SERVER=f"https://127.0.0.1:{port}", CONFIG_CENTER_CA_FILE=str(certificates / "ca.pem"))
    assert "--cert-file" in own("login", "-u", "admin", "--password-stdin", input=ADMIN_PASSWORD, expect=1).stderr
    own("login", "-u", "admin", "--password-stdin", "--cert-file", certificates / "client.pem", "--key-file", certificates / "client.key",
        input=ADMIN_PASSWORD)
    assert own.json("whoami")["name"] == "admin"
    assert own("get", "dev/a/b/c", "--cert-file", certificates / "client.pem", "--key-file", certificates / "server.key", expect=2).stderr
