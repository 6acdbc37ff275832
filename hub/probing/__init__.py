"""Finding out which platforms are there. OCPI 2.2.1, "HubClientInfo", Still alive check.

- `probes`   one look at a partner's versions endpoint
- `schedule` who is looked at when, and what follows from what was found
- `rounds`   looking, and settling who is OFFLINE: the duty of the process that leads
"""

from hub.probing.rounds import probing

__all__ = ["probing"]
