from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from ipaddress import IPv4Network, ip_address
from typing import Any

import pytest

from hub.listener.rules import Limits, Timing, patience_s
from hub.settings import Settings
from tests.ops.tools import OPS, document, run

TEXT = (OPS / "compose.yaml").read_text(encoding="utf-8")
COMPOSE = document(OPS / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
HUB = SERVICES["hub"]
DOCKERFILE = (OPS.parent / "Dockerfile").read_text(encoding="utf-8")
CADDYFILE = (OPS / "caddy" / "Caddyfile").read_text(encoding="utf-8")
SETTINGS = {f"HUB_{name.upper()}" for name in Settings.model_fields}


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_the_hub_is_told_nothing_that_is_no_setting() -> None:
    assert {name for name in HUB["environment"] if name.startswith("HUB_")} <= SETTINGS
    assert set(re.findall(r"\bHUB_[A-Z_]+", DOCKERFILE)) <= SETTINGS


def test_what_has_to_be_filled_in_is_in_the_example_and_nothing_else() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", TEXT))
    example = set(re.findall(r"^([A-Z_]+)=", (OPS / "env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert used == example
    assert set(re.findall(r"\{\$([A-Z_]+)\}", CADDYFILE)) == set(SERVICES["proxy"]["environment"])


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].rpartition(":")
    assert re.match(r"v?\d", tag)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_looked_after(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert "healthcheck" in service or "HEALTHCHECK" in DOCKERFILE


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        source, target = mount.split(":")[:2]
        assert source in COMPOSE["volumes"] or (OPS / source).exists(), mount
        assert target.startswith("/")


def test_only_the_proxy_can_be_reached_from_elsewhere() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert name == "proxy" or port.startswith("127.0.0.1:"), (name, port)


def test_the_hub_believes_the_proxy_and_nobody_else() -> None:
    address = SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
    assert HUB["environment"]["HUB_TRUSTED_PROXIES"] == address
    [config] = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert ip_address(address) in IPv4Network(config["subnet"])


def test_the_proxys_address_is_nobody_elses_while_it_is_not_there_yet() -> None:
    [config] = COMPOSE["networks"]["front"]["ipam"]["config"]
    fixed = [config["gateway"], SERVICES["proxy"]["networks"]["front"]["ipv4_address"]]
    given = IPv4Network(config["ip_range"])
    assert given.subnet_of(IPv4Network(config["subnet"]))
    assert len(set(fixed)) == len(fixed)
    assert all(ip_address(each) not in given for each in fixed)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_image_asks_the_hub_itself_how_it_is(status: int, code: int) -> None:
    [command] = re.findall(r"^HEALTHCHECK [^[]*CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    _, *arguments = json.loads(command)
    with socket.create_server(("127.0.0.1", 0)) as hub:
        hub.settimeout(20)
        environment = {"HUB_OPERATOR_PORT": str(hub.getsockname()[1]), "http_proxy": "http://127.0.0.1:9"}
        with subprocess.Popen([sys.executable, *arguments], env=environment) as check:
            connection, _ = hub.accept()
            with connection:
                assert connection.recv(1024).startswith(b"GET /healthz ")
                connection.sendall(f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\n\r\n".encode())
    assert check.returncode == code


def test_the_hub_has_the_time_it_needs_to_end() -> None:
    assert seconds(HUB["stop_grace_period"]) >= patience_s(Timing())


def test_the_proxy_is_the_one_to_end_connections() -> None:
    [kept] = re.findall(r"keepalive (\d+s)", CADDYFILE)
    assert seconds(kept) < Limits().idle_s
    assert f"hub:{Settings.model_fields['port'].default}" in CADDYFILE


def test_prometheus_asks_the_operator_listener() -> None:
    [job] = document(OPS / "prometheus" / "prometheus.yml")["scrape_configs"]
    assert job["job_name"] == "ocpi-hub"
    assert job["static_configs"] == [{"targets": [f"hub:{Settings.model_fields['operator_port'].default}"]}]


def test_the_image_and_the_chart_agree_on_the_user() -> None:
    helpers = (OPS / "helm" / "ocpi-hub" / "templates" / "_helpers.tpl").read_text(encoding="utf-8")
    [user] = re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"(?:runAsUser|runAsGroup|fsGroup): (\d+)", helpers)) == {user}


def test_the_image_is_built_as_one_should() -> None:
    run("hadolint", "Dockerfile", cwd=OPS.parent)
