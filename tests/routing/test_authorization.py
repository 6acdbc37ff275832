import pytest

from routing.authorization import Spelling, authorization_value, spellings
from routing.dialects import DIALECTS
from routing.quirks import AuthEncoding
from routing.vocabulary import Secret, Version


def test_a_token_is_written_in_base64_or_as_it_is() -> None:
    assert authorization_value(Secret("example-token"), "base64").reveal() == "Token ZXhhbXBsZS10b2tlbg=="
    assert authorization_value(Secret("example-token"), "plain").reveal() == "Token example-token"


@pytest.mark.parametrize(
    ("version", "setting", "learned", "tried"),
    [
        (Version.V2_1_1, "auto", None, ("plain", "base64")),
        (Version.V2_2, "auto", None, ("base64", "plain")),
        (Version.V2_3_0, "auto", None, ("base64", "plain")),
        (Version.V2_2, "auto", "plain", ("plain", "base64")),
        (Version.V2_1_1, "auto", "base64", ("base64", "plain")),
        (Version.V2_2, "plain", None, ("plain",)),
        (Version.V2_1_1, "base64", "plain", ("base64",)),
    ],
)
def test_the_operator_decides_the_spelling_then_the_partner_then_its_version(
    version: Version, setting: AuthEncoding, learned: Spelling | None, tried: tuple[Spelling, ...]
) -> None:
    assert spellings(DIALECTS[version], setting, learned) == tried
