# The hub as an image: nothing but Python, the locked packages and the hub, run by a user of its own.
#
#   docker build --tag ocpi-hub .
#   docker build --tag ocpi-hub --build-arg REQUIREMENTS=requirements-otel.txt .     with what HUB_TRACES_URL takes
#   docker run --rm --publish 8000:8000 --volume ocpi-hub:/srv/hub/var ocpi-hub
#
# ops/compose.yaml runs it with PostgreSQL and Redis.

FROM python:3.13-slim-bookworm AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# The locked packages come first: they change less often than the hub, so their layer is reused.
ARG REQUIREMENTS=requirements.txt
COPY requirements.txt requirements-otel.txt requirements-build.txt ./
RUN python -m venv --without-pip /opt/hub \
    && pip --python /opt/hub/bin/python install --require-hashes -r "${REQUIREMENTS}" \
    && pip install --require-hashes -r requirements-build.txt

COPY pyproject.toml README.md LICENSE ./
COPY routing routing
COPY hub hub
COPY loadtests loadtests
RUN pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist . \
    && pip --python /opt/hub/bin/python install --no-deps --no-index dist/*.whl


FROM python:3.13-slim-bookworm

RUN groupadd --gid 10001 hub \
    && useradd --uid 10001 --gid 10001 --home-dir /srv/hub --create-home --shell /usr/sbin/nologin hub \
    && install -d -o hub -g hub -m 700 /srv/hub/var
COPY --from=build /opt/hub /opt/hub

ENV PATH="/opt/hub/bin:${PATH}" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HUB_HOST=0.0.0.0 HUB_LOG_FORMAT=json
WORKDIR /srv/hub
USER 10001
VOLUME ["/srv/hub/var"]

# 8000 is for partners. The operator listener (8001) stays inside until HUB_OPERATOR_HOST lets it out.
EXPOSE 8000
STOPSIGNAL SIGTERM

# Not with urllib: it would ask the proxy that HTTP_PROXY names, which Docker may hand to every container.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; hub = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('HUB_OPERATOR_PORT') or 8001), timeout=2); hub.request('GET', '/healthz'); sys.exit(hub.getresponse().status != 200)"]

CMD ["ocpi-hub", "serve"]
