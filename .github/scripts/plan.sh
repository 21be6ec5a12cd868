#!/usr/bin/env bash
# plan.sh INFRA ENVIRONMENT DIRECTORY [PROJECT]: plan, for a workflow's later steps.
#
# Writes DIRECTORY/plan.json (the saved plan, which apply takes), DIRECTORY/plan.sarif (its findings) and DIRECTORY/plan.md
# (for people; what went wrong, where planning failed), and the outputs `code` (0 no changes, 2 changes), `has-changes`,
# `import`, `add`, `change`, `replace`, `destroy`, `refused`, `warnings`, `drift` and `cost`. Fails as `infra plan` fails.
set -euo pipefail
infra=$1 environment=$2 directory=$3 project=${4:-.}
mkdir -p "$directory"
[[ $infra != */* || -x $infra ]] || chmod +x "$infra" # artifacts lose the permission

# The whole text: the artifact keeps it, and report.py cuts it to what each place takes.
code=0
"$infra" -C "$project" plan --env "$environment" --detailed-exitcode --format markdown --size-limit 100000000 \
  -o "$directory/plan.json" --sarif "$directory/plan.sarif" >"$directory/text.md" 2>"$directory/log.txt" || code=$?
cat "$directory/log.txt" >&2

{
  case $code in
    0) echo "## \`$environment\`: no changes" ;;
    2) echo "## \`$environment\`: changes" ;;
    *) echo "## \`$environment\`: the plan failed (exit code $code)" ;;
  esac
  echo
  if [[ -n ${GITHUB_SHA:-} ]]; then
    echo "For ${GITHUB_SHA:0:12}, by [this run]($GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID)."
    echo
  fi
  cat "$directory/text.md"
  if ((code != 0 && code != 2)); then
    # Indented, so that nothing in it ends the block early.
    echo
    sed 's/^/    /' "$directory/log.txt"
  fi
} >"$directory/plan.md"
rm "$directory/text.md" "$directory/log.txt"

if [[ -n ${GITHUB_OUTPUT:-} ]]; then
  echo "code=$code" >>"$GITHUB_OUTPUT"
  if ((code == 0 || code == 2)); then
    python3 "$(dirname "$0")/report.py" outputs "$directory/plan.json" >>"$GITHUB_OUTPUT"
  fi
fi
((code == 0 || code == 2)) || exit "$code"
