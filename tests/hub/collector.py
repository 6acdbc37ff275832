"""An OpenTelemetry collector, as far as a hub sees one: it takes spans by OTLP/HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

WITHIN_S = 10.0
CORRELATION_ID = "ocpi.correlation_id"
Attributes = Mapping[str, str | int]


class SpanSeen(NamedTuple):
    """One span. Ids are in hexadecimal, and empty where there is none; times are nanoseconds since 1970."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    began: int
    ended: int
    is_failed: bool
    attributes: Attributes
    links: list[tuple[str, str]]
    state: str
    resource: Attributes


class Collector:
    """Takes spans while the block lasts, and keeps them."""

    def __init__(self) -> None:
        self.spans: list[SpanSeen] = []
        self.bodies: list[bytes] = []
        self._more = threading.Condition()
        collector = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                is_traces = self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
                if is_traces:
                    collector._take(body)
                self.send_response(200 if is_traces else 404)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def message(self, correlation_id: str | None) -> tuple[SpanSeen, list[SpanSeen]]:
        """The span of a message, and those of what was done for it until it was answered."""
        spans = self.until(correlation_id, lambda spans: any(each.kind == "SERVER" for each in spans))
        [whole] = [each for each in spans if each.kind == "SERVER"]
        return whole, [each for each in spans if each is not whole]

    def of(self, correlation_id: str | None, *, count: int) -> list[SpanSeen]:
        """The spans with this correlation id, as soon as there are so many."""
        return self.until(correlation_id, lambda spans: len(spans) >= count)

    def until(self, correlation_id: str | None, are_all: Callable[[list[SpanSeen]], bool]) -> list[SpanSeen]:
        """The spans with this correlation id, as soon as they are all, in the order in which they began.

        Raises:
            TimeoutError: they do not come.
        """
        deadline = time.monotonic() + WITHIN_S
        with self._more:
            while not are_all(
                found := [each for each in self.spans if each.attributes[CORRELATION_ID] == correlation_id]
            ):
                if not self._more.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"more spans expected than {found}")
        return sorted(found, key=lambda span: (span.began, -span.ended))

    def _take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        with self._more:
            self.bodies.append(body)
            for of_resource in request.resource_spans:
                resource = _read(of_resource.resource.attributes)
                for of_scope in of_resource.scope_spans:
                    self.spans += [_seen(span, resource) for span in of_scope.spans]
            self._more.notify_all()


def _seen(span: Span, resource: Attributes) -> SpanSeen:
    return SpanSeen(
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        is_failed=span.status.code == Status.STATUS_CODE_ERROR,
        attributes=_read(span.attributes),
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        state=span.trace_state,
        resource=resource,
    )


def _read(attributes: Iterable[KeyValue]) -> Attributes:
    texts = {each.key: each.value.string_value for each in attributes if each.value.HasField("string_value")}
    return texts | {each.key: each.value.int_value for each in attributes if each.value.HasField("int_value")}
