"""report.py against a server that answers like GitHub's API."""

import http.server
import json
import os
import re
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import report

MORE = "https://github.test/run"
BOT = {"login": report.AUTHOR}


class Fit(unittest.TestCase):
    def test_what_fits_stays_as_it_is(self) -> None:
        for text in ("", "a\n", "x" * 100):
            assert report.fit(text, 100, report.characters, MORE) == text

    def test_what_is_too_long_is_cut_at_a_line_with_a_notice(self) -> None:
        text = "".join(f"line {n}\n" for n in range(1000))
        cut = report.fit(text, 500, report.characters, MORE)
        assert report.characters(cut) <= 500
        assert report.characters(cut) > 480
        kept, _, notice = cut.partition("\n\n> [!WARNING]")
        assert text.startswith(kept + "\n")
        assert MORE in notice

    def test_the_limit_holds_wherever_the_cut_falls_and_nothing_stays_open(self) -> None:
        text = (
            "# plan\n<details><summary>a</summary>\n\n````diff\n+ é🧹 ``` \n```\n- b\n````\n</details>\n~~~\nc\n~~~\n"
            * 9
        )
        for size in (report.characters, report.utf8_bytes):
            for limit in range(200, size(text)):
                cut = report.fit(text, limit, size, MORE)
                assert size(cut) <= limit
                state = report.Open()
                for line in cut.splitlines():
                    state.read(line)
                assert state.closing() == ""

    def test_one_endless_line_is_left_out(self) -> None:
        cut = report.fit("short\n" + "x" * 1000, 300, report.characters, MORE)
        assert cut.startswith("short\n\n> [!WARNING]")

    def test_letters_outside_the_basic_plane_count_twice_as_characters(self) -> None:
        assert report.characters("🧹") == 2
        assert report.utf8_bytes("🧹") == 4


class Outputs(unittest.TestCase):
    def test_imports_are_not_counted_as_new(self) -> None:
        actions = ["import", "add", "add", "may_modify", "may_replace", "remove"]
        steps = [
            {"action": "create", "changes": [{"action": action} for action in actions]},
            {"action": "nothing", "changes": []},
        ]
        told = report.outputs({"steps": steps, "findings": []})
        counts = [told[name] for name in ("import", "add", "change", "replace", "destroy")]
        assert counts == ["1", "2", "1", "1", "1"]


