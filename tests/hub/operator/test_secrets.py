from __future__ import annotations

import base64
from pathlib import Path

from loadtests.simulator.misbehaviour import UNAUTHORIZED
from tests.hub.forked import ForkedHub
from tests.partners import CPO, EMSP, location, partner


def test_no_token_is_in_logs_metrics_or_what_operators_see(tmp_path: Path) -> None:
    with (
        ForkedHub(tmp_path, {"log_level": "debug"}) as hub,
        partner(CPO).running() as cpo,
        partner(EMSP).running() as emsp,
    ):
        operator = hub.operator
        secrets = {operator.api.headers["authorization"].removeprefix("Bearer ")}
        invitation = operator.invite(cpo.name)
        cpo.register(invitation.versions_url, invitation.token_a)
        secrets |= {invitation.token_a, cpo.connection.our_token, *cpo.registration.their_tokens}
        operator.ask("POST", f"/api/v1/platforms/{invitation.platform_id}/rotate")
        secrets |= {cpo.connection.our_token, *cpo.registration.their_tokens}
        other = operator.connected(emsp)
        secrets |= {emsp.connection.our_token, *emsp.registration.their_tokens}
        path = f"{'/'.join(cpo.party)}/LOC1"
        assert cpo.put("locations", path, to=emsp.party, json=location(cpo.party)).http_status == 200
        emsp.behaves(UNAUTHORIZED)
        cpo.put("locations", path, to=emsp.party, json=location(cpo.party))
        cpo.put("locations", path, to=emsp.party, token="a-token-nobody-knows", json=location(cpo.party))
        refused = operator.api.post(f"/api/v1/platforms/{other}/rotate")
        seen = [operator.api.get(f"/api/v1/platforms/{each}").text for each in (invitation.platform_id, other)]
        seen += [operator.api.get(path).text for path in ("/api/v1/platforms", "/api/v1/parties", "/metrics")]
        operator.ask("DELETE", f"/api/v1/platforms/{invitation.platform_id}")

    logged = hub.log.read_text(encoding="utf-8")
    assert "operator URL" in logged
    seen += [logged, refused.text]
    secrets.add("a-token-nobody-knows")
    for secret in secrets:
        for spelling in (secret, base64.b64encode(secret.encode()).decode()):
            assert all(spelling not in text for text in seen)
