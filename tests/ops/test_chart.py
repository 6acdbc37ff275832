"""The Helm chart: what must hold without Helm, and what Helm and the schemas of Kubernetes say about it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from hub.listener.rules import Timing, patience_s
from hub.settings import Settings
from hub.version import VERSION
from tests.ops.metrics import exposed
from tests.ops.tools import OPS, document, module

CHART = OPS / "helm" / "ocpi-hub"
TEMPLATES = "".join(path.read_text(encoding="utf-8") for path in sorted((CHART / "templates").iterdir()))
VALUES = document(CHART / "values.yaml")
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
SETTINGS = {f"HUB_{name.upper()}" for name in Settings.model_fields}
OWN = {"HUB_HOST", "HUB_PORT", "HUB_OPERATOR_HOST", "HUB_OPERATOR_PORT", "HUB_WORKERS", "HUB_DRAIN_NOTICE_S"}
"""What the chart decides by itself. The notice before an end is a sleep of its own, which SIGTERM waits for."""
LEAST: dict[str, Any] = {
    "settings": {"HUB_PUBLIC_URL": "https://hub.example.com"},
    "secret": {"existingSecret": "ocpi-hub"},
}
EVERYTHING: dict[str, Any] = LEAST | {
    "settings": {"HUB_PUBLIC_URL": "https://hub.example.com/roaming", "HUB_JOURNAL_DAYS": "30"},
    "autoscaling": {"enabled": True},
    "ingress": {"enabled": True, "className": "haproxy", "tlsSecret": "tls", "annotations": {"a": "b"}},
    "monitoring": {"serviceMonitor": True, "alerts": True, "dashboards": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {
        "partnersFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "operatorsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "stores": [{"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [5432]}, {"to": [], "ports": [6379]}],
    },
    "podDisruptionBudget": {"maxUnavailable": "25%"},
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "roaming"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "roaming", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "image": {"pullSecrets": [{"name": "registry"}]},
    "service": {"partners": {"annotations": {"a": "b"}}},
    "serviceAccount": {"annotations": {"a": "b"}},
}
FOREIGN = {"ServiceMonitor", "PrometheusRule"}
"""Kinds that Kubernetes itself does not know."""


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """As Helm puts values together."""
    both = {name: merged(base[name], over[name]) for name in base.keys() & over.keys() if isinstance(over[name], dict)}
    return base | over | both


def rendered(values: dict[str, Any], name: str = "hub") -> list[dict[str, Any]]:
    """Every object that Helm would bring to the cluster."""
    helm = module("helm_python")
    helm.disable_logging()
    with helm.Chart.load(str(CHART)) as chart:
        manifests: dict[str, str] = chart.render(values, name=name, namespace="roaming")
    texts = [text for path, text in sorted(manifests.items()) if path.endswith(".yaml")]
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


def of_kind(kind: str, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in objects if each["kind"] == kind]


# ---------------------------------------------------------------- without Helm


def test_the_chart_is_of_the_hubs_own_version() -> None:
    assert document(CHART / "Chart.yaml")["appVersion"] == VERSION


@pytest.mark.parametrize("values", [LEAST, EVERYTHING], ids=["least", "everything"])
def test_values_fit_their_schema(values: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(merged(VALUES, values), SCHEMA)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"settings": {"HUB_PUBLIC_URL": "http://hub.example.com"}},
        {"settings": {"HUB_PUBLIC_ULR": "x"}},
        {"settings": {"HUB_WORKERS": "4"}},
        {"replicaCount": 3},
        {"terminationGracePeriodSeconds": 30},
        {"podDisruptionBudget": {"maxUnavailable": "some"}},
    ],
    ids=str,
)
def test_values_that_would_not_work_are_refused(wrong: dict[str, Any]) -> None:
    values = merged(VALUES, merged(LEAST, wrong) if wrong else {})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, SCHEMA)


def test_every_value_has_a_rule_and_every_rule_a_value() -> None:
    assert VALUES.keys() | {"global"} == SCHEMA["properties"].keys()


def test_every_setting_can_be_chosen_once() -> None:
    in_schema = set(SCHEMA["properties"]["settings"]["properties"])
    secret = set(SCHEMA["properties"]["secret"]["properties"]["keys"]["properties"])
    assert in_schema | secret | OWN == SETTINGS
    assert len(in_schema) + len(secret) + len(OWN) == len(SETTINGS)
    assert set(VALUES["settings"]) <= in_schema


def test_no_template_sets_what_is_no_setting() -> None:
    assert set(re.findall(r"\bHUB_[A-Z_]+\b", TEMPLATES)) - {"HUB_PORT"} <= SETTINGS


def test_what_it_scales_on_is_a_metric() -> None:
    [metric] = re.findall(r"name: (ocpi_hub_\w+)", TEMPLATES)
    assert metric in exposed()


def test_a_hub_has_the_time_it_needs_to_end() -> None:
    assert VALUES["terminationGracePeriodSeconds"] >= VALUES["drainSeconds"] + patience_s(Timing())


# ---------------------------------------------------------------- with Helm


def test_helm_finds_nothing_to_complain_of() -> None:
    report = module("helm_python").lint(str(CHART), EVERYTHING, strict=True)
    assert report["errors"] == []
    assert [each for each in report["messages"] if each["severity"] > 1] == []


def test_helm_refuses_values_without_a_secret() -> None:
    helm = module("helm_python")
    with pytest.raises(helm.HelmError, match="existingSecret"), helm.Chart.load(str(CHART)) as chart:
        chart.render({"settings": LEAST["settings"]}, name="hub")


@pytest.mark.parametrize("version", ["1.27", "1.31", "1.37"])
@pytest.mark.parametrize("values", [LEAST, EVERYTHING], ids=["least", "everything"])
def test_kubernetes_would_take_every_object(values: dict[str, Any], version: str) -> None:
    validate = module("kubernetes_validate").validate
    for each in rendered(values):
        if each["kind"] not in FOREIGN:
            validate(each, version, strict=True)


def test_names_are_unique_and_the_services_find_the_pods_but_no_job() -> None:
    objects = rendered(EVERYTHING)
    names = [(each["kind"], each["metadata"]["name"]) for each in objects]
    assert len(set(names)) == len(names)
    [deployment], [job] = of_kind("Deployment", objects), of_kind("Job", objects)
    pod, other = (each["spec"]["template"]["metadata"]["labels"].items() for each in (deployment, job))
    for service in of_kind("Service", objects):
        selector = service["spec"]["selector"].items()
        assert selector <= pod
        assert not selector <= other
    [monitor] = of_kind("ServiceMonitor", objects)
    watched = monitor["spec"]["selector"]["matchLabels"].items()
    found = [each for each in of_kind("Service", objects) if watched <= each["metadata"]["labels"].items()]
    assert [each["metadata"]["name"] for each in found] == ["hub-ocpi-hub-operators"]
    assert pod >= {("app.kubernetes.io/name", "ocpi-hub")}


def test_no_container_has_more_rights_than_it_needs() -> None:
    for each in rendered(LEAST):
        if each["kind"] in {"Deployment", "Job"}:
            pod = each["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["automountServiceAccountToken"] is False
            assert pod["enableServiceLinks"] is False
            [container] = pod["containers"]
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_hub_starts_with_what_the_chart_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [deployment] = of_kind("Deployment", rendered(EVERYTHING))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    secrets = {
        "secret-key": "k" * 32,
        "operator-token": "t" * 32,
        "database-url": "postgresql+asyncpg://hub:password@db/hub",
        "redis-url": "redis://redis:6379/0",
    }
    for name, text in secrets.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    monkeypatch.chdir(tmp_path)
    for each in container["env"]:
        monkeypatch.setenv(each["name"], each["value"].replace("/run/secrets/ocpi-hub", str(tmp_path)))

    settings = Settings.load()

    assert settings.public_url == "https://hub.example.com/roaming"
    assert settings.journal_days == 30
    assert (settings.port, settings.operator_port) == (8000, 8001)
    assert {each["name"]: each["containerPort"] for each in container["ports"]} == {"partners": 8000, "operators": 8001}
    assert settings.redis_url == secrets["redis-url"]


def test_alerts_and_dashboards_come_with_the_chart() -> None:
    objects = rendered(EVERYTHING)
    [rules] = of_kind("PrometheusRule", objects)
    assert rules["spec"] == document(OPS / "prometheus" / "alerts.yaml")
    [dashboards] = of_kind("ConfigMap", objects)
    files = {path.name: path.read_text(encoding="utf-8") for path in (OPS / "grafana" / "dashboards").iterdir()}
    assert {name: json.loads(text) for name, text in dashboards["data"].items()} == {
        name: json.loads(text) for name, text in files.items()
    }
