# docker build -t datacue-proxy . && docker run -p 8000:8000 -v datacue:/data -e DATACUE_UPSTREAM=http://shop:8080 datacue-proxy
ARG PYTHON=3.11

# Wheels, each checked against its hash, in an environment that is copied as a whole.
FROM python:${PYTHON}-slim AS build
COPY requirements.txt /build/requirements.txt
RUN python -m venv /opt/datacue \
 && /opt/datacue/bin/pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --no-deps --only-binary :all: -r /build/requirements.txt
COPY pyproject.toml README.md LICENSE /app/
COPY proxy /app/proxy
COPY templates /app/templates
COPY static /app/static
RUN /opt/datacue/bin/python -m compileall -q /app/proxy

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin datacue \
 && install -d -o datacue -g datacue -m 0750 /data
COPY --from=build /opt/datacue /opt/datacue
COPY --from=build /app /app
# SAFEPATH: what lies in the working folder is never imported.
ENV PATH=/opt/datacue/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATACUE_LISTEN=0.0.0.0:8000 \
    DATACUE_STATE_DIR=/data
USER datacue
# A datacue.toml that is put here is read.
WORKDIR /data
VOLUME /data
EXPOSE 8000
# The admin address stays on the container's own loopback; /healthz asks for no token.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8001/healthz', timeout=3)"]
ENTRYPOINT ["python", "-m", "proxy"]
CMD ["run"]
