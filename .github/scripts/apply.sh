#!/usr/bin/env bash
# apply.sh INFRA DIRECTORY [PROJECT]: do what DIRECTORY/plan.json says, exactly that, and tell in the step summary.
#
# Fails as `infra apply` fails: also where anything has changed since the plan was made.
set -euo pipefail
infra=$1 directory=$2 project=${3:-.}
[[ $infra != */* || -x $infra ]] || chmod +x "$infra" # artifacts lose the permission

code=0
"$infra" -C "$project" apply "$directory/plan.json" --yes --format markdown \
  >"$directory/applied.md" 2>"$directory/log.txt" || code=$?
cat "$directory/log.txt" >&2
if ((code != 0)); then
  {
    echo "## The apply failed (exit code $code)"
    echo
    # Indented, so that nothing in it ends the block early.
    sed 's/^/    /' "$directory/log.txt"
    echo
  } >>"$directory/applied.md"
fi
rm "$directory/log.txt"
python3 "$(dirname "$0")/report.py" summary "$directory/applied.md"
exit "$code"
