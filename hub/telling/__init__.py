"""Telling platforms who is there: a PUT of every ClientInfo that changed. OCPI 2.2.1, "HubClientInfo", Push model.

- `news`      what changed, in the order in which it did
- `receivers` who is told, and how far each was
- `pushes`    one PUT
- `pace`      how many PUTs begin now
- `rounds`    who is told what next: the duty of the process that leads

Each platform gets one attempt for each role of each party that changed. What changes again before a platform was told
of it is told once, as it is then. Nothing is kept for a platform that is not there: it reads the list when it is back.
"""

from hub.telling.rounds import telling

__all__ = ["telling"]
