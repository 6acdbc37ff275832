"""One platform, from first token to connected, and out again. OCPI 2.2.1, "Credentials".

- `registrar`    the hub as receiver: a platform registers here
- `initiator`    the hub as initiator: it registers at a platform, replaces tokens, takes a platform out
- `hub_side`     what both have in common: what the hub says of itself, and what it takes from a partner
- `partner_api`  what the hub asks of a partner meanwhile: its versions, its details, its credentials
- `terms`        what may be agreed on with it
- `steps`        notes how that goes, `attempts` puts it together, `causes` knows why it failed
"""

from hub.registration.hub_side import HubSide
from hub.registration.initiator import Initiator
from hub.registration.partner_api import PartnerRefused
from hub.registration.registrar import Registrar
from hub.registration.steps import Steps

__all__ = ["HubSide", "Initiator", "PartnerRefused", "Registrar", "Steps"]
