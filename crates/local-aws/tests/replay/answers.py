"""Values out of answers, by the paths that recordings use: `Stacks[0].Outputs`, `StackEvents.*`, `outputs.TopicArn`."""

import re

METADATA = "ResponseMetadata"


class Absent(Exception):
    """There is nothing at a path."""


def at(value, path):
    """The value at a path; a `*` gives the list of what it stands for."""
    steps = re.findall(r"[^.\[\]]+|\[-?\d+\]", path)
    for index, step in enumerate(steps):
        if step == "*":
            items = list(value.values()) if isinstance(value, dict) else value
            rest = ".".join(steps[index + 1:]).replace(".[", "[")
            if not isinstance(items, list):
                raise Absent(path)
            # Several pages: what is in all of them.
            found = [at(item, rest) for item in items] if rest else items
            return [one for some in found for one in some] if "*" in rest else found
        try:
            if step == "partition()":
                value = value.rpartition("/")
            else:
                value = value[int(step[1:-1])] if step.startswith("[") else value[step]
        except (KeyError, IndexError, TypeError):
            raise Absent(path) from None
    return value


def one(value, path):
    """As `at`, but the first where there are several."""
    found = at(value, path)
    if "*" not in path:
        return found
    if not found:
        raise Absent(path)
    return found[0]


def cleaned(answer, account):
    """An answer without what differs from call to call, and with the account of the recordings."""
    answer = renamed(answer, account)
    if isinstance(answer, dict) and METADATA in answer:
        status = answer[METADATA].get("HTTPStatusCode")
        answer = {**answer, METADATA: {"HTTPHeaders": {}, "HTTPStatusCode": status}}
    return answer


def renamed(value, account):
    if isinstance(value, str):
        return value.replace(account, "111111111111")
    if isinstance(value, list):
        return [renamed(item, account) for item in value]
    if isinstance(value, dict):
        return {renamed(key, account): renamed(item, account) for key, item in value.items()}
    return value


def grouped(events):
    """Events by logical id, oldest first; of repeated statuses the last, and no cleanup phases."""
    groups = {}
    kept = ("LogicalResourceId", "PhysicalResourceId", "ResourceStatus", "ResourceType", "Timestamp")
    for event in events:
        if event["ResourceStatus"] == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
            continue
        own = event["PhysicalResourceId"] == event["StackId"]
        group = groups.setdefault("Stack" if own else event["LogicalResourceId"], [])
        if not group or group[-1]["ResourceStatus"] != event["ResourceStatus"]:
            group.append({key: event[key] for key in kept if key in event})
    return {name: group[::-1] for name, group in groups.items()}


def by_logical_id(events):
    """Events by logical id, in the order that they have."""
    groups = {}
    for event in events:
        groups.setdefault(event["LogicalResourceId"], []).append(event)
    return groups


def sequence(events):
    """What happened to what, oldest first, without repetitions and cleanup phases."""
    happened = []
    for event in reversed(events):
        step = [event["LogicalResourceId"], event["ResourceStatus"]]
        if step[1] != "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" and step not in happened[-1:]:
            happened.append(step)
    return happened
