"""Replays `change-sets/`: a stack is created by a change set, changed by another one and deleted, and every description
of it compared with what AWS answered."""

import json

import aws
from answers import by_logical_id, cleaned, grouped, sequence
from compare import Mismatch, Variables, match
from verdicts import EXACT, WRONG, Verdict


class ChangeSetCase:
    """One case being replayed."""

    def __init__(self, case, endpoint, number):
        self.case = case
        self.account = aws.Account(endpoint, number)
        given = {"<partition>": "aws", "<region>": aws.REGION, "<url-suffix>": "amazonaws.com"}
        inputs = {key: case[key] for key in ("template_1", "template_2", "parameters_1", "parameters_2", "setup", "between")}
        self.variables = Variables(given, json.dumps(inputs), f"x{number}")
        self.verdicts = []

    def run(self):
        expected, why = self.expected(), "not answered"
        try:
            self.prepare("setup")
            stack_id = self.deploy(1, "CREATE")
            self.prepare("between")
            self.deploy(2, "UPDATE")
            if not self.is_about_deletion():
                self.compare_events(stack_id)
            self.account.cloudformation.delete_stack(StackName=stack_id)
            self.account.wait(self.account.cloudformation, "stack_delete_complete", {"StackName": stack_id})
            self.compare("deleted", lambda: self.account.stack(stack_id))
            if self.is_about_deletion():
                self.compare_events(stack_id)
        except Exception as error:  # What was not reached is not answered as recorded.
            why = f"{type(error).__name__}: {error}"
        judged = {verdict.call for verdict in self.verdicts}
        self.verdicts += [Verdict("answer", label, WRONG, why) for label in expected if label not in judged]
        return self.verdicts

    def expected(self):
        """The names of all answers that were recorded."""
        keys = ("change_set_1", "change_set_1_plain", "stack_1", "change_set_2", "change_set_2_plain", "stack_2", "deleted")
        labels = [key for key in keys if self.case.get(key) is not None]
        labels += [f"events of {logical_id}" for logical_id in self.case["resource_events"] or {}]
        return labels + [key for key in self.case.get("other") or {} if key == "all-events"]

    def prepare(self, key):
        for call in self.case[key] or []:
            service, operation = call["call"].split(".")
            given = self.filled(call["input"])
            if service == "s3":
                self.account.put_object(given)
            else:
                getattr(self.account.client(service), operation)(**given)

    def filled(self, value):
        return json.loads(json.dumps(self.variables.fill(value)).replace("111111111111", self.account.id))

    def deploy(self, step, kind):
        """Makes, describes and executes a change set; gives the stack's id."""
        case, cloudformation = self.case, self.account.cloudformation
        recorded = case[f"change_set_{step}"]
        template = self.filled(case[f"template_{step}"])
        parameters = self.filled(case[f"parameters_{step}"] or {})
        made = cloudformation.create_change_set(
            StackName=self.variables.name("<stack-name:1>"), ChangeSetName=self.filled(recorded["ChangeSetName"]),
            ChangeSetType=kind, Capabilities=recorded["Capabilities"],
            TemplateBody=template if isinstance(template, str) else json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        self.account.wait(cloudformation, "change_set_create_complete", {"ChangeSetName": made["Id"]})
        for key, values in ((f"change_set_{step}", True), (f"change_set_{step}_plain", False)):
            self.compare(key, lambda values=values: cloudformation.describe_change_set(
                ChangeSetName=made["Id"], IncludePropertyValues=values))
        cloudformation.execute_change_set(ChangeSetName=made["Id"])
        waiter = "stack_create_complete" if kind == "CREATE" else "stack_update_complete"
        self.account.wait(cloudformation, waiter, {"StackName": made["StackId"]})
        self.compare(f"stack_{step}", lambda: self.account.stack(made["StackId"]))
        return made["StackId"]

    def is_about_deletion(self):
        return self.case.get("resource_events_form") == "oldest-first-deduplicated"

    def compare_events(self, stack_id):
        events = cleaned(self.account.events(stack_id), self.account.id)
        found = grouped(events) if self.is_about_deletion() else by_logical_id(events)
        for logical_id, recorded in (self.case["resource_events"] or {}).items():
            self.judge(f"events of {logical_id}", recorded, found.get(self.variables.fill(logical_id)))
        for key, recorded in (self.case.get("other") or {}).items():
            if key == "all-events":
                self.judge(key, recorded, sequence(events))

    def compare(self, key, answer):
        recorded = self.case.get(key)
        if recorded is not None:
            self.judge(key, recorded, cleaned(answer(), self.account.id))

    def judge(self, label, recorded, answered):
        try:
            match(recorded, answered, self.variables)
            self.verdicts.append(Verdict("answer", label, EXACT))
        except Mismatch as mismatch:
            self.verdicts.append(Verdict("answer", label, WRONG, str(mismatch)))


def replay(case, endpoint, number):
    return ChangeSetCase(case, endpoint, number).run()
