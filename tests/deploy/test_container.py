"""What the installation in containers is made of: the golden files of src/deploy/container_test.cc, held against the schema
of the compose specification and against what no schema says."""

import json
import pathlib
import re
import shutil
import subprocess

import jsonschema
import pytest
import yaml

from machine import cannot

HERE = pathlib.Path(__file__).parent
GOLDEN = HERE / "golden/container"
SCHEMA = json.loads((HERE / "compose-spec.json").read_text())
INSTALLATIONS = sorted(path.name for path in GOLDEN.iterdir())


def errors_of(compose):
    validator = jsonschema.Draft7Validator(SCHEMA)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(compose)]


@pytest.fixture(params=INSTALLATIONS)
def folder(request):
    return GOLDEN / request.param


@pytest.fixture
def compose(folder):
    return yaml.safe_load((folder / "compose.yaml").read_text())


@pytest.fixture
def services(compose):
    return compose["services"]


def test_there_is_a_single_node_and_a_whole_installation():
    assert INSTALLATIONS == ["full", "single"]


# --- the compose file ---

def test_the_compose_file_is_one_by_the_specification(compose):
    assert errors_of(compose) == []


def test_the_specification_refuses_a_misspelt_key(compose, services):
    service = next(iter(services.values()))
    service["healthchek"] = service.pop("healthcheck")
    assert any("healthchek" in error for error in errors_of(compose))


def test_no_port_of_the_host_is_published_twice(services):
    published = [(port.split("/")[0].split(":")[-2], port.partition("/")[2] or "tcp")
                 for service in services.values() for port in service.get("ports", [])]
    assert published and len(published) == len(set(published)), published


def test_only_the_api_and_what_the_topology_publishes_can_be_reached_from_elsewhere(services):
    for name, service in services.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:") or name.startswith(("config-center", "haproxy")), (name, port)


def test_whatever_a_service_depends_on_is_there_and_has_a_health_check_if_that_is_waited_for(services):
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services and other != name
            assert how["condition"] in ("service_started", "service_healthy")
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other]


def test_secrets_and_volumes_that_services_use_are_there_and_all_are_used(compose, services):
    secrets = {secret for service in services.values() for secret in service.get("secrets", [])}
    assert secrets == set(compose["secrets"])
    volumes = {mount["source"] for service in services.values() for mount in service["volumes"] if mount["type"] == "volume"}
    assert volumes == set(compose["volumes"])


def test_what_is_mounted_from_the_folder_is_written_there_and_read_only(folder, services):
    for service in services.values():
        for mount in service["volumes"]:
            if mount["type"] == "bind" and mount["source"].startswith("./"):
                assert (folder / mount["source"]).exists(), mount
                assert mount["read_only"], mount


def test_every_service_is_confined_and_watched(services):
    for name, service in services.items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, name
        assert service["logging"]["options"]["max-size"], name
        assert service["healthcheck"]["test"], name


# --- the variables and secrets ---

def test_every_variable_has_a_value_in_env_and_every_value_is_used(folder):
    given = dict(re.findall(r"^([A-Z_]+)=(.+)$", (folder / ".env").read_text(), re.M))
    # `$$` is a dollar.
    used = set(re.findall(r"\$\{([A-Z_]+)", (folder / "compose.yaml").read_text().replace("$$", "")))
    assert used == set(given)


def test_secrets_are_files_and_are_made_as_env_says(folder, compose, tmp_path):
    for name, secret in compose["secrets"].items():
        assert secret == {"file": "${SECRETS_DIR:?}/" + name}
    commands = "".join(re.findall(r"^#   (.*\n)", (folder / ".env").read_text(), re.M))
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(compose["secrets"])
    assert all(re.fullmatch(r"[0-9a-f]{64}\n", text) for text in made.values())
    subprocess.run(["bash", "-euc", commands], cwd=tmp_path, check=True)
    assert made == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}, "they are made once"


# --- the image ---

def instructions(folder):
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", (folder / "Dockerfile").read_text(), flags=re.M))
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def test_the_image_is_built_and_then_has_only_what_runs(folder):
    lines = instructions(folder)
    stages = [rest for name, rest in lines if name == "FROM"]
    assert len(stages) == 2 and stages[0] == stages[1] + " AS build"
    runtime = lines[[name for name, _ in lines].index("FROM", 1):]
    assert not [rest for name, rest in runtime if name == "COPY" and rest.startswith(". ")]


def test_the_image_runs_as_a_numeric_user_and_says_how_it_is(folder, services):
    last = dict(instructions(folder))
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last["USER"])
    assert last["ENTRYPOINT"] == '["/app/config-center"]' and last["CMD"] == '["serve"]'
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert "CMD [" in last["HEALTHCHECK"] and "health" in last["HEALTHCHECK"]
    (data,) = json.loads(last["VOLUME"])
    node = next(service for name, service in services.items() if name.startswith("config-center"))
    assert node["user"] == last["USER"]
    assert data in [mount["target"] for mount in node["volumes"]]


def test_the_image_holds_no_secret(folder):
    for name, rest in instructions(folder):
        if name in ("ARG", "ENV"):
            assert not re.search("(?i)secret|password|token", rest), rest


# --- what the components of others read ---

def test_haproxy_takes_its_file():
    file = GOLDEN / "full/config/haproxy/haproxy.cfg"
    done = subprocess.run([shutil.which("haproxy") or "/usr/sbin/haproxy", "-c", "-f", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_and_alertmanager_take_theirs(tmp_path):
    """With the same rules as on hosts."""
    shutil.copytree(GOLDEN / "full/config/prometheus", tmp_path / "prometheus")
    settings = tmp_path / "prometheus/prometheus.yml"
    settings.write_text(settings.read_text().replace("/etc/prometheus", str(tmp_path / "prometheus")))
    for program, *arguments in (("promtool", "check", "config", settings),
                                ("amtool", "check-config", GOLDEN / "full/config/alertmanager/alertmanager.yml")):
        found = shutil.which(program) or cannot(f"{program} is not installed (script/bootstrap)")
        done = subprocess.run([found, *arguments], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    on_hosts = GOLDEN.parent / "monitor1/etc/prometheus/rules"
    assert {path.name: path.read_text() for path in (tmp_path / "prometheus/rules").iterdir()} == \
           {path.name: path.read_text() for path in on_hosts.iterdir()}


def test_files_are_yaml_and_scripts_are_scripts():
    for path in GOLDEN.rglob("config/**/*"):
        if path.suffix in (".yml", ".yaml"):
            yaml.safe_load(path.read_text())
        if path.suffix == ".sh":
            subprocess.run(["bash", "-n", path], check=True)
