"""Runs Sceptre's command line with what the emulator leaves out of its answers filled in.

ministack's DescribeStacks has no NotificationARNs, which Sceptre reads without asking whether they are there.
"""

import boto3.session
from sceptre.cli import cli

_client = boto3.session.Session.client


def client(self, service, *args, **kwargs):
    made = _client(self, service, *args, **kwargs)
    if service == "cloudformation":
        made.meta.events.register("after-call.cloudformation.DescribeStacks", _fill)
    return made


def _fill(parsed, **_):
    for stack in parsed.get("Stacks", []):
        stack.setdefault("NotificationARNs", [])


boto3.session.Session.client = client
cli()
