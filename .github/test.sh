#!/usr/bin/env bash
# Every check of the workflows and of the action: `.github/test.sh`. Needs Python 3.11 or newer and the binary that `cargo build`
# makes; zizmor comes pinned, into target/.
set -euo pipefail
cd "$(dirname "$0")"

python=${PYTHON:-python3}
venv=$PWD/../target/workflows-venv
stamp=$(cat scripts/requirements.txt <("$python" -VV) <(echo "$venv") | sha256sum)
if [[ ! -e $venv/stamp || $(<"$venv/stamp") != "$stamp" ]]; then
  rm -rf "$venv"
  "$python" -m venv "$venv" || { echo "$0: python's venv module is missing (Debian: python3-venv)" >&2; exit 1; }
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r scripts/requirements.txt
  echo "$stamp" >"$venv/stamp"
fi

echo "== zizmor"
"$venv/bin/zizmor" --offline --strict-collection --persona=pedantic . ../action.yml

echo "== scripts"
(cd scripts && "$venv/bin/python" -m unittest -q)
