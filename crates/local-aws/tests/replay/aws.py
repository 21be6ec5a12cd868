"""An account of its own for each case, and what recordings do with it beside single calls."""

import json
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError, WaiterError

REGION, OTHER_REGION, OTHER_ACCOUNT = "us-east-1", "us-west-2", "222222222222"
# What the server holds. Calls to other services are skipped by name.
EMBEDDED = {"cloudformation", "dynamodb", "ecr", "ecs", "logs", "s3", "secretsmanager", "ssm", "sts"}
WAITING = {"Delay": 0.02, "MaxAttempts": 1500}
SETTLE_SECONDS = 30
making = threading.Lock()


class DeployFailed(Exception):
    """A stack that was to be deployed is not."""

    def __init__(self, result):
        why = [event.get("ResourceStatusReason") for event in result["events"] if "FAILED" in event["ResourceStatus"]]
        super().__init__(f"the stack is {result['describe_result'].get('StackStatus')}: {why[-1:]}")
        self.result = result


class Account:
    """Clients of one account."""

    def __init__(self, endpoint, number):
        self.id = f"{300_000_000_000 + number}"
        self.endpoint = endpoint
        self.clients = {}
        self.counter = 0

    def client(self, service, region=REGION, account=None):
        key = (service, region, account)
        if key not in self.clients:
            # Making clients is not safe for threads; using them is.
            with making:
                self.clients[key] = boto3.client(
                    service, endpoint_url=self.endpoint, region_name=region,
                    aws_access_key_id=account or self.id, aws_secret_access_key="secret",
                    config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"},
                                  connect_timeout=5, read_timeout=30),
                )
        return self.clients[key]

    @property
    def cloudformation(self):
        return self.client("cloudformation")

    def wait(self, client, waiter, given):
        client.get_waiter(waiter).wait(**given, WaiterConfig=WAITING)

    def settle(self):
        """Waits until no stack operation runs."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            pages = self.cloudformation.get_paginator("list_stacks").paginate()
            stacks = [stack for page in pages for stack in page["StackSummaries"]]
            statuses = [stack["StackStatus"] for stack in stacks]
            for stack in stacks:
                if stack["StackStatus"] != "DELETE_COMPLETE":
                    sets = self.cloudformation.list_change_sets(StackName=stack["StackId"])["Summaries"]
                    statuses += [it["Status"] for it in sets]
            moving = ("_IN_PROGRESS", "_PENDING")
            if not any(it.endswith(moving) and it != "REVIEW_IN_PROGRESS" for it in statuses):
                return
            time.sleep(0.02)
        raise TimeoutError(f"stack operations do not end: {statuses}")

    def put_object(self, given):
        """Tests have their buckets made by fixtures that are not recorded."""
        s3 = self.client("s3")
        try:
            return s3.put_object(**given)
        except s3.exceptions.NoSuchBucket:
            s3.create_bucket(Bucket=given["Bucket"])
            return s3.put_object(**given)

    def patch(self, resource_type, identifier, properties):
        """Sets properties of a resource past its stack."""
        document = [{"op": "add", "path": f"/{key}", "value": value} for key, value in properties.items()]
        cloudcontrol = self.client("cloudcontrol")
        begun = cloudcontrol.update_resource(
            TypeName=resource_type, Identifier=identifier, PatchDocument=json.dumps(document))
        token = begun["ProgressEvent"]["RequestToken"]
        self.wait(cloudcontrol, "resource_request_success", {"RequestToken": token})
        return begun

    def events(self, stack_id):
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        return [event for page in pages for event in page["StackEvents"]]

    def stack(self, name):
        return self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]

    def deploy(self, given):
        """A change set made and executed. Raises `DeployFailed` if that is not what the stack becomes."""
        cloudformation = self.cloudformation
        self.counter += 1
        given = {"ChangeSetName": f"change-set-{self.counter}", **given}
        made = cloudformation.create_change_set(**given)
        change_set, stack_id = made["Id"], made["StackId"]
        try:
            self.wait(cloudformation, "change_set_create_complete", {"ChangeSetName": change_set})
        except WaiterError as error:
            described = cloudformation.describe_change_set(ChangeSetName=change_set)
            raise RuntimeError(f"{error}: {described.get('StatusReason')}") from error
        cloudformation.execute_change_set(ChangeSetName=change_set)
        waiter = "stack_create_complete" if given["ChangeSetType"] == "CREATE" else "stack_update_complete"
        result = {"stack_id": stack_id, "change_set_id": change_set, "change_set_name": given["ChangeSetName"]}
        try:
            self.wait(cloudformation, waiter, {"StackName": stack_id})
        except WaiterError as error:
            # A waiter of boto gives up when the rollback begins.
            self.settle()
            result |= {"describe_result": self.stack(stack_id), "events": self.events(stack_id)}
            raise DeployFailed(result) from error
        stack = self.stack(stack_id)
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        return result | {"stack_name": stack["StackName"], "outputs": outputs, "describe_result": stack}


__all__ = ["Account", "ClientError", "DeployFailed", "EMBEDDED", "OTHER_ACCOUNT", "OTHER_REGION",
           "ParamValidationError", "REGION", "WaiterError"]
