"""The service as a process: configuration, logs, stopping."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from reports_api import __main__ as entry
from reports_api.settings import Settings

SOURCE = Path(__file__).parent.parent / "src"


@pytest.mark.parametrize(("given", "taken"), [("b", "/b"), ("/b/", "/b"), ("/", ""), ("/x/y", "/x/y")])
def test_the_base_path_is_normalised(given, taken):
    assert Settings(items_url="http://balancer.test/a", base_path=given).base_path == taken


def test_a_wrong_environment_is_told(monkeypatch, capsys):
    monkeypatch.setenv("ITEMS_URL", "balancer/a")
    monkeypatch.setenv("CACHE_SECONDS", "-1")
    assert entry.main() == 78
    said = capsys.readouterr().err
    assert "ITEMS_URL: Input should be a valid URL" in said
    assert "CACHE_SECONDS: Input should be greater than or equal to 0" in said


def test_it_serves_logs_json_and_stops_on_sigterm():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SOURCE),
        "ITEMS_URL": "http://127.0.0.1:1/a",
        "PORT": str(port),
        "LOG_LEVEL": "DEBUG",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "reports_api"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            assert health_check(environment).returncode == 0
            with pytest.raises(urllib.error.HTTPError, match="502"):
                urllib.request.urlopen(
                    urllib.request.Request(f"http://127.0.0.1:{port}/b/summary", headers={"X-Request-Id": "test-1"}),
                    timeout=10,
                )
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=30)
    check = health_check(environment)
    assert check.returncode == 1
    assert f"http://127.0.0.1:{port}/health" in check.stderr
    lines = [json.loads(line) for line in output.splitlines()]
    told = [line for line in lines if line.get("request_id") == "test-1"]
    assert [line["message"] for line in told] == ["items service failed"] * 3 + ["no report without items", "request"]
    assert (told[-1]["method"], told[-1]["status"], told[-1]["service"]) == ("GET", 502, "reports-api")
    assert lines[-1]["message"].startswith("Finished server process")
    logged = [line["message"] for line in lines if line["logger"] == "reports_api.main"]
    assert logged == ["started", "no report without items", "stopped"]


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def health_check(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reports_api.web.health"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
