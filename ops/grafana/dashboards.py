"""The four pages: traffic, partners, translation losses, saturation."""

from __future__ import annotations

from typing import Final

from ops.grafana.panels import Dashboard, Panel, Row

_JOB: Final = 'job=~"$job"'
_SUCCESS: Final = 'ocpi_status=~"1000|unread"'
_NO_SUCCESS: Final = 'ocpi_status!~"1000|unread"'
_FRACTIONS: Final = (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))


def _of(metric: str, *conditions: str) -> str:
    """The series of the hub that was chosen."""
    return f"ocpi_hub_{metric}{{{','.join((_JOB, *conditions))}}}"


def _rate(metric: str, *conditions: str, by: str = "") -> str:
    """How many a second, all processes together."""
    return f"sum{f' by ({by})' if by else ''} (rate({_of(metric, *conditions)}[$__rate_interval]))"


def _quantile(fraction: str, metric: str, *conditions: str, by: str = "") -> str:
    return f"histogram_quantile({fraction}, {_rate(f'{metric}_bucket', *conditions, by=f'le, {by}' if by else 'le')})"


def _quantiles(metric: str) -> tuple[tuple[str, str], ...]:
    return tuple((_quantile(fraction, metric), name) for fraction, name in _FRACTIONS)


def _share(part: str, whole: str) -> str:
    return f"{part} / {whole}"


def _most(expression: str, number: int = 10) -> str:
    return f"topk({number}, {expression})"


_HERE: Final = 'platform=~"$platform"'
_REFUSED: Final = 'loss=~"RF-.*|M-03|M-09|M-12|M-35|M-43|M-55|M-73|M-81"'
"""Rules of the catalogue that refuse what they find, see docs/translation.md."""

TRAFFIC = Dashboard(
    uid="ocpi-hub-traffic",
    title="OCPI hub: traffic",
    help="How many messages, of which kind, how they end, and how long they take.",
    rows=(
        Row(
            "Now",
            (
                Panel("Messages", ((_rate("messages_total"), ""),), "reqps", "stat", 6),
                Panel(
                    "Answered with success",
                    ((_share(_rate("messages_total", _SUCCESS), _rate("messages_total")), ""),),
                    "percentunit",
                    "stat",
                    6,
                ),
                Panel("In flight", ((f"sum({_of('messages_inflight')})", ""),), "short", "stat", 6),
                Panel("Processes that are ready", ((f"sum({_of('ready')})", ""),), "short", "stat", 6),
            ),
        ),
        Row(
            "Messages",
            (
                Panel("By module", ((_rate("messages_total", by="module"), "{{module}}"),), "reqps", stacked=True),
                Panel("By route", ((_rate("messages_total", by="route"), "{{route}}"),), "reqps", stacked=True),
                Panel(
                    "By versions",
                    (
                        (
                            _rate("messages_total", by="source_version, target_version"),
                            "{{source_version}} → {{target_version}}",
                        ),
                    ),
                    "reqps",
                    stacked=True,
                    help="From the version of who sent it to that of who got it; none: nobody was called.",
                ),
                Panel(
                    "Answers that are no success",
                    ((_rate("messages_total", _NO_SUCCESS, by="ocpi_status"), "{{ocpi_status}}"),),
                    "reqps",
                    help="4001 unknown receiver, 4002 and 4003 the partner does not answer, 3000 the hub itself.",
                ),
            ),
        ),
        Row(
            "Time",
            (
                Panel("Whole time in the hub, the partner's included", _quantiles("message_seconds"), "s"),
                Panel("The partner's part of it", _quantiles("upstream_seconds"), "s"),
                Panel(
                    "Whole time by module, p95",
                    ((_quantile("0.95", "message_seconds", by="module"), "{{module}}"),),
                    "s",
                ),
                Panel(
                    "Broadcast deliveries by outcome",
                    ((_rate("broadcast_deliveries_total", by="outcome"), "{{outcome}}"),),
                    "reqps",
                    stacked=True,
                ),
            ),
        ),
    ),
)

PARTNERS = Dashboard(
    uid="ocpi-hub-partners",
    title="OCPI hub: partners",
    help="Who is there, who answers how fast, and who causes how much. Platforms have their ids as names.",
    variables=(("platform", "ocpi_hub_upstream_seconds_count"),),
    rows=(
        Row(
            "The network",
            (
                Panel("Platforms", ((f"max by (status) ({_of('platforms')})", "{{status}}"),), width=8),
                Panel("Parties", ((f"max by (status) ({_of('parties')})", "{{status}}"),), width=8),
                Panel(
                    "Open events",
                    ((f"max by (kind) ({_of('events_open')}) > 0", "{{kind}}"),),
                    width=8,
                    help="docs/events.md says what to do about each.",
                ),
            ),
        ),
        Row(
            "Calls at partners",
            (
                Panel(
                    "Calls, the ten most",
                    ((_most(_rate("upstream_seconds_count", _HERE, by="platform")), "{{platform}}"),),
                    "reqps",
                ),
                Panel(
                    "Time to answer, p95, the ten slowest",
                    ((_most(_quantile("0.95", "upstream_seconds", _HERE, by="platform")), "{{platform}}"),),
                    "s",
                ),
                Panel(
                    "Calls without an answer",
                    ((_rate("upstream_failures_total", _HERE, by="platform, reason"), "{{platform}} {{reason}}"),),
                    "reqps",
                ),
                Panel(
                    "Share of calls without an answer",
                    (
                        (
                            _share(
                                _rate("upstream_failures_total", _HERE, by="platform"),
                                _rate("upstream_seconds_count", _HERE, by="platform"),
                            ),
                            "{{platform}}",
                        ),
                    ),
                    "percentunit",
                    limit=0.05,
                ),
                Panel(
                    "Not called at present",
                    ((f"max by (platform) ({_of('circuit_open', _HERE)}) > 0", "{{platform}}"),),
                    kind="table",
                    help="Platforms whose circuit is open.",
                ),
                Panel(
                    "ClientInfo pushes by outcome",
                    ((_rate("client_info_pushes_total", by="outcome"), "{{outcome}}"),),
                    "reqps",
                ),
            ),
        ),
        Row(
            "What they cause",
            (
                Panel(
                    "Messages of platforms, the ten most",
                    ((_most(_rate("platform_requests_total", _HERE, by="platform")), "{{platform}}"),),
                    "reqps",
                ),
                Panel(
                    "Calls for each message, the ten most",
                    (
                        (
                            _most(
                                _share(
                                    _rate("platform_calls_total", _HERE, by="platform"),
                                    _rate("platform_requests_total", _HERE, by="platform"),
                                )
                            ),
                            "{{platform}}",
                        ),
                    ),
                ),
            ),
        ),
    ),
)

