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
from items_api import __main__ as entry
from items_api.settings import Settings

SOURCE = Path(__file__).parent.parent / "src"


@pytest.mark.parametrize(("given", "taken"), [("a", "/a"), ("/a/", "/a"), ("/", ""), ("/x/y", "/x/y")])
def test_the_base_path_is_normalised(given, taken):
    assert Settings(table_name="items", api_signing_key="k" * 16, base_path=given).base_path == taken


def test_a_wrong_environment_is_told_without_the_secret(monkeypatch, capsys):
    monkeypatch.setenv("API_SIGNING_KEY", "too-short")
    monkeypatch.delenv("TABLE_NAME", raising=False)
    assert entry.main() == 78
    said = capsys.readouterr().err
    assert "TABLE_NAME: Field required" in said
    assert "API_SIGNING_KEY" in said
    assert "too-short" not in said


def test_the_key_does_not_show_in_the_settings():
    assert "a-secret-signing-key" not in repr(Settings(table_name="items", api_signing_key="a-secret-signing-key"))


def test_it_serves_logs_json_and_stops_on_sigterm():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SOURCE),
        "TABLE_NAME": "items",
        "API_SIGNING_KEY": "k" * 16,
        "AWS_REGION": "eu-west-1",
        "PORT": str(port),
        "LOG_LEVEL": "DEBUG",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "items_api"], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/health")
            assert health_check(environment).returncode == 0
            with pytest.raises(urllib.error.HTTPError, match="428"):
                urllib.request.urlopen(
                    urllib.request.Request(
                        f"http://127.0.0.1:{port}/a/items/01890000-0000-7000-8000-000000000000",
                        method="DELETE",
                        headers={"X-Request-Id": "test-1"},
                    ),
                    timeout=10,
                )
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=30)
    check = health_check(environment)
    assert check.returncode == 1
    assert f"http://127.0.0.1:{port}/health" in check.stderr
    lines = [json.loads(line) for line in output.splitlines()]
    (access,) = [line for line in lines if line.get("request_id") == "test-1"]
    assert access["message"] == "request"
    assert (access["method"], access["status"], access["service"]) == ("DELETE", 428, "items-api")
    assert lines[-1]["message"].startswith("Finished server process")
    assert [line["message"] for line in lines if line["logger"] == "items_api.main"] == ["started", "stopped"]


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
    command = [sys.executable, "-m", "items_api.web.health"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
