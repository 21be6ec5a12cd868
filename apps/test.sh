#!/usr/bin/env bash
# Every check of the services and the site: `apps/test.sh`. Needs Python 3.11 and node 20, or newer.
# The tools come from requirements-dev.txt, pinned with hashes, into a virtual environment below target/.
set -euo pipefail
cd "$(dirname "$0")"

python=${PYTHON:-python3}
venv=${APPS_VENV:-$PWD/../target/apps-venv}

# The environment is remade when the requirements, this interpreter or the place of the folder are others than before.
stamp=$(cat requirements-dev.txt <("$python" -VV) <(echo "$venv") | sha256sum)
if [[ ! -e $venv/stamp || $(<"$venv/stamp") != "$stamp" ]]; then
  rm -rf "$venv"
  "$python" -m venv "$venv" || { echo "$0: python's venv module is missing (Debian: python3-venv)" >&2; exit 1; }
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
  echo "$stamp" >"$venv/stamp"
fi
export PATH="$venv/bin:$PATH"

echo "== ruff"
ruff check .
ruff check --config ruff.toml ../.github
ruff format --check .
ruff format --check --config ruff.toml ../.github

echo "== the services' copies of web/ are the same"
diff -r -x __pycache__ fastapi-a/src/items_api/web fastapi-b/src/reports_api/web

for app in fastapi-a fastapi-b; do
  echo "== $app"
  (cd "$app" && mypy && pytest -q --cov)
done

echo "== all together"
pytest -q test_dev.py

echo "== site"
command -v node >/dev/null || { echo "$0: node is missing; the site's tests need version 20 or newer" >&2; exit 1; }
node --test site/test/*.test.js