LOSSES = Dashboard(
    uid="ocpi-hub-losses",
    title="OCPI hub: translation losses",
    help="What changes of version cost: what is lost by which rule, what is refused, how much work it is.",
    variables=(("loss", "ocpi_hub_translation_losses_total"),),
    rows=(
        Row(
            "Losses",
            (
                Panel(
                    "Losses, the ten rules with most",
                    ((_most(_rate("translation_losses_total", 'loss=~"$loss"', by="loss")), "{{loss}}"),),
                    "cps",
                    help="docs/translation.md says what each rule does. One that starts to grow is a partner that "
                    "began to use something new.",
                ),
                Panel(
                    "Within a day, by rule",
                    (
                        (
                            f"""sum by (loss) (increase({_of("translation_losses_total", 'loss=~"$loss"')}[1d])) > 0""",
                            "{{loss}}",
                        ),
                    ),
                    kind="table",
                ),
                Panel(
                    "Refused, by rule",
                    ((_rate("translation_losses_total", _REFUSED, by="loss"), "{{loss}}"),),
                    "cps",
                    help="Messages that could not be said in the receiver's version at all.",
                ),
                Panel(
                    "Broadcasts that some receivers could not be told",
                    ((_rate("broadcast_deliveries_total", 'outcome="untranslatable"', by="module"), "{{module}}"),),
                    "cps",
                ),
            ),
        ),
        Row(
            "Work",
            (
                Panel(
                    "Bodies translated",
                    (
                        (
                            _rate("translation_seconds_count", by="source_version, target_version"),
                            "{{source_version}} → {{target_version}}",
                        ),
                    ),
                    "cps",
                    stacked=True,
                ),
                Panel(
                    "Time for one body, p95",
                    ((_quantile("0.95", "translation_seconds", by="module"), "{{module}}"),),
                    "s",
                ),
                Panel(
                    "Cores that translation takes",
                    ((_rate("translation_seconds_sum", by="module"), "{{module}}"),),
                    stacked=True,
                ),
            ),
        ),
    ),
)

SATURATION = Dashboard(
    uid="ocpi-hub-saturation",
    title="OCPI hub: saturation",
    help="How full each process is. docs/operating.md, Saturation, says what to do.",
    rows=(
        Row(
            "Processes",
            (
                Panel(
                    "Cores in use",
                    (('rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval])', "{{instance}}"),),
                    limit=0.9,
                    help="A process has one. HUB_WORKERS above 1: not shown, see the machine's own figures.",
                ),
                Panel(
                    "Event loop lag, worst of 15 seconds",
                    ((_of("event_loop_lag_seconds"), "{{instance}}"),),
                    "s",
                    limit=0.1,
                ),
                Panel("Messages in flight", ((_of("messages_inflight"), "{{instance}}"),)),
                Panel("Messages", ((_rate("messages_total", by="instance"), "{{instance}}"),), "reqps", stacked=True),
                Panel("Memory", (('process_resident_memory_bytes{job=~"$job"}', "{{instance}}"),), "bytes"),
                Panel(
                    "Open files, of those allowed",
                    (('process_open_fds{job=~"$job"} / process_max_fds{job=~"$job"}', "{{instance}}"),),
                    "percentunit",
                    limit=0.8,
                ),
            ),
        ),
        Row(
            "What waits",
            (
                Panel("Broadcast deliveries under way", ((_of("broadcast_inflight"), "{{instance}}"),), limit=200),
                Panel(
                    "Journal entries not written yet",
                    ((_of("journal_waiting"), "{{instance}}"),),
                    limit=50_000,
                ),
                Panel(
                    "Journal entries",
                    (
                        (_rate("journal_written_total"), "written"),
                        (_rate("journal_dropped_total"), "dropped"),
                    ),
                    "cps",
                ),
                Panel(
                    "Calls that waited for a slot in vain",
                    ((_rate("upstream_failures_total", 'reason="not_tried"', by="platform"), "{{platform}}"),),
                    "cps",
                ),
            ),
        ),
        Row(
            "Together",
            (
                Panel(
                    "Age of the directory", ((_of("directory_snapshot_age_seconds"), "{{instance}}"),), "s", limit=30
                ),
                Panel(
                    "Changes of the directory",
                    ((_rate("directory_reloads_total", by="instance"), "{{instance}}"),),
                    "cps",
                ),
                Panel("Who leads", ((_of("leads"), "{{instance}}"),)),
                Panel("Ready", ((_of("ready"), "{{instance}}"),)),
            ),
        ),
    ),
)

DASHBOARDS = (TRAFFIC, PARTNERS, LOSSES, SATURATION)
