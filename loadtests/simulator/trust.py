"""Whom all HTTP clients of this process trust."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def usual_authorities() -> ssl.SSLContext:
    """Those that httpx trusts. Loading them takes 15 ms of a processor, which a thousand partners would notice."""
    return httpx.create_ssl_context(trust_env=False)
