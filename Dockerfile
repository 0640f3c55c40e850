# One image for every program: `dayfly admission`, `dayfly operator`, `dayfly certs`, …
#   make image            builds dayfly:0.1.0, the tag that manifests/base names
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/runtime.txt requirements/
RUN python -m venv /opt/dayfly \
 && /opt/dayfly/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY . .
RUN pip wheel --no-cache-dir --no-deps -w /tmp/wheel . \
 && /opt/dayfly/bin/pip install --no-cache-dir --no-deps /tmp/wheel/dayfly-*.whl \
 # The root file system is read-only: without .pyc files every start would compile for seconds.
 && /opt/dayfly/bin/python -m compileall -q /opt/dayfly/lib

FROM python:3.13-slim
# No module of the working directory may shadow an installed one.
ENV PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/opt/dayfly/bin:$PATH
COPY --from=build /opt/dayfly /opt/dayfly
USER 65532:65532
ENTRYPOINT ["dayfly"]
