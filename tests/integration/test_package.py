"""script/package: what is in the packages, and that the same commit gives the same bytes."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile

import pytest

from node import BINARY, SANITIZER

ROOT = pathlib.Path(__file__).parent.parent.parent
VERSION = (ROOT / "VERSION").read_text().split()[0]
# Also when the repository is somebody else's, whatever git is told in the home folder.
TRUSTED = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
PROGRAM, UNIT = "usr/bin/config-center", "lib/systemd/system/config-center.service"

pytestmark = pytest.mark.skipif(bool(SANITIZER), reason="a program with sanitizers is not what is packed")


def run(*arguments, **more):
    done = subprocess.run([str(argument) for argument in arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{' '.join(map(str, arguments))}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def package(folder, program, **surroundings):
    """script/package, begun in the folder that it writes to; what it keeps for a while goes there, too."""
    (folder / "tmp").mkdir(parents=True)
    kept = {name: value for name, value in os.environ.items() if name not in ("SOURCE_DATE_EPOCH", "TZ", "LC_ALL")}
    variables = {**kept, **TRUSTED, "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), **surroundings}
    return subprocess.Popen([ROOT / "script/package", "--binary", program, "--output", "out"], cwd=folder, env=variables,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Two folders with packages of one program, made in different surroundings, and later."""
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    program = other / "a program"
    shutil.copyfile(BINARY, program)
    program.chmod(0o700)
    runs = [package(one / "x", BINARY),
            package(other / "another folder", program, TZ="Asia/Shanghai", LANG="zh_CN.UTF-8", LC_ALL="C.UTF-8")]
    for one_run in runs:
        said, _ = one_run.communicate()
        assert one_run.returncode == 0, said
    for folder in (one / "x", other / "another folder"):
        assert list((folder / "tmp").iterdir()) == [] and not (folder / "home").exists(), "something is left"
    return one / "x/out", other / "another folder/out"


@pytest.fixture(scope="module")
def architecture():
    return run("dpkg", "--print-architecture").strip()


