import asyncio
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import trustme

from hub.partners.client import CallLimits, PartnerClient
from hub.partners.dialing import strict_tls
from routing.errors import ReceiverUnreachable
from routing.message import Call
from tests.hub.partners.hostile import PATIENCE_S, HostilePartner, Visit, answer, answering, silent

pytestmark = pytest.mark.anyio

LIMITS = CallLimits(
    total_s=PATIENCE_S,
    connect_s=PATIENCE_S,
    max_answer_bytes=1000,
    concurrency=32,
    platform_id="partner",
    allow_private=True,
)
NAME = "partner.example"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def client(authority: trustme.CA) -> AsyncIterator[PartnerClient]:
    """A client that trusts the authority and finds every name on this machine."""
    tls = strict_tls()
    authority.configure_trust(tls)
    client = PartnerClient(tls=tls, lookup=lambda _: ["127.0.0.1"])
    yield client
    await client.close()


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def refused(client: PartnerClient, tls: ssl.SSLContext, host: str = NAME) -> None:
    async with HostilePartner(answering(answer()), tls=tls) as partner:
        with pytest.raises(ReceiverUnreachable):
            await client.call(Call("GET", partner.url(host=host), []), LIMITS)
    assert partner.received == []


async def test_a_partner_with_a_good_certificate_is_called_by_its_name(
    client: PartnerClient, authority: trustme.CA
) -> None:
    asked: list[str | None] = []
    tls = serving(authority.issue_cert(NAME))
    tls.sni_callback = lambda _, name, __: asked.append(name)
    async with HostilePartner(answering(answer()), tls=tls) as partner:
        for _ in range(2):
            assert (await client.call(Call("GET", partner.url(host=NAME), []), LIMITS)).body == b"{}"
    assert asked == [NAME]
    assert f"Host: {NAME}:{partner.port}\r\n" in partner.received[0].head


async def test_a_partner_may_be_an_address_with_a_certificate_for_it(
    client: PartnerClient, authority: trustme.CA
) -> None:
    async with HostilePartner(answering(answer()), tls=serving(authority.issue_cert("127.0.0.1"))) as partner:
        assert (await client.call(Call("GET", partner.url(), []), LIMITS)).body == b"{}"


async def test_a_certificate_for_another_name_is_refused(client: PartnerClient, authority: trustme.CA) -> None:
    await refused(client, serving(authority.issue_cert("other.example")))


async def test_a_certificate_for_a_name_does_not_do_for_an_address(
    client: PartnerClient, authority: trustme.CA
) -> None:
    await refused(client, serving(authority.issue_cert(NAME)), host="127.0.0.1")


async def test_an_expired_certificate_is_refused(client: PartnerClient, authority: trustme.CA) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await refused(client, serving(authority.issue_cert(NAME, not_after=yesterday)))


async def test_a_certificate_nobody_vouches_for_is_refused(client: PartnerClient) -> None:
    await refused(client, serving(trustme.CA().issue_cert(NAME)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_tls_older_than_1_2_is_refused(
    client: PartnerClient, authority: trustme.CA, version: ssl.TLSVersion
) -> None:
    tls = serving(authority.issue_cert(NAME))
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, version
    tls.set_ciphers("ALL:@SECLEVEL=0")
    await refused(client, tls)


async def test_a_partner_without_tls_behind_https_is_unreachable(client: PartnerClient) -> None:
    async def speaking_plainly(visit: Visit) -> None:
        await visit.send(answer(status="400 Bad Request"))

    async with HostilePartner(speaking_plainly) as partner:
        with pytest.raises(ReceiverUnreachable):
            await client.call(Call("GET", f"https://{NAME}:{partner.port}/", []), LIMITS)


async def test_a_handshake_that_is_never_answered_ends_with_the_time_to_connect(client: PartnerClient) -> None:
    limits = CallLimits(PATIENCE_S, 0.2, 1000, 32, "partner", allow_private=True)
    async with HostilePartner(silent) as partner:
        with pytest.raises(ReceiverUnreachable, match="in time"):
            await client.call(Call("GET", f"https://{NAME}:{partner.port}/", []), limits)
        await partner.until(lambda: partner.open == 0)


async def test_a_server_that_takes_no_connection_ends_with_the_time_to_connect(client: PartnerClient) -> None:
    limits = CallLimits(PATIENCE_S, 0.2, 1000, 32, "partner", allow_private=True)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        address = listening.getsockname()
        with socket.create_connection(address), socket.socket() as queued:
            queued.setblocking(False)
            queued.connect_ex(address)  # now the queue is full, and further attempts go unanswered
            with pytest.raises(ReceiverUnreachable, match="in time"):
                await client.call(Call("GET", f"http://{NAME}:{address[1]}/", []), limits)


async def test_calls_that_are_given_up_at_any_moment_leave_no_connection_open(
    client: PartnerClient, authority: trustme.CA
) -> None:
    one_at_once = msgspec.structs.replace(LIMITS, concurrency=1)
    async with HostilePartner(answering(answer()), tls=serving(authority.issue_cert(NAME))) as partner:
        call = Call("PUT", partner.url(host=NAME), [], b"{}")
        for turns in range(30):  # while the name is resolved, the connection made, hands shaken, the answer read
            given_up = asyncio.create_task(client.call(call, one_at_once))
            for _ in range(turns):
                await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.gather(given_up, return_exceptions=True)
        assert (await client.call(call, one_at_once)).body == b"{}"
        await partner.until(lambda: partner.open == 1)
        await client.close()
        await partner.until(lambda: partner.open == 0)
