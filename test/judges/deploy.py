"""What a user does with a deployed stack, by boto3 and urllib alone. Reads the stack's outputs and an endpoint from stdin, prints what it found."""
import csv
import json
import sys
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

given = json.load(sys.stdin)
outputs, endpoint, example = given["outputs"], given["endpoint"], given["example"]


def client(service, **config):
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", config=Config(**config))


s3 = client("s3", s3={"addressing_style": "path"})
states = client("stepfunctions")
api_key = client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
# The address that AWS gives does not resolve to an emulator; this is the same API by its path.
api_id = outputs["ApiUrl"].split("//")[1].split(".")[0]
base = f"{endpoint}/restapis/{api_id}/prod/_user_request_/"


def call(path, body=None, key=api_key, content_type="application/json"):
    headers = {"content-type": content_type, **({"x-api-key": key} if key else {})}
    request = urllib.request.Request(base + path, data=body.encode() if body else None, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def wait_for(what, found, seconds=180):
    until = time.time() + seconds
    while time.time() < until:
        value = found()
        if value:
            return value
        time.sleep(0.5)
    raise TimeoutError(f"{what}: nothing after {seconds} s; the dataset is {call('datasets/cells')}")


def ended(run):
    execution = states.describe_execution(executionArn=run)
    return execution if execution["status"] != "RUNNING" else None


def runs():
    return states.list_executions(stateMachineArn=outputs["StateMachineArn"])["executions"]


with open(example, newline="") as file:
    header, *rows = list(csv.reader(file))

s3.upload_file(example, outputs["DataBucket"], "raw/cells/cells.csv")
run = wait_for("a run", lambda: next(iter(runs()), None))
execution = wait_for("the end of the run", lambda: ended(run["executionArn"]))

asked = rows[:60]
numbers = [[float(value) for value in row[:-1]] for row in asked]
status, predicted = call("models/cells/predict", json.dumps({"rows": [dict(zip(header[:-1], row)) for row in numbers]}))
_, listed = call("predict", json.dumps({"input_data": numbers[:2], "model": "cells"}))

s3.put_object(Bucket=outputs["DataBucket"], Key="raw/empty/empty.csv", Body=b"a,b\n")
rejected = wait_for("the rejection", lambda: (lambda found: found if found[1].get("status") == "REJECTED" else None)(call("datasets/empty")))

lost = states.start_execution(
    stateMachineArn=outputs["StateMachineArn"], name="lost", input=json.dumps({"run": "lost", "dataset": "lost", "revision": "lost"})
)
failed = wait_for("the failure", lambda: ended(lost["executionArn"]))
record = json.loads(s3.get_object(Bucket=outputs["ModelBucket"], Key="runs/lost/failure.json")["Body"].read())

print(json.dumps({
    "base": base,
    "apiKey": api_key,
    "run": {"status": execution["status"], "cause": execution.get("cause")},
    "labels": [row[-1] for row in asked],
    "predicted": {"status": status, "body": predicted},
    "listed": listed,
    "withoutKey": call("models/cells/predict", "{}", key=None),
    "wrongKey": call("models/cells/predict", "{}", key="wrong"),
    "health": call("v2/health/ready", key=None),
    "models": call("models"),
    "runs": call("runs"),
    "rejected": rejected[1],
    "failed": {"status": failed["status"], "record": record},
}))
