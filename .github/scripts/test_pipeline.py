"""The composite action from a pull request to an apply: its own shell steps, on AWS as `infra local serve` stands in
for it, with a server that checks requests as GitHub's API does.

Needs the binary: INFRA, or target/debug/infra.
"""

import base64
import gzip
import http.server
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any, ClassVar

import yaml

ROOT = Path(__file__).resolve().parents[2]
INFRA = Path(os.environ.get("INFRA", ROOT / "target/debug/infra"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
ACCOUNT = "123456789012"
# Given to the steps as secrets are, and never to be seen again.
CANARIES = {"AWS_SECRET_ACCESS_KEY": "canary-of-aws-9f3b", "token": "canary-of-github-77ac"}

ENVIRONMENT = f"""project: shop
account: "{ACCOUNT}"
region: us-east-1
stacks:
  first: {{template: parameter, inputs: {{value: one}}}}
  second: {{template: parameter, inputs: {{value: two}}, after: [first]}}
"""
TEMPLATE = """description: A parameter.
inputs:
  value: {type: string, description: Its value.}
---
Resources:
  Parameter:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /{{ project }}/{{ environment }}/{{ stack }}
      Type: String
      Value: {{ inputs.value | tojson }}
"""
RULES = """let parameters = Resources.*[ Type == 'AWS::SSM::Parameter' ]
rule parameter_described when %parameters !empty {
    %parameters.Properties.Description exists <<a parameter says what it is for: Description>>
}
"""


class GitHub(http.server.BaseHTTPRequestHandler):
    """Refuses what GitHub refuses, and remembers comments and uploads."""

    comments: ClassVar[list[dict[str, Any]]] = []
    uploads: ClassVar[list[dict[str, Any]]] = []
    calls: ClassVar[list[str]] = []
    wrong: ClassVar[list[str]] = []

    def handle_call(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length)
        path = self.path.split("?")[0]
        self.calls.append(f"{self.command} {path}")
        expected = {
            "Authorization": f"Bearer {CANARIES['token']}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        wrong = [f"{name}: {self.headers[name]}" for name, value in expected.items() if self.headers[name] != value]
        if not self.headers["User-Agent"]:
            wrong.append("no User-Agent")
        if wrong:
            self.wrong += wrong
            return self.answer(401, {})
        body = json.loads(raw) if raw else None
        return self.route(path, body)

    do_GET = do_POST = do_PATCH = handle_call  # noqa: N815

    def route(self, path: str, body: Any) -> None:
        one = re.fullmatch(r"/repos/example/shop/issues/comments/(\d+)", path)
        match (self.command, path):
            case ("GET", "/repos/example/shop/issues/7/comments"):
                return self.answer(200, self.comments)
            case ("POST", "/repos/example/shop/issues/7/comments"):
                if not 0 < len(body["body"]) <= 65_536:
                    return self.answer(422, {})
                comment = {"id": len(self.comments) + 1, "user": {"login": "github-actions[bot]"}, "body": body["body"]}
                self.comments.append(comment)
                return self.answer(201, comment)
            case ("PATCH", _) if one:
                if not 0 < len(body["body"]) <= 65_536:
                    return self.answer(422, {})
                self.comments[int(one[1]) - 1]["body"] = body["body"]
                return self.answer(200, {})
            case ("POST", "/repos/example/shop/code-scanning/sarifs"):
                sarif = json.loads(gzip.decompress(base64.b64decode(body["sarif"], validate=True)))
                fine = re.fullmatch("[0-9a-f]{40}", body["commit_sha"]) and body["ref"].startswith("refs/")
                if not fine or sarif["version"] != "2.1.0":
                    return self.answer(422, {})
                self.uploads.append(sarif)
                return self.answer(202, {"id": "x", "url": "x"})
        self.wrong.append(f"{self.command} {path}")
        return self.answer(404, {})

    def answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


def holds(condition: str, inputs: dict[str, str], failed: bool) -> bool:
    """An `if` of the action: comparisons of inputs, joined by &&."""
    parts = [part.strip() for part in condition.split("&&")]
    if "always()" in parts:
        parts.remove("always()")
    elif failed:
        return False
    for part in parts:
        found = re.fullmatch(r"inputs\.([a-z-]+) (==|!=) '([^']*)'", part)
        assert found, f"the test does not know the condition {part}"
        if (inputs[found[1]] == found[3]) != (found[2] == "=="):
            return False
    return True


class Job:
    """A job of a workflow that has one step: the action."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.variables = variables
        self.log = ""
        self.summary = ""

    def use(self, **given: str) -> tuple[int, dict[str, str]]:
        """Run the action; its exit code and outputs."""
        inputs = {name: about.get("default", "") for name, about in ACTION["inputs"].items()}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        assert set(inputs) == set(ACTION["inputs"]), "inputs that the action does not have"
        outputs: dict[str, dict[str, str]] = {}
        code = 0
        for step in ACTION["runs"]["steps"]:
            if not holds(step["if"], inputs, code != 0):
                continue
            done, values = self.step(step, inputs)
            code = code or done
            if "id" in step:
                outputs[step["id"]] = values
        told = {}
        for name, about in ACTION["outputs"].items():
            found = re.fullmatch(r"\$\{\{ steps\.([a-z]+)\.outputs\.([a-z-]+) \}\}", about["value"])
            assert found, about
            told[name] = outputs.get(found[1], {}).get(found[2], "")
        return code, told

    def step(self, step: dict[str, Any], inputs: dict[str, str]) -> tuple[int, dict[str, str]]:
        """Run one step as the runner does."""
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an expression in a script can be made to run anything"
        output, summary = self.folder / "output", self.folder / "summary"
        output.write_text("")
        summary.write_text("")

        def value(match: re.Match[str]) -> str:
            return inputs[match[1]]

        settings = step.get("env", {}).items()
        own = {name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", value, text) for name, text in settings}
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTION_PATH": str(ROOT)}
        script = self.folder / "script.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],  # noqa: S607 - as a runner starts it
            env=self.variables | files | own,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        self.log += done.stdout + done.stderr
        self.summary += summary.read_text()
        assert len(summary.read_bytes()) <= 1024 * 1024
        values = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done.returncode, values


class Pipeline(unittest.TestCase):
    def setUp(self) -> None:
        assert INFRA.exists(), f"there is no {INFRA}: build it (cargo build), or name it in INFRA"
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.write("shop/environments/dev.yaml", ENVIRONMENT)
        self.write("shop/templates/parameter.yaml", TEMPLATE)
        self.write("shop/policies/parameters.guard", RULES)
        for seen in (GitHub.comments, GitHub.uploads, GitHub.calls, GitHub.wrong):
            seen.clear()
        self.github = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
        threading.Thread(target=self.github.serve_forever, daemon=True).start()
        self.addCleanup(self.github.server_close)
        self.addCleanup(self.github.shutdown)
        self.aws = self.serve()
        self.infra("bootstrap", "--env", "dev", "--yes")

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def serve(self) -> dict[str, str]:
        """The embedded AWS, and what leads to it."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        world = self.folder / "world"
        world.mkdir()
        command = [str(INFRA), "local", "serve", "--speed", "3600", "--port", str(port)]
        server = subprocess.Popen(command, cwd=world, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": CANARIES["AWS_SECRET_ACCESS_KEY"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def infra(self, *arguments: str) -> None:
        """What a person does at a terminal."""
        home = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
        done = subprocess.run(
            [str(INFRA), "-C", "shop", *arguments],
            env=home | self.aws,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def job(self, *, aws: bool = False) -> Job:
        """A job has either credentials of AWS or rights on GitHub."""
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": f"http://127.0.0.1:{self.github.server_port}",
            "GITHUB_REPOSITORY": "example/shop",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_RUN_ID": "42",
            "GITHUB_SERVER_URL": "https://github.test",
            "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
        }
        job = Job(self.folder, variables | (self.aws if aws else {}))
        self.jobs = [*getattr(self, "jobs", []), job]
        return job

    def plan(self, directory: str = "plan") -> tuple[int, dict[str, str], Job]:
        job = self.job(aws=True)
        code, outputs = job.use(
            command="plan", environment="dev", infra=str(INFRA), project="shop", directory=str(self.folder / directory)
        )
        return code, outputs, job

    def show(self) -> int:
        return self.job().use(
            command="show",
            environment="dev",
            directory=str(self.folder / "plan"),
            number="7",
            code_scanning="true",
            token=CANARIES["token"],
        )[0]

    def apply(self) -> tuple[int, Job]:
        job = self.job(aws=True)
        directory = str(self.folder / "plan")
        done = job.use(command="apply", environment="dev", infra=str(INFRA), project="shop", directory=directory)[0]
        return done, job

    def nothing_leaks(self) -> None:
        texts = [comment["body"] for comment in GitHub.comments] + [json.dumps(sarif) for sarif in GitHub.uploads]
        for job in self.jobs:
            texts += [job.log, job.summary]
        texts += [path.read_text() for path in (self.folder / "plan").iterdir()]
        for canary in CANARIES.values():
            assert not any(canary in text for text in texts), f"{canary} was shown"

    def test_from_pull_request_to_apply(self) -> None:
        code, outputs, job = self.plan()
        assert code == 0, job.log
        expected = {"code": "2", "has-changes": "true", "add": "2", "change": "0", "replace": "0", "destroy": "0"}
        assert expected.items() <= outputs.items(), outputs
        assert (outputs["refused"], outputs["warnings"], outputs["drift"]) == ("0", "2", "0"), outputs
        assert job.summary.startswith("## `dev`: changes\n"), job.summary
        line = "::warning file=shop/templates/parameter.yaml,line=6,title=policy/parameter_described::first.Parameter: "
        assert line in job.log, job.log
        kept = sorted(path.name for path in (self.folder / "plan").iterdir())
        assert kept == ["plan.json", "plan.md", "plan.sarif"]

        assert self.show() == 0, self.jobs[-1].log
        assert self.show() == 0, self.jobs[-1].log
        assert len(GitHub.comments) == 1, "the second time it is updated"
        assert GitHub.comments[0]["body"].startswith("<!-- infra:plan-dev -->\n## `dev`: changes\n")
        assert GitHub.uploads[0]["runs"][0]["automationDetails"]["id"] == "infra/plan/dev/"
        assert GitHub.wrong == []

        code, job = self.apply()
        assert code == 0, job.log
        assert "applied" in job.summary.lower(), job.summary
        code, outputs, job = self.plan("again")
        assert (code, outputs["code"], outputs["has-changes"]) == (0, "0", "false"), job.log
        self.nothing_leaks()

    def test_a_plan_that_was_changed_since_is_refused(self) -> None:
        self.infra("apply", "--env", "dev", "--yes")
        environment = self.folder / "shop/environments/dev.yaml"
        environment.write_text(ENVIRONMENT.replace("value: one", "value: approved"))
        code, outputs, job = self.plan()
        assert (code, outputs["change"]) == (0, "1"), job.log
        # While the reviewer reads, somebody else applies.
        environment.write_text(ENVIRONMENT.replace("value: one", "value: other"))
        self.infra("apply", "--env", "dev", "--yes")
        environment.write_text(ENVIRONMENT.replace("value: one", "value: approved"))
        code, job = self.apply()
        assert code != 0, job.log
        assert "The apply failed" in job.summary, job.summary
        assert "stale" in job.log or "since" in job.log, job.log
        self.nothing_leaks()

    def test_a_plan_that_cannot_be_made_says_so(self) -> None:
        (self.folder / "shop/environments/dev.yaml").write_text("project: shop\n")
        code, outputs, job = self.plan()
        assert (code, outputs["code"], outputs["has-changes"]) == (1, "1", ""), job.log
        assert job.summary.startswith("## `dev`: the plan failed (exit code 1)\n"), job.summary
        self.nothing_leaks()


if __name__ == "__main__":
    unittest.main()
