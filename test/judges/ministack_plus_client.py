"""Deploys a template with Batch to an endpoint by CloudFormation, runs its state machine once for each script that is given, and prints how each ended."""
import json
import os
import sys
import time

import boto3

os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")
given = json.load(sys.stdin)


def client(service):
    return boto3.client(service, endpoint_url=given["endpoint"])


stacks, states = client("cloudformation"), client("stepfunctions")
stacks.create_stack(StackName="jobs", TemplateBody=json.dumps(given["template"]), Capabilities=["CAPABILITY_IAM"])
stacks.get_waiter("stack_create_complete").wait(StackName="jobs", WaiterConfig={"Delay": 1})
machine = stacks.describe_stacks(StackName="jobs")["Stacks"][0]["Outputs"][0]["OutputValue"]

executions = {}
for name, script in given["scripts"].items():
    text = json.dumps({"parameters": {"script": script}})
    executions[name] = states.start_execution(stateMachineArn=machine, name=name, input=text)["executionArn"]
ended = {}
for _ in range(300):
    for name, arn in executions.items():
        found = states.describe_execution(executionArn=arn)
        if found["status"] != "RUNNING":
            ended[name] = {"status": found["status"], "detail": json.loads(found.get("cause") or found["output"]), "error": found.get("error")}
    if len(ended) == len(executions):
        break
    time.sleep(0.1)
print(json.dumps(ended))
