"""A partner of the hub, simulated: a real HTTP server and client that speak OCPI 2.1.1, 2.2, 2.2.1 and 2.3.0.

Tests, the demo and load tests use this one. Read it in this order:

- `partner`        `Partner`, the one thing to use
- `messages`       a request received, an answer, the envelope
- `ledger`         what was received, and waiting for it
- `misbehaviour`   what can be wrong with a partner
- `registration`   versions and credentials, both directions
- `interfaces`     the functional modules
- `objects`        what the partner holds
- `stations`       realistic locations, tariffs, tokens, sessions and CDRs to hold
- `shapes`         what differs between versions
- `client`, `site`, `server`  HTTP out, HTTP in, and the thread they live on
"""

from loadtests.simulator.ledger import Ledger
from loadtests.simulator.messages import Answer, Envelope, Json, Received, envelope
from loadtests.simulator.misbehaviour import Behaviour
from loadtests.simulator.partner import Partner
from loadtests.simulator.registration import HubRefused

__all__ = ["Answer", "Behaviour", "Envelope", "HubRefused", "Json", "Ledger", "Partner", "Received", "envelope"]
