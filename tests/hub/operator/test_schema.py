from __future__ import annotations

from collections.abc import Iterator
from types import NoneType
from typing import Any

import httpx
import pytest

from loadtests.hub_process import HubProcess
from loadtests.simulator import Partner
from tests.hub.counted import count

Json = dict[str, Any]
ANSWERED = {"get", "post", "patch", "put", "delete"}


@pytest.fixture(scope="module")
def schema(anyone: httpx.Client) -> Json:
    found: Json = anyone.get("/schema").json()
    return found


def operations(schema: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (NoneType,),
    "array": (list,),
    "object": (dict,),
}


def fits(schema: Json, form: Json, value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether a value has a form, as far as the description of this API uses JSON Schema."""
    if "$ref" in form:
        form = schema["components"]["schemas"][form["$ref"].rpartition("/")[2]]
    if "oneOf" in form:
        return sum(fits(schema, each, value) for each in form["oneOf"]) == 1
    if "enum" in form and value not in form["enum"]:
        return False
    match value:
        case dict() if "properties" in form:
            known = form["properties"]
            return set(form["required"]) <= set(value) <= set(known) and all(
                fits(schema, known[name], item) for name, item in value.items()
            )
        case list() if "items" in form:
            return all(fits(schema, form["items"], item) for item in value)
        case _:
            types = form["type"] if isinstance(form["type"], list) else [form["type"]]
            return any(isinstance(value, TYPES[each]) for each in types)


def check(schema: Json, name: str, value: object) -> None:
    """Fail unless `value` has the form that the description calls `name`."""
    assert fits(schema, schema["components"]["schemas"][name], value), value


def test_the_description_is_openapi_with_everything_it_refers_to(schema: Json) -> None:
    assert schema["openapi"].startswith("3.1.")
    for reference in set(references(schema)):
        prefix, _, name = reference.rpartition("/")
        assert prefix == "#/components/schemas"
        assert name in schema["components"]["schemas"]
    for name, form in schema["components"]["schemas"].items():
        assert form["type"] in TYPES, name
        assert set(form.get("required", [])) <= set(form.get("properties", {})), name
        assert {} not in form.get("properties", {}).values(), name


def test_every_operation_says_what_it_does_and_how_it_fails(schema: Json) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(schema)]
    assert len(set(ids)) == len(ids)
    for method, path, operation in operations(schema):
        assert operation["description"], path
        assert operation["tags"], path
        if path.startswith("/api/"):
            assert operation["security"] == [{"operatorToken": []}], path
            assert {"400", "401"} <= set(operation["responses"]), path
        if "requestBody" in operation:
            assert "413" in operation["responses"], path
        if "{platform_id}" in path:
            assert "404" in operation["responses"], path
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], (method, path, status)
            elif status != "204":
                [content] = answer["content"].values()
                assert content["schema"], (method, path)


def test_the_description_has_every_operation_of_the_contract(schema: Json) -> None:
    assert {(method, path) for method, path, _ in operations(schema)} == {
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
        ("get", "/api/v1/quirks"),
        ("get", "/api/v1/platforms/{platform_id}/quirks"),
        ("get", "/api/v1/platforms"),
        ("post", "/api/v1/platforms"),
        ("get", "/api/v1/platforms/{platform_id}"),
        ("patch", "/api/v1/platforms/{platform_id}"),
        ("delete", "/api/v1/platforms/{platform_id}"),
        ("get", "/api/v1/platforms/{platform_id}/losses"),
        ("post", "/api/v1/platforms/{platform_id}/circuit/close"),
        ("post", "/api/v1/platforms/{platform_id}/connect"),
        ("post", "/api/v1/platforms/{platform_id}/invite"),
        ("post", "/api/v1/platforms/{platform_id}/rotate"),
        ("post", "/api/v1/platforms/{platform_id}/suspend"),
        ("post", "/api/v1/platforms/{platform_id}/resume"),
        ("post", "/api/v1/platforms/{platform_id}/probe"),
        ("get", "/api/v1/platforms/{platform_id}/status-history"),
        ("get", "/api/v1/platforms/{platform_id}/registration"),
        ("post", "/api/v1/platforms/{platform_id}/capture"),
        ("delete", "/api/v1/platforms/{platform_id}/capture"),
        ("get", "/api/v1/platforms/{platform_id}/impact"),
        ("get", "/api/v1/platforms/{platform_id}/health"),
        ("get", "/api/v1/platforms/{platform_id}/errors"),
        ("get", "/api/v1/overview"),
        ("get", "/api/v1/traffic/series"),
        ("get", "/api/v1/traffic/matrix"),
        ("get", "/api/v1/traffic/silent"),
        ("get", "/api/v1/health"),
        ("get", "/api/v1/events"),
        ("get", "/api/v1/events/{event_id}"),
        ("post", "/api/v1/events/{event_id}/acknowledge"),
        ("get", "/api/v1/audit"),
        ("get", "/api/v1/audit/verification"),
        ("get", "/api/v1/me"),
        ("get", "/api/v1/tokens"),
        ("post", "/api/v1/tokens"),
        ("get", "/api/v1/tokens/{token_id}"),
        ("delete", "/api/v1/tokens/{token_id}"),
        ("get", "/api/v1/parties"),
        ("get", "/api/v1/parties/{party}"),
        ("post", "/api/v1/parties/{party}/suspend"),
        ("post", "/api/v1/parties/{party}/resume"),
        ("get", "/api/v1/agreements"),
        ("post", "/api/v1/agreements"),
        ("get", "/api/v1/agreements.csv"),
        ("post", "/api/v1/agreements/import"),
        ("get", "/api/v1/agreements/{agreement_id}"),
        ("patch", "/api/v1/agreements/{agreement_id}"),
        ("delete", "/api/v1/agreements/{agreement_id}"),
        ("get", "/api/v1/messages"),
        ("get", "/api/v1/messages/live"),
        ("get", "/api/v1/messages/{message_id}"),
        ("get", "/api/v1/stories"),
        ("get", "/api/v1/broadcasts"),
        ("get", "/api/v1/broadcasts/{correlation_id}"),
        ("get", "/api/v1/client-info"),
        ("get", "/api/v1/resolve"),
        ("get", "/api/v1/rules/{rule_id}"),
        ("post", "/api/v1/drain"),
        ("post", "/api/v1/reload"),
        ("get", "/api/v1/reload"),
        ("get", "/api/v1/settings"),
    }


def test_answers_have_the_form_that_is_described(schema: Json, hub: HubProcess, cpo: Partner) -> None:
    ask = hub.operator.api
    party = {"country_code": "BE", "party_id": "SCH", "role": "CPO"}
    assert not fits(schema, schema["components"]["schemas"]["NewPlatform"], {"name": 5})
    body = {"name": "Volt", "parties": [party], "require_modules": ["cdrs"], "face": "CPO"}
    check(schema, "NewPlatform", body)
    created = ask.post("/api/v1/platforms", json=body).json()
    check(schema, "CreatedPlatform", created)
    check(schema, "PlatformView", ask.get(f"/api/v1/platforms/{created['id']}").json())
    check(schema, "Invited", ask.post(f"/api/v1/platforms/{created['id']}/invite", json={"face": "CPO"}).json())
    check(schema, "PlatformsView", ask.get("/api/v1/platforms").json())
    count(hub, created["id"], "L-24")
    check(schema, "LossesView", ask.get(f"/api/v1/platforms/{created['id']}/losses").json())
    check(schema, "PartiesView", ask.get("/api/v1/parties", params={"q": cpo.party.party_id}).json())
    agreement = {"a": str(cpo.party), "b": "BE*SCH", "modules": ["cdrs"], "direction": "a_to_b"}
    check(schema, "NewAgreement", agreement)
    agreed = ask.post("/api/v1/agreements", json=agreement).json()
    check(schema, "AgreementView", agreed)
    check(schema, "AgreementChange", {"modules": None})
    check(schema, "AgreementsView", ask.get("/api/v1/agreements").json())
    check(schema, "ImportView", ask.post("/api/v1/agreements/import?dry_run=true", content=b"a,b").json())
    ask.delete(f"/api/v1/agreements/{agreed['id']}")
    check(schema, "HealthView", ask.get(f"/api/v1/platforms/{created['id']}/health").json())
    check(schema, "RegistrationView", ask.get(f"/api/v1/platforms/{created['id']}/registration").json())
    check(schema, "ErrorsView", ask.get(f"/api/v1/platforms/{created['id']}/errors").json())
    check(schema, "OverviewView", ask.get("/api/v1/overview").json())
    check(schema, "SeriesView", ask.get("/api/v1/traffic/series").json())
    check(schema, "MatrixView", ask.get("/api/v1/traffic/matrix").json())
    check(schema, "SilentPairsView", ask.get("/api/v1/traffic/silent").json())
    check(schema, "HubHealthView", ask.get("/api/v1/health").json())
    check(schema, "Problem", ask.get("/api/v1/platforms/unknown").json())
    check(schema, "Problem", ask.post("/api/v1/platforms", json={}).json())
    check(schema, "Ready", ask.get("/readyz").json())


def test_the_description_holds_no_secret(hub: HubProcess, anyone: httpx.Client) -> None:
    text = anyone.get("/schema").text

    assert hub.operator.api.headers["authorization"].removeprefix("Bearer ") not in text
