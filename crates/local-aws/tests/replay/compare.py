"""Compares an answer with a recording.

The recorder put placeholders where values change from run to run: `<stack-name:1>` and its like are variables, equal
within a case; `datetime` is a time; a text that is its own member's name (`resource-status-reason`) was hidden. JSON
texts were parsed. Random parts that the recorder overlooked are variables too.
"""

import datetime
import json
import re

# Lists whose order on AWS is not known: hash-like, or sorted by the recorder.
UNORDERED = {
    "Capabilities", "Changes", "Details", "Exports", "Outputs", "Parameters", "ResourceIdentifierSummaries",
    "ResourceTypes", "StackSummaries", "Summaries", "Tags",
}
# AWS began to answer these in the middle of the recordings.
NEW_MEMBERS = {"LastOperations", "OperationId"}
PLACEHOLDER = re.compile(r"<[a-z_][A-Za-z0-9_.:-]*>")
# What CloudFormation, or the recording's own names, ended names with.
RANDOM = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|"
    r"(?<=-)(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{12,13}(?![A-Za-z0-9])"
    r"|(?<=-)(?=[A-Za-z]*[a-z][A-Za-z]*[A-Z])[A-Za-z]{12}(?![A-Za-z0-9])"
    r"|(?<![0-9A-Za-z])(?=[0-9]*[a-f])[0-9a-f]{8}(?![0-9A-Za-z])"
)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


class Mismatch(Exception):
    """Says where an answer differs."""

    def __init__(self, path, recorded, answered):
        super().__init__(f"{path or '.'}: recorded {brief(recorded)}, answered {brief(answered)}")


def brief(value):
    text = json.dumps(value, default=str)
    return text if len(text) <= 300 else text[:300] + "…"


class Variables:
    """What placeholders stand for in one case."""

    def __init__(self, given, literals, suffix=""):
        self.values = dict(given)
        # Ends the names that are made up: some are shared by all accounts.
        self.suffix = suffix
        # Texts of the case's own requests: what looks random in them is not.
        self.literals = literals

    def copy(self):
        return Variables(self.values, self.literals, self.suffix)

    def bind(self, name, value):
        kind = name.rsplit(":", 1)[0]
        numbered = re.search(r":\d+>$", name)
        for other, bound in self.values.items():
            if numbered and other != name and bound == value and other.rsplit(":", 1)[0] == kind:
                return False
        self.values[name] = value
        return True

    def fill(self, value):
        """A request's value with its placeholders replaced; unknown ones get names of letters and digits."""
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda found: self.name(found.group()), value)
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {self.fill(key): self.fill(item) for key, item in value.items()}
        return value

    def name(self, placeholder):
        if placeholder not in self.values:
            # Others than names may have to be short, or one of a few.
            suffix = self.suffix if "name" in placeholder else ""
            self.values[placeholder] = re.sub(r"[^A-Za-z0-9]", "", placeholder) + suffix
        return self.values[placeholder]

    def text(self, recorded, answered):
        """Whether a recorded text stands for the answered one; binds its variables."""
        pattern, names, end = "", {}, 0
        tokens = [*PLACEHOLDER.finditer(recorded), *RANDOM.finditer(PLACEHOLDER.sub(same_length, recorded))]
        for token in sorted(tokens, key=lambda token: token.start()):
            name = token.group()
            if not name.startswith("<") and name in self.literals:
                continue
            pattern += re.escape(recorded[end:token.start()])
            end = token.end()
            if name in self.values:
                pattern += re.escape(self.values[name])
            elif name in names:
                pattern += f"(?P={names[name]})"
            else:
                names[name] = f"v{len(names)}"
                pattern += f"(?P<{names[name]}>.+?)"
        pattern += re.escape(recorded[end:])
        found = re.fullmatch(pattern, answered, re.DOTALL)
        return bool(found) and all(self.bind(name, found[group]) for name, group in names.items())


def same_length(found):
    return " " * len(found.group())


