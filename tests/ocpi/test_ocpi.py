"""Examples are what the checker calls valid, and the checker sees what is broken in them."""

from random import Random

import pytest

from tests.ocpi import VERSIONS, check, example, load

DESCRIPTIONS = [*VERSIONS, "2.3.0+bookings+payments"]
CLASSES = [(version, name) for version in DESCRIPTIONS for name in sorted(load(version).objects)]


@pytest.mark.parametrize("version", DESCRIPTIONS)
def test_an_example_of_every_class_is_valid(version: str) -> None:
    schema = load(version)
    for seed, name in enumerate(sorted([*schema.objects, *schema.enums])):
        for optional in (0, 0.5, 1):
            assert check(version, name, example(version, name, Random(seed), optional), strict=True) == []


@pytest.mark.parametrize("version", DESCRIPTIONS)
def test_a_partial_example_is_a_valid_patch(version: str) -> None:
    for name in sorted(load(version).objects):
        assert check(version, name, example(version, name, Random(name), partial=True), partial=True, strict=True) == []


@pytest.mark.parametrize(("version", "name"), CLASSES)
def test_each_required_field_that_is_absent_or_null_is_seen(version: str, name: str) -> None:
    valid = example(version, name, Random(3))
    for field in load(version).objects[name].fields.values():
        if field.required:
            without = {key: value for key, value in valid.items() if key != field.name}
            assert (field.name, "missing") in problems(version, name, without)
            assert (field.name, "null") in problems(version, name, valid | {field.name: None})


def test_what_is_wrong_deep_inside_is_named_by_its_path() -> None:
    location = example("2.2.1", "Location", Random(1), optional=1)
    location["evses"][0]["connectors"][0]["standard"] = "SCHUKO"
    location["city"] = "x" * 46
    location["last_updated"] = "2025-02-30T00:00:00Z"
    location["fuel"] = "diesel"

    assert problems("2.2.1", "Location", location) == {
        ("evses[0].connectors[0].standard", "enum"),
        ("city", "length"),
        ("last_updated", "format"),
        ("fuel", "unknown"),
    }


def test_the_same_seed_gives_the_same_object() -> None:
    assert example("2.1.1", "CDR", Random(9)) == example("2.1.1", "CDR", Random(9))


def test_an_unknown_version_module_or_class_is_refused() -> None:
    for version, name in [("2.0", "Token"), ("2.2.1+bookings", "Token"), ("2.2.1", "Booking")]:
        with pytest.raises(KeyError):
            check(version, name, {})


def problems(version: str, name: str, value: object) -> set[tuple[str, str]]:
    return {(problem.path, problem.kind) for problem in check(version, name, value, strict=True)}
