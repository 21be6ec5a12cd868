"""Writes a Sceptre project that describes the stacks of an account as they are.

usage: sceptre_project.py ENDPOINT ACCOUNT REGION STACK-PREFIX DIRECTORY
"""

import json
import pathlib
import sys

import boto3

ENDPOINT, ACCOUNT, REGION, PREFIX, DIRECTORY = sys.argv[1:6]


def main():
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="test",
    )
    project = pathlib.Path(DIRECTORY)
    (project / "config" / "all").mkdir(parents=True)
    (project / "templates").mkdir()
    # JSON is YAML to Sceptre.
    common = {"project_code": "bench", "region": REGION}
    (project / "config" / "config.yaml").write_text(json.dumps(common))
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            name = stack["StackName"]
            if not name.startswith(PREFIX):
                continue
            body = cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
            text = body if isinstance(body, str) else json.dumps(body)
            (project / "templates" / f"{name}.json").write_text(text)
            config = {
                "template": {"type": "file", "path": f"{name}.json"},
                "stack_name": name,
                "parameters": {p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])},
                "stack_tags": {t["Key"]: t["Value"] for t in stack.get("Tags", [])},
            }
            (project / "config" / "all" / f"{name}.yaml").write_text(json.dumps(config))


main()
