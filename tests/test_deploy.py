"""The files in deploy/ say what the application is: its settings, paths, ports and options."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client as kubernetes
from typer.main import get_command

from rag_app.cli.entry import app
from rag_app.config.settings import Settings
from rag_app.server.paths import HEALTHZ, METRICS, READYZ
from tests.helpers.paths import ROOT

DEPLOY = ROOT / "deploy"
FILES = ("Dockerfile", "compose.yaml", "Caddyfile", "rag-app.service", "kubernetes.yaml")
PORT = Settings.model_fields["port"].default
SECRETS = "/run/secrets"


def text(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


@pytest.fixture(scope="module")
def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile with their arguments."""
    lines = re.sub(r"^#.*\n", "", text("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines if line.strip()]


@pytest.fixture(scope="module")
def image(dockerfile: list[tuple[str, str]]) -> dict[str, str]:
    """The variables of the image."""
    pairs = (re.findall(r"(\w+)=(\S+)", rest) for name, rest in dockerfile if name == "ENV")
    return dict(one for found in pairs for one in found)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    fields: dict[str, Any] = yaml.safe_load(text("compose.yaml"))
    return fields


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    """The objects of kubernetes.yaml by kind."""
    return {one["kind"]: one for one in yaml.safe_load_all(text("kubernetes.yaml"))}


@pytest.fixture(scope="module")
def pod(objects: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = objects["Deployment"]["spec"]["template"]["spec"]
    return fields


@pytest.fixture(scope="module")
def unit() -> dict[str, list[str]]:
    """The lines of the unit by their names."""
    found: dict[str, list[str]] = {}
    for line in text("rag-app.service").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("name", FILES)
def test_every_setting_that_is_named_exists(name: str) -> None:
    named = {one.lower() for one in re.findall(r"RAG_APP_([A-Z_]+)", text(name))}
    assert named
    assert named <= Settings.model_fields.keys()


@pytest.mark.parametrize("name", FILES)
def test_every_port_of_the_application_is_the_default(name: str) -> None:
    ports = set(re.findall(r"\b78\d\d\b", text(name)))
    assert ports <= {str(PORT)}


def options(command: str) -> set[str]:
    known = get_command(app).commands[command]  # type: ignore[attr-defined]
    return {option for parameter in known.params for option in parameter.opts}


def test_the_options_of_serve_exist(
    compose: dict[str, Any], pod: dict[str, Any], unit: dict[str, list[str]]
) -> None:
    commands = [compose["services"]["app"]["command"], pod["containers"][0]["args"]]
    (started,) = unit["ExecStart"]
    commands.append(started.split()[1:])
    for command in commands:
        name, *rest = command
        assert name == "serve"
        given = {one for one in rest if one.startswith("--")}
        # Without these two it would not listen to other machines at all.
        assert given == {"--api-token-file", "--auth-file"} <= options("serve")


def test_what_the_image_holds_is_what_the_wheel_is_made_of(dockerfile: list[tuple[str, str]]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    copies = [rest.split() for name, rest in dockerfile if name == "COPY" and "--from" not in rest]
    copied = {one for words in copies for one in words[:-1]}
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied
    assert all((ROOT / one).exists() for one in copied)
    let_in = {line[1:] for line in text("Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    assert let_in == copied
    extras = project["project"]["optional-dependencies"]
    assert set(re.findall(r"\[(\w+)\] builds", text("Dockerfile"))) <= extras.keys()


def test_the_image_runs_as_nobody_and_keeps_its_data_in_volumes(
    dockerfile: list[tuple[str, str]], image: dict[str, str]
) -> None:
    assert [rest for name, rest in dockerfile if name == "USER"] == ["10001:10001"]
    (volumes,) = (rest for name, rest in dockerfile if name == "VOLUME")
    folder = Settings(data_dir=Path(image["RAG_APP_DATA_DIR"])).models_folder
    assert volumes == f'["{image["RAG_APP_DATA_DIR"]}", "{folder}"]'
    assert image["RAG_APP_PORT"] == str(PORT)
    (check,) = (rest for name, rest in dockerfile if name == "HEALTHCHECK")
    assert f"'127.0.0.1', {PORT}," in check
    assert f"'GET', '{HEALTHZ}'" in check


def test_compose_opens_the_page_to_this_machine_alone(compose: dict[str, Any], image: dict[str, str]) -> None:
    service = compose["services"]["app"]
    assert service["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert (DEPLOY / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()
    assert set(service["build"]["args"]) <= set(re.findall(r"^ARG (\w+)", text("Dockerfile"), re.MULTILINE))
    folders = {one.partition(":")[2] for one in service["volumes"]}
    assert folders == {image["RAG_APP_DATA_DIR"], f"{image['RAG_APP_DATA_DIR']}/models"}
    used = {one.partition(":")[0] for each in compose["services"].values() for one in each["volumes"]}
    assert {one for one in used if not one.startswith(".")} == compose["volumes"].keys()
    assert set(service["secrets"]) == compose["secrets"].keys()
    assert {f"{SECRETS}/{one}" for one in service["secrets"]} <= set(service["command"])


def test_compose_trusts_its_own_proxy_alone(compose: dict[str, Any]) -> None:
    proxy = compose["services"]["proxy"]
    address = proxy["networks"]["default"]["ipv4_address"]
    trusted = Settings(trusted_proxies=compose["services"]["app"]["environment"]["RAG_APP_TRUSTED_PROXIES"])
    assert trusted.trusted_proxies == (f"{address}/32",)
    assert f"reverse_proxy app:{PORT}" in text("Caddyfile")
    assert {one for each in compose["services"].values() for one in each.get("profiles", [])} == {
        "ollama",
        "tls",
    }


def test_compose_puts_ollama_where_it_is_found(compose: dict[str, Any]) -> None:
    assert compose["services"]["ollama"]["network_mode"] == "service:app"
    assert 11434 in Settings.model_fields["find_servers"].default


def keys(value: Any, kind: str) -> Iterator[str]:
    """Yield the paths of an object's fields that its kind in Kubernetes' API does not have."""
    if (listed := re.fullmatch(r"list\[(.+)\]", kind)) is not None:
        for one in value:
            yield from keys(one, listed[1])
    elif hasattr(kubernetes, kind):
        model = getattr(kubernetes, kind)
        names = {json: name for name, json in model.attribute_map.items()}
        for json, inner in value.items():
            if json not in names:
                yield f"{kind}.{json}"
            else:
                yield from keys(inner, model.openapi_types[names[json]])


@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "Deployment", "Service"])
def test_kubernetes_knows_every_field(objects: dict[str, Any], kind: str) -> None:
    assert list(keys(objects[kind], f"V1{kind}")) == []


def test_kubernetes_asks_the_probes(
    objects: dict[str, Any], pod: dict[str, Any], image: dict[str, str]
) -> None:
    (container,) = pod["containers"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    assert ports == {"http": PORT}
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: one["path"] for name, one in probes.items()} == {
        "startup": HEALTHZ,
        "liveness": HEALTHZ,
        "readiness": READYZ,
    }
    assert {one["port"] for one in probes.values()} == {"http"}
    labels = objects["Deployment"]["spec"]["template"]["metadata"]
    assert labels["annotations"]["prometheus.io/path"] == METRICS
    assert objects["Service"]["spec"]["selector"] == labels["labels"]
    assert objects["Deployment"]["spec"]["replicas"] == 1
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert mounts["data"] == image["RAG_APP_DATA_DIR"]
    assert {one["name"] for one in pod["volumes"]} == mounts.keys()
    files = [one for one in container["args"] if one.startswith("/")]
    assert {str(Path(one).parent) for one in files} == {mounts["secrets"]}
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert pod["securityContext"]["runAsNonRoot"]


def test_the_service_writes_its_state_directory_alone(unit: dict[str, list[str]]) -> None:
    (state,) = unit["StateDirectory"]
    assert f"RAG_APP_DATA_DIR=/var/lib/{state}" in unit["Environment"][0].split()
    assert (unit["ProtectSystem"], unit["PrivateTmp"], unit["NoNewPrivileges"]) == (
        ["strict"],
        ["yes"],
        ["yes"],
    )
    loaded = {one.partition(":")[0] for one in unit["LoadCredential"]}
    assert loaded == set(re.findall(r"\$\{CREDENTIALS_DIRECTORY\}/([\w-]+)", unit["ExecStart"][0]))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / "rag-app.service"
    copy.write_text(text("rag-app.service").replace("/opt/rag-app/bin/rag-app", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
