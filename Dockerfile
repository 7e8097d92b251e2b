# Trainyard's images: `api` (no TensorFlow), `migrate` (the same), `worker-cpu` and `worker-gpu`. Build one with `--target`.
# A base image of your own needs Python 3.11 with venv, groupadd and useradd.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# ── what every image starts from ─────────────────────────────────────────────
FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PATH=/opt/trainyard/venv/bin:$PATH
RUN groupadd --gid 10001 trainyard \
 && useradd --uid 10001 --gid trainyard --home-dir /var/lib/trainyard --create-home trainyard \
 && install --directory --owner trainyard --group trainyard /var/lib/trainyard/blobs

# ── environments, built where compilers and caches may stay behind ───────────
FROM base AS build
COPY requirements-uv.txt /tmp/
RUN python3 -m venv /opt/trainyard/venv && pip install --no-cache-dir --require-hashes -r /tmp/requirements-uv.txt
COPY pyproject.toml README.md LICENSE /src/
COPY records /src/records
COPY api /src/api
COPY worker /src/worker
COPY ml /src/ml
COPY trainyard /src/trainyard
COPY migrations /src/migrations

FROM build AS build-api
COPY docker/requirements-api.lock /tmp/
RUN uv pip install --no-cache --require-hashes -r /tmp/requirements-api.lock && uv pip install --no-cache --no-deps /src

FROM build AS build-worker-cpu
COPY docker/requirements-worker-cpu.lock /tmp/
RUN uv pip install --no-cache --require-hashes -r /tmp/requirements-worker-cpu.lock \
 && uv pip install --no-cache --no-deps /src

FROM build AS build-worker-gpu
COPY docker/requirements-worker-gpu.lock /tmp/
RUN uv pip install --no-cache --require-hashes -r /tmp/requirements-worker-gpu.lock \
 && uv pip install --no-cache --no-deps /src

# ── the images ───────────────────────────────────────────────────────────────
FROM base AS api
COPY --from=build-api /opt/trainyard/venv /opt/trainyard/venv
USER 10001:10001
WORKDIR /var/lib/trainyard
ENV TRAINYARD_HOME=/var/lib/trainyard
STOPSIGNAL SIGTERM
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python3", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
# Loaded once and then forked, so that its processes share memory and count latencies together. A thread for each event
# stream (8) and each wait for a prediction (4) besides those for short requests.
CMD ["gunicorn", "api.app:from_environment()", "--bind", "0.0.0.0:8080", "--preload", "--no-control-socket", \
     "--worker-class", "gthread", "--workers", "2", "--threads", "20", "--worker-tmp-dir", "/dev/shm", \
     "--graceful-timeout", "10", "--log-level", "warning"]

FROM api AS migrate
HEALTHCHECK NONE
CMD ["trainyard", "migrate", "--hide-token"]

FROM base AS worker-cpu
COPY --from=build-worker-cpu /opt/trainyard/venv /opt/trainyard/venv
USER 10001:10001
WORKDIR /var/lib/trainyard
ENV TRAINYARD_HOME=/var/lib/trainyard
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python3", "-m", "worker.healthy"]
CMD ["python3", "-m", "worker"]

FROM base AS worker-gpu
COPY --from=build-worker-gpu /opt/trainyard/venv /opt/trainyard/venv
USER 10001:10001
WORKDIR /var/lib/trainyard
ENV TRAINYARD_HOME=/var/lib/trainyard
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python3", "-m", "worker.healthy"]
CMD ["python3", "-m", "worker"]
