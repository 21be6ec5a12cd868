#!/usr/bin/env python3
"""Tells people on GitHub what a run found: in the step summary, in a comment that is kept up to date, in an issue.

    report.py summary FILE                                        append to this step's summary
    report.py comment FILE --number 7 --marker plan-dev           make or update the comment with that marker
    report.py issue FILE --title T --label drift                  make the open issue with that title, or update it
    report.py resolve --title T --label drift --comment TEXT      close it, if it is open
    report.py annotations FILE                                    findings (SARIF) as annotations on files, for the log
    report.py sarif FILE                                          findings to code scanning
    report.py outputs FILE                                        a saved plan's figures, as outputs of a step

FILE is Markdown unless it says otherwise; `-` is standard input. What GitHub would refuse as too long
is cut, with a notice that names --more.
Uses the variables that GitHub Actions sets, GITHUB_TOKEN with the rights to write comments or issues, and nothing but
Python's standard library.
"""

import argparse
import base64
import gzip
import json
import os
import re
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

COMMENT_CHARACTERS = 65_536
SUMMARY_BYTES = 1024 * 1024
# What GitHub shows of one step; the rest would be dropped in silence.
ANNOTATIONS = 10
# Of an upload to code scanning, compressed.
SARIF_BYTES = 10 * 1024 * 1024
# Comments by others are not ours to change, whatever they contain.
AUTHOR = "github-actions[bot]"


def characters(text: str) -> int:
    """Length as GitHub counts it, taking the larger count where it could be two."""
    return len(text.encode("utf-16-le")) // 2


def utf8_bytes(text: str) -> int:
    """Length in bytes."""
    return len(text.encode())


class Open:
    """What a Markdown text has open after the lines read so far: a code block, or some `<details>`."""

    def __init__(self) -> None:
        self._fence = ""
        self._details = 0

    def read(self, line: str) -> None:
        """Take in one more line."""
        mark = re.match(r" {0,3}(`{3,}|~{3,})([^\r\n]*)", line)
        if self._fence:
            if mark and mark[1].startswith(self._fence) and not mark[2].strip():
                self._fence = ""
        elif mark:
            self._fence = mark[1]
        else:
            self._details = max(0, self._details + line.count("<details") - line.count("</details"))

    def closing(self) -> str:
        """The lines that close it all."""
        return (f"\n{self._fence}" if self._fence else "") + "\n</details>" * self._details


def fit(text: str, limit: int, size: Callable[[str], int], more: str) -> str:
    """`text`, or as many of its first lines as fit with a notice; what a cut leaves open is closed."""
    if size(text) <= limit:
        return text
    notice = f"\n\n> [!WARNING]\n> This is too long for GitHub and was cut here. The whole of it: {more}\n"
    kept: list[str] = []
    used = size(notice)
    state = Open()
    closing = ""
    for line in text.splitlines(keepends=True):
        state.read(line)
        used += size(line)
        if used + size(state.closing()) > limit:
            break
        kept.append(line)
        closing = state.closing()
    return "".join(kept).rstrip("\n") + closing + notice


