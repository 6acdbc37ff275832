"""One platform, from first token to connected, and out again. OCPI 2.2.1, "Credentials".

- `registrar`    what happens: a platform registers here, or the hub registers there
- `partner_api`  what the hub asks of a partner meanwhile: its versions, its details, its credentials
- `terms`        what may be agreed on with it
"""

from hub.registration.partner_api import PartnerRefused
from hub.registration.registrar import Registrar

__all__ = ["PartnerRefused", "Registrar"]
