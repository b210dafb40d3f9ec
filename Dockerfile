# The environment that the book is built in, and `make book`:
#
#   docker build --tag hsu .                          with --build-arg TORCH=cu130 for NVIDIA GPUs
#   docker run --rm --volume "$PWD/_build:/hsu/_build" hsu
#
# The second leaves the pages in _build/html. Behind it stands what else is to be run, such as
# `make book PROFILE=quick`; with --gpus all where there are any.
ARG PYTHON=3.12
FROM python:${PYTHON}-slim
ARG TORCH=cpu
ENV UV_TORCH_BACKEND=${TORCH} PATH=/hsu/.venv/bin:${PATH}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /hsu
COPY . .
RUN make .venv/.ready
CMD ["make", "book"]