def annotations(sarif: dict[str, Any]) -> Iterator[str]:
    """Workflow commands for the findings that have a line, the gravest first."""

    def value(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    def attribute(text: str) -> str:
        return value(text).replace(":", "%3A").replace(",", "%2C")

    commands = {"error": "error", "warning": "warning", "note": "notice"}
    results = [result for run in sarif["runs"] for result in run["results"] if not result.get("suppressions")]
    results.sort(key=lambda result: list(commands).index(result["level"]))
    left = dict.fromkeys(commands, ANNOTATIONS)
    for result in results:
        place = result["locations"][0].get("physicalLocation")
        left[result["level"]] -= 1
        if place is None or left[result["level"]] < 0:
            continue
        file, line = attribute(place["artifactLocation"]["uri"]), place["region"]["startLine"]
        title = attribute(result["ruleId"])
        yield f"::{commands[result['level']]} file={file},line={line},title={title}::{value(result['message']['text'])}"


def outputs(plan: dict[str, Any]) -> dict[str, str]:
    """The figures of a saved plan."""
    kinds = {
        "import": "import",
        "add": "add",
        "modify": "change",
        "may_modify": "change",
        "replace": "replace",
        "may_replace": "replace",
        "remove": "destroy",
    }
    counts = dict.fromkeys(("import", "add", "change", "replace", "destroy"), 0)
    busy = [step for step in plan["steps"] if step["action"] != "nothing"]
    for change in (change for step in busy for change in step["changes"]):
        counts[kinds[change["action"]]] += 1
    assets = [asset for asset in plan.get("assets", []) if asset.get("action") != "nothing"]
    found = plan["findings"]
    drifted = {one["stack"] for one in found if one["code"] in ("drifted-stack", "changed-outside", "rollout-unproven")}
    cost = plan.get("cost")
    return {
        "has-changes": str(bool(busy or assets)).lower(),
        **{name: str(count) for name, count in counts.items()},
        "refused": str(sum(one["severity"] == "refused" for one in found)),
        "warnings": str(sum(one["severity"] == "warning" for one in found)),
        "drift": str(len(drifted)),
        "cost": f"{cost['difference']} {cost['currency']}" if cost else "",
    }


class GitHub:
    """The few calls of GitHub's REST API that are needed, on one repository."""

    def __init__(self, api: str, repository: str, token: str) -> None:
        self._root = f"{api}/repos/{repository}"
        self._token = token

    def call(self, method: str, url: str, body: dict[str, Any] | None = None) -> tuple[Any, str | None]:
        """The decoded answer and the address of the next page. Raises HTTPError for statuses of 400 and above."""
        request = urllib.request.Request(  # noqa: S310 - always an address of GitHub
            url if "://" in url else self._root + url,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            following = re.search(r'<([^>]+)>; rel="next"', answer.headers.get("Link", ""))
            return json.load(answer), following[1] if following else None

    def every(self, path: str) -> Iterator[dict[str, Any]]:
        """The entries of all pages of a list."""
        following: str | None = path
        while following:
            entries, following = self.call("GET", following)
            yield from entries

    def comment(self, number: int, marker: str, text: str, more: str) -> None:
        """Keep one comment with `marker` on an issue or pull request."""
        mark = f"<!-- infra:{marker} -->\n"
        body = mark + fit(text, COMMENT_CHARACTERS - characters(mark), characters, more)
        for comment in self.every(f"/issues/{number}/comments?per_page=100"):
            if comment["user"]["login"] == AUTHOR and comment["body"].startswith(mark.rstrip()):
                self.call("PATCH", f"/issues/comments/{comment['id']}", {"body": body})
                return
        self.call("POST", f"/issues/{number}/comments", {"body": body})

    def sarif(self, text: str, commit: str, ref: str) -> None:
        """Give findings to code scanning."""
        packed = gzip.compress(text.encode(), mtime=0)
        if len(packed) > SARIF_BYTES:
            sys.exit(f"{len(packed)} bytes of SARIF, compressed, are more than GitHub takes")
        body = {"commit_sha": commit, "ref": ref, "sarif": base64.b64encode(packed).decode(), "tool_name": "infra"}
        self.call("POST", "/code-scanning/sarifs", body)

    def open_issue(self, title: str, label: str) -> int | None:
        """Number of the open issue with that title that a run has made."""
        for issue in self.every(f"/issues?state=open&labels={quote(label)}&per_page=100"):
            if issue["title"] == title and issue["user"]["login"] == AUTHOR and "pull_request" not in issue:
                return int(issue["number"])
        return None

    def issue(self, title: str, label: str, text: str, more: str) -> None:
        """Keep one open issue with that title, its text the latest."""
        body = fit(text, COMMENT_CHARACTERS, characters, more)
        number = self.open_issue(title, label)
        if number is None:
            self.call("POST", "/issues", {"title": title, "labels": [label], "body": body})
        else:
            self.call("PATCH", f"/issues/{number}", {"body": body})

    def resolve(self, title: str, label: str, comment: str) -> None:
        """Close that issue, saying why."""
        number = self.open_issue(title, label)
        if number is not None:
            self.call("POST", f"/issues/{number}/comments", {"body": comment})
            self.call("PATCH", f"/issues/{number}", {"state": "closed", "state_reason": "completed"})


def main(arguments: list[str]) -> None:
    """Run one command."""
    parser = argparse.ArgumentParser(description="Tell people on GitHub what a run found.")
    parser.add_argument("--more", default="", help="where the whole text is; by default this run")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("summary", "comment", "issue", "resolve", "annotations", "sarif", "outputs"):
        command = commands.add_parser(name)
        if name != "resolve":
            command.add_argument("file")
        if name == "comment":
            command.add_argument("--number", type=int, required=True)
            command.add_argument("--marker", required=True)
        if name in ("issue", "resolve"):
            command.add_argument("--title", required=True)
            command.add_argument("--label", required=True)
        if name == "resolve":
            command.add_argument("--comment", required=True)
    given = parser.parse_args(arguments)

    variables = os.environ
    if given.command in ("annotations", "outputs"):
        document = json.loads(Path(given.file).read_text(encoding="utf-8"))
        if given.command == "annotations":
            lines = list(annotations(document))
        else:
            lines = [f"{name}={value}" for name, value in outputs(document).items()]
        print("\n".join(lines))
        return
    repository = variables["GITHUB_REPOSITORY"]
    more = given.more or f"{variables['GITHUB_SERVER_URL']}/{repository}/actions/runs/{variables['GITHUB_RUN_ID']}"
    text = ""
    if given.command != "resolve":
        text = sys.stdin.read() if given.file == "-" else Path(given.file).read_text(encoding="utf-8")
    if given.command == "summary":
        summary = Path(variables["GITHUB_STEP_SUMMARY"])
        used = summary.stat().st_size if summary.exists() else 0
        with summary.open("a", encoding="utf-8") as file:
            file.write(fit(text, SUMMARY_BYTES - used, utf8_bytes, more))
        return
    github = GitHub(variables["GITHUB_API_URL"], repository, variables["GITHUB_TOKEN"])
    if given.command == "comment":
        github.comment(given.number, given.marker, text, more)
    elif given.command == "sarif":
        github.sarif(text, variables["GITHUB_SHA"], variables["GITHUB_REF"])
    elif given.command == "issue":
        github.issue(given.title, given.label, text, more)
    else:
        github.resolve(given.title, given.label, given.comment)


if __name__ == "__main__":
    main(sys.argv[1:])
