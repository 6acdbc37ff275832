"""`/api/v1/agreements`: what an operator may say about who talks to whom, one by one and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from loadtests.hub_process import HubProcess
from routing.vocabulary import Party, Role, Version
from tests.hub.operator.test_problems import check_problem
from tests.partners import CPO, new_party, partner

AGREEMENTS = "/api/v1/agreements"
Json = dict[str, Any]
A, B, C = (Party("NL", name) for name in ("AAA", "BBB", "C*C"))
CSV = {"content-type": "text/csv"}


@pytest.fixture
def at(hub: HubProcess) -> Iterator[HubProcess]:
    """A hub without agreements."""
    hub.operator.ask("POST", f"{AGREEMENTS}/import?replace=true", content=b"a,b\n", headers=CSV)
    yield hub
    hub.operator.ask("POST", f"{AGREEMENTS}/import?replace=true", content=b"a,b\n", headers=CSV)


def agree(at: HubProcess, a: Party, b: Party, **terms: Any) -> Json:  # noqa: ANN401 - any terms
    return at.operator.ask("POST", AGREEMENTS, json={"a": str(a), "b": str(b), **terms})


def taken_over(at: HubProcess, content: str, **query: str) -> Json:
    return at.operator.ask("POST", f"{AGREEMENTS}/import", content=content.encode(), headers=CSV, params=query)


def exported(at: HubProcess) -> str:
    return at.operator.api.get(f"{AGREEMENTS}.csv").text


def refused(at: HubProcess, content: bytes) -> Json:
    answer = at.operator.api.post(f"{AGREEMENTS}/import", content=content, headers=CSV)
    problem = check_problem(answer, 422)
    assert problem["detail"].startswith("Nothing was taken over. line ")
    return problem


def test_an_agreement_says_what_the_partners_are_called(at: HubProcess) -> None:
    with partner(CPO).running() as cpo:
        platform = at.operator.platform(at.operator.registered(cpo))
        made = agree(at, cpo.party, B)

        assert (made["a_name"], made["b_name"]) == (platform["name"], None)
        assert at.operator.ask("GET", AGREEMENTS)["items"] == [made]


def test_an_agreement_is_made_shown_changed_and_ended(at: HubProcess) -> None:
    answer = at.operator.api.post(AGREEMENTS, json={"a": "nl*aaa", "b": str(B), "modules": ["Tokens", "cdrs"]})
    made = answer.json()
    path = f"{AGREEMENTS}/{made['id']}"

    assert answer.status_code == 201
    assert answer.headers["location"] == path
    assert (made["a"], made["b"], made["modules"], made["direction"]) == (str(A), str(B), ["cdrs", "tokens"], "both")
    assert at.operator.ask("GET", path) == made

    changed = at.operator.ask("PATCH", path, json={"direction": "a_to_b"})
    assert changed == made | {"direction": "a_to_b"}
    assert at.operator.ask("PATCH", path, json={"modules": None}) == changed | {"modules": None}
    assert at.operator.ask("PATCH", path, json={}) == changed | {"modules": None}

    assert at.operator.api.delete(path).status_code == 204
    for method in ("GET", "DELETE"):
        check_problem(at.operator.api.request(method, path), 404)
    check_problem(at.operator.api.patch(path, json={}), 404)


def test_two_parties_have_one_agreement(at: HubProcess) -> None:
    made = agree(at, A, B)

    for pair in ((A, B), (B, A)):
        answer = at.operator.api.post(AGREEMENTS, json={"a": str(pair[0]), "b": str(pair[1])})
        assert made["id"] in check_problem(answer, 409)["detail"]


def test_agreements_are_listed_page_by_page_also_those_of_one_party(at: HubProcess) -> None:
    made = [agree(at, A, B), agree(at, C, B), agree(at, A, C)]

    first = at.operator.ask("GET", AGREEMENTS, params={"limit": 2})
    assert first["items"] == made[:2]
    rest = at.operator.ask("GET", AGREEMENTS, params={"limit": 2, "cursor": first["next_cursor"]})
    assert (rest["items"], rest["next_cursor"]) == (made[2:], None)
    assert at.operator.ask("GET", AGREEMENTS, params={"party": "nl*aaa"})["items"] == [made[0], made[2]]
    assert at.operator.ask("GET", AGREEMENTS, params={"party": str(C)})["items"] == made[1:]
    assert at.operator.ask("GET", AGREEMENTS, params={"party": "?"})["items"] == []
    check_problem(at.operator.api.get(AGREEMENTS, params={"cursor": "x"}), 422)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"a": "NL*AAA"}, 400, "b"),
        ({"a": "NL*AAA", "b": "NLBBB"}, 422, "'NLBBB' is no party; one is written like NL*ABC"),
        ({"a": "NL*AAA", "b": "NL*BBBB"}, 422, "no party"),
        ({"a": "NL*AAA", "b": "NL*B/B"}, 422, "no party"),
        ({"a": "NL*AAA", "b": "NL*.."}, 422, "no party"),
        ({"a": "NL*AAA", "b": "nl*aaa"}, 422, "needs no agreement with itself"),
        ({"a": "NL*AAA", "b": "EU*HUB"}, 422, "is this hub"),
        ({"a": "NL*AAA", "b": "NL*BBB", "modules": []}, 400, "modules"),
        ({"a": "NL*AAA", "b": "NL*BBB", "modules": ["hubclientinfo"]}, 422, "no module that messages are routed in"),
        ({"a": "NL*AAA", "b": "NL*BBB", "modules": ["nl-payroll"]}, 422, "custom_modules"),
        ({"a": "NL*AAA", "b": "NL*BBB", "direction": "b_to_a"}, 400, "direction"),
        ({"a": "NL*AAA", "b": "NL*BBB", "until": "2027"}, 400, "until"),
    ],
)
def test_what_cannot_be_agreed_on_is_refused(at: HubProcess, body: Json, status: int, said: str) -> None:
    assert said in check_problem(at.operator.api.post(AGREEMENTS, json=body), status)["detail"]
    assert at.operator.ask("GET", AGREEMENTS)["items"] == []


def test_custom_modules_of_either_platform_can_be_agreed_on(at: HubProcess) -> None:
    party = new_party()
    platform_id = at.operator.invite("Payroll", parties={party: [Role.CPO]}, version=Version.V2_2_1).platform_id
    at.operator.change(platform_id, custom_modules=["NL-Payroll"])

    assert agree(at, B, party, modules=["nl-payroll", "cdrs"])["modules"] == ["NL-Payroll", "cdrs"]


# ------------------------------------------------------------------------------------------------------------ files


def test_what_was_exported_can_be_imported_again(at: HubProcess) -> None:
    agree(at, A, B, modules=["cdrs", "tokens"], direction="a_to_b")
    agree(at, C, B)
    file = exported(at)

    assert file == "a,b,modules,direction\r\nNL*AAA,NL*BBB,cdrs tokens,a_to_b\r\nNL*C*C,NL*BBB,,both\r\n"
    unchanged = {"added": 0, "changed": 0, "ended": 0, "unchanged": 2, "dry_run": False}
    assert taken_over(at, file, replace="true") == unchanged
    taken_over(at, "a,b", replace="true")
    assert taken_over(at, file) == unchanged | {"added": 2, "unchanged": 0}
    assert exported(at) == file


def test_a_dry_run_says_what_would_become_of_it_and_does_nothing(at: HubProcess) -> None:
    agree(at, A, B)
    agree(at, A, C)
    before = exported(at)

    effect = taken_over(at, "a,b,modules\nNL*BBB,NL*AAA,cdrs\nNL*DDD,NL*AAA,", replace="true", dry_run="true")

    assert effect == {"added": 1, "changed": 1, "ended": 1, "unchanged": 0, "dry_run": True}
    assert exported(at) == before


@pytest.mark.parametrize(
    "content",
    [
        "b;a;direction\r\nNL*BBB;NL*AAA;a_to_b\r\n",
        "\ufeffB, A , direction\n\n nl*bbb , nl*aaa , a_to_b \n,,\n",
        'direction,"b","a"\na_to_b,"NL*BBB","NL*AAA"',
    ],
)
def test_files_of_spreadsheets_are_read(at: HubProcess, content: str) -> None:
    assert taken_over(at, content)["added"] == 1
    assert exported(at).splitlines()[1:] == ["NL*AAA,NL*BBB,,a_to_b"]


def test_every_line_that_is_wrong_is_named_and_nothing_is_taken_over(at: HubProcess) -> None:
    content = b"a,b,modules,direction\nNL*AAA,NL*BBB,,\nNL*AAA,NLBBB,,\nNL*BBB,NL*AAA,,\nNL*AAA,NL*CCC,cdrs x,\n"

    problem = refused(at, content + b"NL*AAA,NL*DDD,,never\n")

    assert [fault["key"] for fault in problem["errors"]] == ["line 3", "line 4", "line 5", "line 6"]
    assert "on line 2 already" in problem["errors"][1]["message"]
    assert exported(at).splitlines()[1:] == []


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"", 1, "the names of the columns are missing"),
        (b"NL*AAA,NL*BBB\n", 1, "the columns are a,b,modules,direction"),
        (b"a,b,until\n", 1, "the columns are"),
        (b"a,b,b\n", 1, "the columns are"),
        (b"a,b\nNL*AAA,NL*BBB\nNL*AAA,NL*CCC,cdrs\n", 3, "3 cells, where the first line names 2 columns"),
        (b"a,b\nNL*AAA,NL*BBB\nNL*AAA,NL\xff\n", 3, "not in UTF-8"),
        (b'a,b\nNL*AAA,"NL*BBB\n', 2, "no CSV"),
    ],
)
def test_what_is_no_such_file_is_refused(at: HubProcess, content: bytes, line: int, said: str) -> None:
    [fault] = refused(at, content)["errors"]

    assert fault["key"] == f"line {line}"
    assert said in fault["message"]


def test_a_file_of_thousands_of_lines_is_taken_over(at: HubProcess) -> None:
    lines = [f"NL*AAA,{chr(65 + n // 1000)}X*{n % 1000:03},locations tokens cdrs" for n in range(5_000)]

    assert taken_over(at, "\n".join(["a,b,modules", *lines]))["added"] == 5_000
    assert len(exported(at).splitlines()) == 5_001


def test_a_file_that_is_too_large_is_refused(at: HubProcess) -> None:
    answer = at.operator.api.post(f"{AGREEMENTS}/import", content=b"a,b\n" + b"\n" * 9_000_000, headers=CSV)

    check_problem(answer, 413)