def kebab(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def match(recorded, answered, variables, path="", member=""):
    """Raises `Mismatch` where `answered` is not what was recorded. `variables` learns what placeholders stand for."""
    if isinstance(recorded, str):
        if isinstance(answered, datetime.datetime):
            if recorded not in ("datetime", "timestamp", "date", "<date>", kebab(member)):
                raise Mismatch(path, recorded, answered)
            return
        if recorded in (kebab(member), "timestamp", "datetime") and answered is not None:
            return
        if recorded == "url_suffix" and answered == "amazonaws.com":
            return
        if not isinstance(answered, str):
            if PLACEHOLDER.fullmatch(recorded) and variables.text(recorded, str(answered)):
                return
            raise Mismatch(path, recorded, answered)
        if not variables.text(recorded, answered) and not variables.text(recorded, TIME.sub("date", answered)):
            raise Mismatch(path, recorded, answered)
        return
    if isinstance(recorded, (dict, list)) and isinstance(answered, str):
        try:
            answered = json.loads(answered)
        except ValueError:
            raise Mismatch(path, recorded, answered) from None
    if isinstance(recorded, dict) and isinstance(answered, dict):
        match_object(recorded, answered, variables, path)
    elif isinstance(recorded, list) and isinstance(answered, list):
        if len(recorded) != len(answered):
            raise Mismatch(path, recorded, answered)
        if member in UNORDERED:
            match_set(recorded, answered, variables, path)
        else:
            for index, (one, other) in enumerate(zip(recorded, answered)):
                match(one, other, variables, f"{path}[{index}]")
    elif recorded != answered or isinstance(recorded, bool) != isinstance(answered, bool):
        raise Mismatch(path, recorded, answered)


def match_object(recorded, answered, variables, path):
    recorded = {variables.fill(key) if PLACEHOLDER.search(key) else key: value for key, value in recorded.items()}
    # AWS said until May 2025 that an addition is a replacement.
    ignored = {"Replacement"} if recorded.get("Action") == "Add" else set()
    for key in recorded.keys() - answered.keys() - ignored:
        raise Mismatch(f"{path}.{key}", recorded[key], None)
    for key in answered.keys() - recorded.keys() - NEW_MEMBERS - ignored:
        raise Mismatch(f"{path}.{key}", None, answered[key])
    for key in recorded.keys() & answered.keys() - ignored:
        match(recorded[key], answered[key], variables, f"{path}.{key}", key)


def match_set(recorded, answered, variables, path):
    """Each recorded item has one answered item of its own; the first assignment that fits is taken."""
    if not recorded:
        return
    first, rest, why = recorded[0], recorded[1:], None
    for index, candidate in enumerate(answered):
        trial = variables.copy()
        try:
            match(first, candidate, trial, f"{path}[]")
            match_set(rest, answered[:index] + answered[index + 1:], trial, path)
        except Mismatch as mismatch:
            why = why if why and not same_thing(first, candidate) else mismatch
            continue
        variables.values = trial.values
        return
    raise why or Mismatch(path, recorded, answered)


def same_thing(recorded, answered):
    """Whether two items are about the same thing, so that their difference is worth telling."""
    if not isinstance(recorded, dict) or not isinstance(answered, dict):
        return False
    recorded, answered = recorded.get("ResourceChange", recorded), answered.get("ResourceChange", answered)
    for key in ("LogicalResourceId", "ParameterKey", "OutputKey", "Key", "Name"):
        if key in recorded:
            return recorded[key] == answered.get(key)
    return False


def match_some(recorded, candidates, variables, path):
    """One of the candidates is what was recorded; gives its index."""
    why = None
    for index, candidate in enumerate(candidates):
        trial = variables.copy()
        try:
            match(recorded, candidate, trial, path)
        except Mismatch as mismatch:
            why = why if why and not same_thing(recorded, candidate) else mismatch
            continue
        variables.values = trial.values
        return index
    raise why or Mismatch(path, recorded, candidates)
