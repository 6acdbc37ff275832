"""Commands and CDRs leave something in the database. Without it nothing is done by halves."""

from __future__ import annotations

from concurrent.futures import Future

from loadtests.simulator import Behaviour, Json, Partner, envelope
from routing.vocabulary import Party
from tests.hub.failures.cluster import Cluster

NO_POSTGRES = "PostgreSQL does not answer"
A_LONG_TIME_S = 24 * 3600


def command(sender: Partner) -> Json:
    return {"response_url": f"{sender.base}/results/1", "location_id": "LOC1"}


def cdr(owner: Party) -> Json:
    return {
        "country_code": owner.country_code,
        "party_id": owner.party_id,
        "id": "CDR1",
        "last_updated": "2026-11-22T08:00:00Z",
    }


def test_a_command_whose_result_could_not_come_back_is_refused_before_it_is_sent(
    cluster: Cluster, cpo: Partner, emsp: Partner
) -> None:
    with cluster.without(cluster.postgres):
        answer = emsp.post("commands", "START_SESSION", to=cpo.party, json=command(emsp))
    assert answer.status_code == 3000
    assert not cpo.received


def test_a_command_that_was_taken_is_answered_although_the_database_is_gone_meanwhile(
    cluster: Cluster, cpo: Partner, emsp: Partner
) -> None:
    accepted = {"result": "ACCEPTED", "timeout": A_LONG_TIME_S}
    gone: Future[None] = Future()
    cpo.answers_next(Behaviour(until=gone, answer=envelope(accepted)), module="commands")

    pending = emsp.start("POST", "commands", "START_SESSION", to=cpo.party, json=command(emsp))
    cpo.received.wait_for("commands")
    with cluster.without(cluster.postgres):
        gone.set_result(None)
        answer = pending.result(10)

    assert answer.status_code == 1000
    assert answer.data == accepted


def test_a_cdr_that_was_taken_is_answered_although_it_cannot_be_read_again(
    cluster: Cluster, cpo: Partner, emsp: Partner
) -> None:
    """An error would make the CPO send it once more, and somebody pay twice."""
    with cluster.without(cluster.postgres):
        answer = cpo.post("cdrs", to=emsp.party, json=cdr(cpo.party))
    assert answer.status_code == 1000
    assert answer.header("location") is None
    assert len(emsp.received) == 1