@pytest.fixture(scope="module")
def unpacked(outputs, architecture, tmp_path_factory):
    """The .tar.gz, unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    run("tar", "-xzf", outputs[0] / f"config-center-{VERSION}-{architecture}.tar.gz", "-C", folder)
    assert [path.name for path in folder.iterdir()] == [f"config-center-{VERSION}"]
    return folder / f"config-center-{VERSION}"


@pytest.fixture(scope="module")
def debian(outputs, architecture):
    return outputs[0] / f"config-center_{VERSION}_{architecture}.deb"


@pytest.fixture(scope="module")
def installed(debian, tmp_path_factory):
    """The .deb, unpacked."""
    folder = tmp_path_factory.mktemp("installed")
    run("dpkg-deb", "-x", debian, folder)
    return folder


def test_the_same_program_gives_the_same_bytes_elsewhere(outputs, architecture):
    names = ["SHA256SUMS", f"config-center-{VERSION}-{architecture}.tar.gz", f"config-center_{VERSION}_{architecture}.deb"]
    for folder in outputs:
        assert sorted(path.name for path in folder.iterdir()) == names
        run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=folder)
    for name in names:
        assert (outputs[0] / name).read_bytes() == (outputs[1] / name).read_bytes(), name


def test_the_program_has_no_path_of_the_folder_that_it_was_built_in(unpacked):
    # With one it would be another one in another folder. Its build ID is of the symbols, too, which are not packed.
    assert str(ROOT).encode() not in (unpacked / "bin/config-center").read_bytes()
    if pathlib.Path(BINARY).parent.name == "release":  # see cmake/Paths.cmake
        assert f"{ROOT}/".encode() not in pathlib.Path(BINARY).read_bytes()


def test_the_manifest_has_every_file(unpacked, architecture):
    manifest = json.loads((unpacked / "manifest.json").read_text())
    assert (manifest["version"], manifest["architecture"]) == (VERSION, architecture)
    assert re.fullmatch(r"[0-9a-f]{40}(-modified)?", manifest["commit"])
    found = {str(path.relative_to(unpacked)): {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
             for path in unpacked.rglob("*") if path.is_file() and path.name != "manifest.json"}
    assert manifest["files"] == found
    assert {"bin/config-center", "share/config-center/config-center.service", "share/config-center/config.yaml",
            "share/bash-completion/completions/config-center", "share/zsh/site-functions/_config-center",
            "share/doc/config-center/LICENSE", "share/doc/config-center/README.md",
            "share/doc/config-center/CHANGELOG.md"} <= found.keys()


def test_archive_members_belong_to_root_and_are_as_old_as_the_commit(outputs, architecture):
    with tarfile.open(outputs[0] / f"config-center-{VERSION}-{architecture}.tar.gz") as archive:
        members = archive.getmembers()
    assert {(member.uid, member.gid, member.uname) for member in members} == {(0, 0, "")}
    assert len({member.mtime for member in members}) == 1
    assert {oct(member.mode) for member in members} == {"0o755", "0o644"}


def test_both_packages_have_the_same_program_and_it_runs(unpacked, installed):
    assert (unpacked / "bin/config-center").read_bytes() == (installed / PROGRAM).read_bytes()
    assert run(installed / PROGRAM, "version") == f"config-center {VERSION}\n"
    assert ".debug_info" not in run("readelf", "-S", installed / PROGRAM)


def test_settings_that_are_installed_are_valid(installed, tmp_path):
    settings = installed / "etc/config-center/config.yaml"
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DATA_DIR": str(tmp_path / "data")}
    assert run(installed / PROGRAM, "config", "check", settings, env=variables).endswith("valid\n")
    # What is commented out there, too, but for the files that it names.
    example = re.sub(r"^# ?(?=( *[a-z_]+:| *- )|$)", "", settings.read_text(), flags=re.M)
    (tmp_path / "config.yaml").write_text(re.sub(r"/etc/config-center", str(tmp_path), example))
    for name in ("raft_secret", "jwt_secret", "encryption_key"):
        (tmp_path / name).write_text(os.urandom(32).hex())
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=node",
        "-keyout", tmp_path / "server.key", "-out", tmp_path / "server.pem")
    shown = run(installed / PROGRAM, "config", "show", tmp_path / "config.yaml", env=variables)
    assert "production" in shown and "2@10.0.0.2:7848" in shown and "server.pem" in shown


def test_the_debian_package_says_what_it_needs_and_what_is_the_operators(debian, installed):
    fields = run("dpkg-deb", "--field", debian)
    assert f"Version: {VERSION}\n" in fields and "Package: config-center\n" in fields
    assert re.search(r"^Depends: adduser, .*\blibc6 \(>= ", fields, re.M) and "libraft" in fields
    control = installed.parent / "control"
    run("dpkg-deb", "--control", debian, control)
    assert (control / "conffiles").read_text() == "/etc/config-center/config.yaml\n"
    for script in ("postinst", "prerm", "postrm"):
        run("sh", "-n", control / script)
        assert not re.search(r"systemctl.*\b(re)?start\b|systemctl.*\benable\b", (control / script).read_text())
    run("md5sum", "--check", "--strict", "--quiet", control / "md5sums", cwd=installed)
    listed = run("dpkg-deb", "--contents", debian).splitlines()
    assert {line.split()[1] for line in listed} == {"root/root"}
    assert (installed / "usr/share/doc/config-center/copyright").exists()


@pytest.mark.parametrize("shell, file", [("bash", "usr/share/bash-completion/completions/config-center"),
                                         ("zsh", "usr/share/zsh/vendor-completions/_config-center")])
def test_completions_are_those_of_the_program(installed, shell, file):
    assert (installed / file).read_text() == run(installed / PROGRAM, "completion", shell)
    run(shell, "-n", installed / file)


def test_the_unit_is_correct_and_leaves_little_exposed(installed, unpacked, tmp_path):
    unit = ROOT / "packaging/config-center.service"
    assert (installed / UNIT).read_bytes() == (unpacked / "share/config-center/config-center.service").read_bytes() == unit.read_bytes()
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze (Debian's package systemd); the unit is not checked")
    copy = tmp_path / "config-center.service"  # with the program where it is here
    copy.write_text(unit.read_text().replace("/usr/bin/config-center", str(installed / PROGRAM)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", unit)


def test_wrong_use_is_refused(tmp_path):
    for arguments, said in ((["--outptu", "x"], "--outptu"), (["--output"], "needs a value"), (["--binary", "/bin/true"], "VERSION says")):
        done = subprocess.run([ROOT / "script/package", *arguments], capture_output=True, text=True, cwd=tmp_path,
                              env={**os.environ, **TRUSTED})
        assert done.returncode != 0 and said in done.stderr
    assert list(tmp_path.iterdir()) == []
