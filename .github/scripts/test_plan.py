"""plan.sh with a stand-in for infra that answers as its contract says."""

import os
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).with_name("plan.sh")
RUN = {
    "GITHUB_REPOSITORY": "example/shop",
    "GITHUB_RUN_ID": "42",
    "GITHUB_SERVER_URL": "https://github.test",
    "GITHUB_SHA": "0123456789abcdef",
}
INFRA = """#!/usr/bin/env bash
echo "$@" >"$(dirname "$0")/arguments"
echo "a table"
echo 'reading `dev`' >&2
while [ "$1" != -o ]; do shift; done
echo '{"steps": [{"action": "update", "changes": [{"action": "may_replace"}]}], "findings": []}' >"$2"
echo '{}' >"$4"
exit CODE
"""


class Plan(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.plan = self.folder / "plan"

    def run_with(self, code: int, **variables: str) -> subprocess.CompletedProcess[str]:
        infra = self.folder / "infra"
        infra.write_text(INFRA.replace("CODE", str(code)))
        infra.chmod(stat.S_IRUSR | stat.S_IWUSR)
        environment = {"PATH": os.environ["PATH"], "GITHUB_OUTPUT": str(self.folder / "output")} | variables
        command = ["bash", str(SCRIPT), str(infra), "dev", str(self.plan)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    def test_changes_are_no_failure(self) -> None:
        done = self.run_with(2, **RUN)
        assert done.returncode == 0, done.stderr
        outputs = (self.folder / "output").read_text()
        counts = "import=0\nadd=0\nchange=0\nreplace=1\ndestroy=0\n"
        assert outputs.startswith(f"code=2\nhas-changes=true\n{counts}"), outputs
        text = (self.plan / "plan.md").read_text()
        assert text.startswith("## `dev`: changes\n")
        assert "For 0123456789ab, by [this run](https://github.test/example/shop/actions/runs/42)." in text
        assert text.endswith("\na table\n")
        assert sorted(path.name for path in self.plan.iterdir()) == ["plan.json", "plan.md", "plan.sarif"]
        arguments = (self.folder / "arguments").read_text()
        options = "--env dev --detailed-exitcode --format markdown --size-limit 100000000"
        files = f"-o {self.plan}/plan.json --sarif {self.plan}/plan.sarif"
        assert arguments == f"-C . plan {options} {files}\n"

    def test_no_changes(self) -> None:
        assert self.run_with(0).returncode == 0
        assert (self.folder / "output").read_text().startswith("code=0\n")
        assert (self.plan / "plan.md").read_text() == "## `dev`: no changes\n\na table\n"

    def test_a_failure_is_passed_on_with_what_was_said(self) -> None:
        done = self.run_with(1)
        assert done.returncode == 1
        assert done.stderr == "reading `dev`\n"
        assert (self.folder / "output").read_text() == "code=1\n"
        text = (self.plan / "plan.md").read_text()
        assert text == "## `dev`: the plan failed (exit code 1)\n\na table\n\n    reading `dev`\n"


if __name__ == "__main__":
    unittest.main()
