"""What the hub says about itself while it runs: log lines and metrics.

Every module that has something to say holds one logger and names events in the past tense, with fields instead of
prose. Parties may be passed as they are and are written NL*ABC:

    log: FilteringBoundLogger = structlog.get_logger()
    log.info("message_forwarded", module=module, method=method, hub_ms=0.4)

`bind_fields` puts fields (ids, parties) on every further line of the task that carries one message.
"""

from structlog.typing import FilteringBoundLogger

from hub.observability.logs import (
    LogSettings,
    MessageLine,
    bind_fields,
    configure_logging,
    flush_logs,
    log_message,
)
from hub.observability.metrics import PLATFORM_LABELS, ROUTES, Metrics
from hub.observability.shared_metrics import prepare_shared_metrics, process_ended
from hub.plain_text import readable

__all__ = [
    "PLATFORM_LABELS",
    "ROUTES",
    "FilteringBoundLogger",
    "LogSettings",
    "MessageLine",
    "Metrics",
    "bind_fields",
    "configure_logging",
    "flush_logs",
    "log_message",
    "prepare_shared_metrics",
    "process_ended",
    "readable",
]
