"""The site and both services together, as a browser meets them."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

APPS = Path(__file__).parent


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(APPS / "dev.py"), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield wait_for(f"http://127.0.0.1:{port}", process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


def wait_for(origin: str, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            get(f"{origin}/a/health")
        except OSError:
            time.sleep(0.1)
        else:
            return origin
    raise AssertionError("dev.py does not serve")


def get(url: str) -> tuple[Message, bytes]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.headers, answer.read()


def test_the_page_and_all_it_names_is_there_and_comes_from_here(origin: str) -> None:
    headers, page = get(f"{origin}/")
    assert "default-src 'self'" in headers["content-security-policy"]
    names = re.findall(r'(?:src|href)="([^"#]+)"', page.decode())
    assert {"/styles.css", "/js/app.js", "/favicon.svg"} == set(names)
    for name in [*names, "/js/api.js", "/js/model.js"]:
        get(origin + name)


def test_the_policy_allows_all_that_the_page_does() -> None:
    page = (APPS / "site/public/index.html").read_text()
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page) == []
    for script in (APPS / "site/public/js").iterdir():
        code = script.read_text()
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|https?://", code) == []


def test_every_element_that_the_script_uses_is_in_the_page() -> None:
    page = (APPS / "site/public/index.html").read_text()
    script = (APPS / "site/public/js/app.js").read_text()
    used = set(re.findall(r'\$\("([^"]+)"\)', script))
    assert len(used) > 15
    assert used <= set(re.findall(r'\sid="([^"]+)"', page))


def test_the_report_counts_the_items(origin: str) -> None:
    items = json.loads(get(f"{origin}/a/items?limit=100")[1])["items"]
    report = json.loads(get(f"{origin}/b/summary")[1])
    assert report["totals"]["items"] == len(items) == 8
    assert report["totals"]["value_cents"] == sum(item["price_cents"] * item["quantity"] for item in items)
