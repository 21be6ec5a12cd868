#!/usr/bin/env bash
# Pin every dependency, direct or not, with its hashes. Run after a change of a pyproject.toml or of requirements-dev.in;
# `lock.sh --upgrade` takes newer versions. Needs uv (`pip install uv`).
set -euo pipefail
cd "$(dirname "$0")"

compile() { # universal: one file for every Python from 3.11 and for every platform
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command apps/lock.sh "$@"
}

compile "$@" fastapi-a/pyproject.toml -o fastapi-a/requirements.txt
compile "$@" -c fastapi-a/requirements.txt fastapi-b/pyproject.toml -o fastapi-b/requirements.txt
compile "$@" requirements-dev.in -o requirements-dev.txt
compile "$@" ../.github/scripts/requirements.in -o ../.github/scripts/requirements.txt
