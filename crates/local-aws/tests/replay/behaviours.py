"""Replays `behaviours/`: the calls of a test in their order, each compared with what AWS answered."""

import json
import re

import aws
from answers import Absent, at, cleaned, grouped, one
from compare import Mismatch, Variables, match, match_some
from verdicts import EXACT, SKIPPED, WRONG, Verdict

REFERENCE = re.compile(r"\{\{call (\d+): ([^}]*)\}\}")
READING = ("describe_", "get_", "list_", "detect_", "validate_", "head_", "batch_describe")
CHANGING = ("create_", "update_", "delete_", "execute_", "deploy")


# Calls to services that are not embedded, made through Cloud Control.
INSTEAD = {
    "lambda_.update_function_configuration": lambda account, given: account.patch(
        "AWS::Lambda::Function", given["FunctionName"],
        {key: value for key, value in given.items() if key != "FunctionName"}),
}


class Skip(Exception):
    """A call that cannot be made here, and why."""


class Behaviour:
    """One case being replayed."""

    def __init__(self, case, endpoint, number):
        self.case = case
        self.account = aws.Account(endpoint, number)
        given = {"<partition>": "aws", "<region>": aws.REGION, "<region2>": aws.OTHER_REGION,
                 "<region-2>": aws.OTHER_REGION, "<url-suffix>": "amazonaws.com"}
        inputs = json.dumps([case["templates"], [call.get("input") for call in case["calls"]]])
        self.variables = Variables(given, inputs, f"x{number}")
        # What calls answered, by number, and which could not be made here.
        self.answers = {}
        self.skipped = set()
        self.numbers = {call["n"] for call in case["calls"]}
        self.verdicts = []

    def run(self):
        for call in self.case["calls"]:
            verdict = self.judge(call)
            if verdict:
                self.verdicts.append(verdict)
        return self.verdicts

    def judge(self, call):
        name = call["call"]
        service = name.removeprefix("region2:").removeprefix("account2:").split(".")[0].rstrip("_")
        ours = name == "deploy" or service == "cloudformation"
        recorded = any(key in call for key in ("response", "observed", "error", "derived", "asserted"))
        kind = ("answer" if recorded else "call") if ours else "other"
        label = f"{call['n']} {name}"
        try:
            if name in INSTEAD:
                return self.judge_other_way(call, label)
            if not ours and service not in aws.EMBEDDED:
                raise Skip(f"{service} is not embedded")
            given = self.prepared(call)
        except Skip as skip:
            self.skipped.add(call["n"])
            return Verdict(kind, label, SKIPPED, str(skip))
        except Absent as absent:
            return Verdict(kind, label, WRONG, str(absent))
        try:
            self.make_and_compare(call, service, given)
        except Mismatch as mismatch:
            return Verdict(kind, label, WRONG, str(mismatch))
        except Exception as error:  # Whatever goes wrong is that call's verdict.
            return Verdict(kind, label, WRONG, f"{type(error).__name__}: {error}")
        return Verdict(kind, label, EXACT) if ours or recorded else None

    def judge_other_way(self, call, label):
        try:
            self.answers[call["n"]] = INSTEAD[call["call"]](self.account, self.prepared(call))
        except (aws.ClientError, aws.WaiterError) as error:
            return Verdict("other", label, WRONG, f"{type(error).__name__}: {error}")
        return None

    def make_and_compare(self, call, service, given):
        operation = call["call"].split(".")[-1]
        if operation.startswith(CHANGING) and service in ("cloudformation", "deploy") and not call.get("in_raises"):
            # The tests waited; the recording of a wait may be missing.
            self.account.settle()
        answer, raised = self.make(call, service, operation, given)
        # What is refused can be asked again, as what only reads.
        again = operation.startswith(READING) or call.get("in_raises")
        for attempt in range(2):
            self.answers[call["n"]] = raised if raised is not None else answer
            try:
                return self.compare(call, answer, raised)
            except (Mismatch, Absent):
                if attempt or not again:
                    raise
                # Tests polled.
                self.account.settle()
                answer, raised = self.make(call, service, operation, given)
        return None

    def prepared(self, call):
        """The input with templates, placeholders, earlier answers and the account put in."""
        given = call.get("input", {})
        if "*args" in given:
            raise Skip("the recording lacks the input")
        return self.filled({key: value for key, value in given.items() if key != "note"})

    def filled(self, value):
        if isinstance(value, dict):
            if set(value) == {"$template"}:
                return self.filled_text(self.case["templates"][value["$template"]])
            return {key: self.filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        return self.filled_text(value) if isinstance(value, str) else value

    def filled_text(self, text):
        whole = REFERENCE.fullmatch(text)
        if whole:
            return self.referred(whole)
        text = REFERENCE.sub(lambda found: str(self.referred(found)), text)
        return self.variables.fill(text).replace("111111111111", self.account.id)

    def referred(self, found):
        number, path = int(found[1]), found[2]
        if path.startswith("fixture:"):
            raise Skip(f"needs {path.removeprefix('fixture:').split('.')[0]}")
        if number in self.skipped or number not in self.answers and number not in self.numbers:
            raise Skip(f"needs the answer of call {number}, which was not made")
        return one(self.answers.get(number), path)

    def make(self, call, service, operation, given):
        """The answer, or what was raised."""
        try:
            return self.made(call, service, operation, given), None
        except (aws.ClientError, aws.WaiterError, aws.DeployFailed, aws.ParamValidationError) as error:
            return None, error

    def made(self, call, service, operation, given):
        if operation == "deploy":
            return self.account.deploy(given)
        region = aws.OTHER_REGION if call["call"].startswith("region2:") else aws.REGION
        account = aws.OTHER_ACCOUNT if call["call"].startswith("account2:") else None
        client = self.account.client(service, region, account)
        if operation.startswith("wait:"):
            return self.account.wait(client, operation.removeprefix("wait:"), given)
        if operation.startswith("paginate:"):
            return list(client.get_paginator(operation.removeprefix("paginate:")).paginate(**given))
        if service == "s3" and operation in ("put_object", "upload_file", "upload_fileobj"):
            return self.account.put_object(given)
        answer = getattr(client, operation)(**given)
        if operation == "describe_stack_events":
            answer = {**answer, "StackEvents": self.account.events(given["StackName"])}
            if "note" in call["input"]:
                return grouped(answer["StackEvents"])
        return answer

    def compare(self, call, answer, raised):
        if raised is not None and not call.get("in_raises") and "error" not in call and "derived" not in call:
            raise raised
        if call.get("in_raises") and raised is None:
            raise Mismatch("", "an error", answer)
        answer = cleaned(answer, self.account.id)
        if "error" in call:
            self.compare_error(call["error"], raised)
        if "response" in call:
            match(call["response"]["value"], answer, self.variables)
        for observed in call.get("observed", []):
            self.compare_part(observed["value"], observed["path"], answer)
        for derived in call.get("derived", []):
            self.compare_derived(derived, answer, raised)
        for asserted in call.get("asserted", []):
            failure = cleaned(raised.result, self.account.id) if isinstance(raised, aws.DeployFailed) else answer
            self.assert_that(asserted, failure)

    def compare_part(self, recorded, path, answer):
        if "*" in path:
            match_some(recorded, at(answer, path), self.variables, path)
        else:
            match(recorded, at(answer, path), self.variables, path, path.split(".")[-1])

    def compare_error(self, error, raised):
        if raised is None:
            raise Mismatch("error", error["value"], None)
        if isinstance(raised, aws.DeployFailed):
            return self.compare_part(error["value"], error["path"], cleaned(raised.result, self.account.id))
        if not isinstance(raised, aws.ClientError):
            raise raised
        if error["path"] == "":
            return match(error["value"], cleaned(str(raised), self.account.id), self.variables, "error")
        response = cleaned(raised.response, self.account.id)
        return match(error["value"], at({"response": response}, error["path"]), self.variables, "error")

    def compare_derived(self, derived, answer, raised):
        recorded = derived["value"]
        if isinstance(raised, aws.ClientError):
            return match(list(recorded.values())[0], cleaned(str(raised), self.account.id), self.variables, "error")
        if len(derived["from"]) != 1:
            raise Skip("computed from several answers")
        path = derived["from"][0].split(":", 1)[1]
        if isinstance(raised, aws.DeployFailed):
            # The recording keeps what it computed under the name of the member that it was computed from.
            return match(recorded, {path: at(cleaned(raised.result, self.account.id), path)}, self.variables, path)
        found = at(answer, path)
        indexes = [match_some(item, found, self.variables, path) for item in recorded]
        if path.startswith("StackEvents") and isinstance(recorded[0], dict):
            ways = (sorted(indexes), sorted(indexes, reverse=True))
            if indexes not in ways:
                raise Mismatch(path, "the same order", indexes)
        return None

    def assert_that(self, asserted, answer):
        expected, path = self.filled(asserted.get("value")), asserted["path"]
        holds = {"==": lambda found: found == expected, "!=": lambda found: found != expected,
                 "contains": lambda found: expected in found}[asserted["op"]]
        candidates = at(answer, path) if "*" in path else [at(answer, path)]
        if not any(holds(found) for found in candidates):
            raise Mismatch(path, asserted, candidates)


def replay(case, endpoint, number):
    return Behaviour(case, endpoint, number).run()
