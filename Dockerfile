# The server, its commands and opendai-agent in one image; docker-compose.yml shows how they go together.

FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/opendai
# Apart from the code, so that a change of the code alone installs nothing of this again.
COPY requirements-runtime.lock ./
RUN /opt/opendai/bin/pip install --require-hashes --requirement requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY migrations migrations
COPY src src
RUN pip wheel --no-deps --wheel-dir dist . && /opt/opendai/bin/pip install --no-deps dist/*.whl

FROM python:3.13-slim-bookworm
COPY --from=build /opt/opendai /opt/opendai
# A number and not a name: an orchestrator can see that it is not root. A new volume takes over owner and mode.
RUN install -d -o 10001 -g 10001 -m 0700 /data
ENV PATH=/opt/opendai/bin:$PATH PYTHONUNBUFFERED=1 OPENDAI_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8000
# http.client and not urllib.request, which would go through a proxy of the environment.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import http.client, sys; \
server = http.client.HTTPConnection('127.0.0.1', 8000, timeout=3); \
server.request('GET', '/healthz'); \
sys.exit(server.getresponse().status != 200)"]
ENTRYPOINT ["opendai"]
CMD ["serve", "--host", "0.0.0.0"]