class FakeGitHub(http.server.BaseHTTPRequestHandler):
    """Lists in pages of two, and remembers what is written."""

    lists: dict[str, list[dict[str, Any]]]
    writes: list[tuple[str, str, dict[str, Any]]]

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        page = int(parse_qs(address.query).get("page", ["1"])[0])
        entries = self.lists.get(address.path, [])
        headers = {}
        if len(entries) > page * 2:
            base = re.sub(r"[&?]page=\d+", "", self.path)
            headers["Link"] = f'<http://{self.headers["Host"]}{base}&page={page + 1}>; rel="next"'
        self.answer(entries[page * 2 - 2 : page * 2], headers)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.writes.append((self.command, self.path, body))
        self.answer({}, {})

    do_PATCH = do_POST  # noqa: N815

    def answer(self, body: Any, headers: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        allowed = self.headers["Authorization"] == "Bearer a-token"
        self.send_response(200 if allowed else 401)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class Reports(unittest.TestCase):
    def setUp(self) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeGitHub)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        FakeGitHub.lists, FakeGitHub.writes = {}, []
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.text = Path(folder.name, "text.md")
        self.summary = Path(folder.name, "summary.md")
        variables = {
            "GITHUB_API_URL": f"http://127.0.0.1:{self.server.server_port}",
            "GITHUB_REPOSITORY": "example/shop",
            "GITHUB_RUN_ID": "42",
            "GITHUB_SERVER_URL": "https://github.test",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_TOKEN": "a-token",
        }
        patch = mock.patch.dict(os.environ, variables)
        patch.start()
        self.addCleanup(patch.stop)

    def run_with(self, text: str, *arguments: str) -> list[tuple[str, str, dict[str, Any]]]:
        self.text.write_text(text, encoding="utf-8")
        report.main([str(self.text) if argument == "FILE" else argument for argument in arguments])
        return FakeGitHub.writes

    def comment(self, text: str) -> list[tuple[str, str, dict[str, Any]]]:
        return self.run_with(text, "comment", "FILE", "--number", "7", "--marker", "plan-dev")

    def test_the_first_comment_is_made(self) -> None:
        assert self.comment("a plan") == [
            ("POST", "/repos/example/shop/issues/7/comments", {"body": "<!-- infra:plan-dev -->\na plan"})
        ]

    def test_a_later_one_takes_its_place_wherever_it_stands(self) -> None:
        mark = "<!-- infra:plan-dev -->\n"
        FakeGitHub.lists["/repos/example/shop/issues/7/comments"] = [
            {"id": 1, "user": {"login": "someone"}, "body": mark + "not ours"},
            {"id": 2, "user": BOT, "body": "<!-- infra:plan-development -->\nanother"},
            {"id": 3, "user": BOT, "body": "see " + mark},
            {"id": 4, "user": {"login": "someone"}, "body": "hello"},
            {"id": 5, "user": BOT, "body": mark + "an older plan"},
        ]
        writes = self.comment("a plan")
        assert writes == [("PATCH", "/repos/example/shop/issues/comments/5", {"body": mark + "a plan"})]

    def test_a_comment_is_never_too_long_and_names_the_run(self) -> None:
        body = self.comment("+ a line\n" * 50_000)[0][2]["body"]
        assert report.characters(body) <= report.COMMENT_CHARACTERS
        assert "https://github.test/example/shop/actions/runs/42" in body

    def test_summaries_of_one_step_add_up_to_the_limit(self) -> None:
        self.run_with("first\n", "summary", "FILE")
        self.run_with("é" * 100 + "\n", "summary", "FILE")
        self.run_with("é\n" * 600_000, "summary", "FILE")
        content = self.summary.read_text(encoding="utf-8")
        assert content.startswith("first\né")
        assert self.summary.stat().st_size <= report.SUMMARY_BYTES
        assert self.summary.stat().st_size > report.SUMMARY_BYTES - 10
        assert FakeGitHub.writes == []

    def issues(self) -> None:
        entry = {"title": "Drift in prod", "user": BOT}
        FakeGitHub.lists["/repos/example/shop/issues"] = [
            entry | {"number": 1, "pull_request": {}},
            entry | {"number": 2, "title": "Drift in production"},
            entry | {"number": 3, "user": {"login": "someone"}},
            entry | {"number": 4},
        ]

    def test_an_issue_is_made_once_and_then_kept_up_to_date(self) -> None:
        command = ("issue", "FILE", "--title", "Drift in prod", "--label", "drift")
        made = {"title": "Drift in prod", "labels": ["drift"], "body": "found"}
        assert self.run_with("found", *command) == [("POST", "/repos/example/shop/issues", made)]
        FakeGitHub.writes.clear()
        self.issues()
        assert self.run_with("more", *command) == [("PATCH", "/repos/example/shop/issues/4", {"body": "more"})]

    def test_an_issue_is_closed_with_a_word_and_only_if_there_is_one(self) -> None:
        command = ("resolve", "--title", "Drift in prod", "--label", "drift", "--comment", "gone")
        assert self.run_with("", *command) == []
        self.issues()
        assert self.run_with("", *command) == [
            ("POST", "/repos/example/shop/issues/4/comments", {"body": "gone"}),
            ("PATCH", "/repos/example/shop/issues/4", {"state": "closed", "state_reason": "completed"}),
        ]

    def test_a_refusal_of_github_fails_the_step(self) -> None:
        with mock.patch.dict(os.environ, GITHUB_TOKEN="wrong"), self.assertRaisesRegex(OSError, "401"):  # noqa: PT027
            self.comment("a plan")


if __name__ == "__main__":
    unittest.main()
