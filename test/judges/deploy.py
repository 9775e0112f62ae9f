"""
What a user does with a deployed stack, by boto3 and urllib alone. Reads from stdin the stack's outputs, an endpoint, and which part to play:

    old      puts into the buckets what the first release left there, and asks what it was asked
    kept     after an upgrade: asks it again, and whether all that was left is there as it was
    first    a dataset through the functions, questions to its model, a file that cannot be used, a run that fails
    batch    after an upgrade: what was there still answers; the same dataset through Batch
    gpu      after another: the same dataset on machines with a GPU
    gone     after the stack was destroyed: what is left of the buckets

Prints what it found.
"""
import base64
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
api_key = given["part"] != "gone" and client("apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
# The address that AWS gives does not resolve to an emulator; this is the same API by its path.
api_id = outputs["ApiUrl"].split("//")[1].split(".")[0]
base = f"{endpoint}/restapis/{api_id}/prod/_user_request_/"


def call(path, body=None, key=api_key, content_type="application/json"):
    headers = {**({"content-type": content_type} if content_type else {}), **({"x-api-key": key} if key else {})}
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


def run_of(dataset):
    """The dataset's run, once it has ended."""
    def found():
        for each in states.list_executions(stateMachineArn=outputs["StateMachineArn"])["executions"]:
            execution = states.describe_execution(executionArn=each["executionArn"])
            if json.loads(execution["input"])["dataset"] == dataset and execution["status"] != "RUNNING":
                return execution
        return None

    execution = wait_for(f"the end of the run of {dataset}", found)
    return {"status": execution["status"], "cause": execution.get("cause")}


def predict(model):
    status, body = call(f"models/{model}/predict", json.dumps({"rows": [dict(zip(header[:-1], row)) for row in numbers]}))
    return {"status": status, "body": body}


with open(example, newline="") as file:
    header, *rows = list(csv.reader(file))
asked = rows[:60]
numbers = [[float(value) for value in row[:-1]] for row in asked]


def first():
    s3.upload_file(example, outputs["DataBucket"], "raw/cells/cells.csv")
    run = run_of("cells")
    predicted = predict("cells")
    _, listed = call("predict", json.dumps({"input_data": numbers[:2], "model": "cells"}))

    s3.put_object(Bucket=outputs["DataBucket"], Key="raw/empty/empty.csv", Body=b"a,b\n")
    rejected = wait_for("the rejection", lambda: (lambda found: found if found[1].get("status") == "REJECTED" else None)(call("datasets/empty")))

    text = json.dumps({"run": "lost", "dataset": "lost", "revision": "lost"})
    states.start_execution(stateMachineArn=outputs["StateMachineArn"], name="lost", input=text)
    failed = run_of("lost")
    record = json.loads(s3.get_object(Bucket=outputs["ModelBucket"], Key="runs/lost/failure.json")["Body"].read())
    return {
        "base": base,
        "apiKey": api_key,
        "run": run,
        "labels": [row[-1] for row in asked],
        "predicted": predicted,
        "listed": listed,
        "withoutKey": call("models/cells/predict", "{}", key=None),
        "wrongKey": call("models/cells/predict", "{}", key="wrong"),
        "health": call("v2/health/ready", key=None),
        "models": call("models"),
        "runs": call("runs"),
        "rejected": rejected[1],
        "failed": {"status": failed["status"], "record": record},
    }


def answers():
    """The answers to the questions, by their paths."""
    return {path: call(path, question.get("body"), content_type=question.get("type")) for path, question in given["questions"].items()}


def leave():
    # It has been there for a while: nobody is told of it.
    bucket = outputs["DataBucket"]
    told = s3.get_bucket_notification_configuration(Bucket=bucket)
    del told["ResponseMetadata"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    for each in given["objects"]:
        s3.put_object(Bucket=outputs[each["bucket"]], Key=each["key"], Body=base64.b64decode(each["body"]))
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)
    return {"told": told, "asked": answers()}


def kept():
    def now(each):
        return s3.get_object(Bucket=outputs[each["bucket"]], Key=each["key"])["Body"].read()

    changed = [each["key"] for each in given["objects"] if now(each) != base64.b64decode(each["body"])]
    return {"changed": changed, "asked": answers()}


def run_on(lane, dataset):
    s3.upload_file(example, outputs["DataBucket"], f"raw/{dataset}/cells.csv")
    spec = json.dumps({"files": ["cells.csv"], "lane": lane})
    s3.put_object(Bucket=outputs["DataBucket"], Key=f"raw/{dataset}/dataset.json", Body=spec.encode())
    return run_of(dataset)


def jobs_of(of_queue):
    batch = client("batch")
    return [
        job
        for queue in batch.describe_job_queues()["jobQueues"]
        if of_queue(queue["jobQueueName"])
        for status in ("SUCCEEDED", "FAILED")
        for job in batch.list_jobs(jobQueue=queue["jobQueueArn"], jobStatus=status)["jobSummaryList"]
    ]


def through_batch():
    before = predict("cells")
    run = run_on("cpu", "jobs")
    jobs = jobs_of(lambda _: True)
    versions = {}
    for name in ("cells", "jobs"):
        bytes_of = s3.get_object(Bucket=outputs["ModelBucket"], Key=f"models/{name}/versions/1/model.onnx")["Body"].read()
        versions[name] = {"model": call(f"models/{name}")[1], "bytes": len(bytes_of)}
    return {
        "before": before,
        "run": run,
        "predicted": predict("jobs"),
        "jobs": [job["status"] for job in jobs],
        "versions": versions,
        "watch": watched(jobs[0]["jobArn"]),
    }


def through_gpu():
    run = run_on("gpu", "graphics")
    _, known = call("runs")
    lane = next(call(f"runs/{each['id']}")[1]["lane"] for each in known["runs"] if each["dataset"] == "graphics")
    jobs = jobs_of(lambda name: "gpu" in name.lower())
    return {"run": run, "lane": lane, "predicted": predict("graphics"), "jobs": [job["status"] for job in jobs]}


def watched(job_arn):
    """What the function that Batch's events call has told of the jobs, and what it does with the rule that is its clock."""
    functions, events, logs = client("lambda"), client("events"), client("logs")
    pages = functions.get_paginator("list_functions").paginate()
    function = next(each for page in pages for each in page["Functions"] if each["Handler"] == "dist/watch.handler")

    def told():
        found = logs.get_paginator("filter_log_events").paginate(logGroupName=function["LoggingConfig"]["LogGroup"])
        lines = [event["message"] for page in found for event in page["events"] if '"_aws"' in event["message"]]
        values = [json.loads(line[line.index("{") :]) for line in lines]
        ended = sum(line.get("JobsSucceeded", 0) for line in values)
        return values if ended >= 2 and any("JobsWaiting" in line for line in values) else None

    rule = next(each["Name"] for each in events.list_rules()["Rules"] if each.get("ScheduleExpression"))

    def called(event):
        answered = functions.invoke(FunctionName=function["FunctionName"], Payload=json.dumps(event))
        return [answered.get("FunctionError"), events.describe_rule(Name=rule)["State"]]

    job = {"jobArn": job_arn, "jobName": "cells-finish", "jobQueue": client("batch").describe_job_queues()["jobQueues"][0]["jobQueueArn"], "status": "RUNNABLE", "attempts": []}
    return {
        "told": wait_for("the metrics of the jobs", told),
        "waits": called({"source": "aws.batch", "detail-type": "Batch Job State Change", "detail": job}),
        "nothing": called({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}),
    }


def gone():
    def keys(name):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=outputs[name])
        return sorted(each["Key"] for page in pages for each in page.get("Contents", []))

    return {name: keys(name) for name in ("DataBucket", "ModelBucket")}


print(json.dumps({"old": leave, "kept": kept, "first": first, "batch": through_batch, "gpu": through_gpu, "gone": gone}[given["part"]]()))
