"""The operator's side of the hub: JSON over HTTP on a listener of its own, which no partner reaches.

access.py     who may: the operator token
resources.py  what goes in and out, and how it follows from what the store knows
platforms.py  /api/v1/platforms
parties.py    /api/v1/parties
health.py     /healthz, /readyz, /metrics, /api/v1/drain
problems.py   every error, as a problem document
app.py        the parts put together
client.py     the same API from the other end, for the command line
"""
