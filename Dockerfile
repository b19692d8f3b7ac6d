# The sandbox as a container: a SignPath to try pipelines on. It has no login, so let only what may sign reach it.
#   docker build --tag signpath-sandbox . && docker run --publish 127.0.0.1:8765:8765 signpath-sandbox
FROM python:3.13-slim-bookworm

# Signs installers (MSI).
RUN apt-get update \
 && apt-get install --yes --no-install-recommends osslsigncode \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/signpath-ci
COPY pyproject.toml README.md LICENSE ./
COPY requirements/dev.txt requirements/
COPY src src
# The lock is that of development, of which the sandbox needs a part; pip takes from it the versions and no more.
RUN sed -E 's/ \\$//; /^ +--hash/d; /^ *#/d' requirements/dev.txt > /tmp/constraints.txt \
 && pip install --no-cache-dir --constraint /tmp/constraints.txt '.[sandbox]' \
 && useradd --create-home --uid 10001 sandbox \
 && install --directory --owner=sandbox --mode=0700 /var/lib/sandbox

USER sandbox
VOLUME /var/lib/sandbox
EXPOSE 8765
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/health')"]
# Names by which other containers call it come from SIGNPATH_SANDBOX_ALLOW_HOST, one a line.
ENV SIGNPATH_SANDBOX_ALLOW_HOST=sandbox
ENTRYPOINT ["signpath-ci", "sandbox", "--host", "0.0.0.0", "--state", "/var/lib/sandbox"]
