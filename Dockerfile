# Trainyard's images: `api` (no TensorFlow), `worker-cpu` and `worker-gpu`. Build one with `--target`.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# ── what every image starts from ─────────────────────────────────────────────
FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PATH=/opt/trainyard/venv/bin:$PATH
RUN groupadd --gid 10001 trainyard \
 && useradd --uid 10001 --gid trainyard --home-dir /var/lib/trainyard --create-home trainyard

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
USER trainyard
ENV TRAINYARD_HOME=/var/lib/trainyard
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python3", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["gunicorn", "api.app:from_environment()", "--bind", "0.0.0.0:8080", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "16", "--worker-tmp-dir", "/dev/shm"]

FROM base AS worker-cpu
COPY --from=build-worker-cpu /opt/trainyard/venv /opt/trainyard/venv
USER trainyard
ENV TRAINYARD_HOME=/var/lib/trainyard
STOPSIGNAL SIGTERM
CMD ["python3", "-m", "worker"]

FROM base AS worker-gpu
COPY --from=build-worker-gpu /opt/trainyard/venv /opt/trainyard/venv
USER trainyard
ENV TRAINYARD_HOME=/var/lib/trainyard
STOPSIGNAL SIGTERM
CMD ["python3", "-m", "worker"]
