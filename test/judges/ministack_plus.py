"""MiniStack, and what it lacks of the services that this stack uses: Batch as a service that runs jobs, Batch's and a few of EC2's types in
CloudFormation, and Step Functions' `batch:submitJob(.sync)`.

A job is its definition's command as a local process in a folder of its own, and its output is kept in `jobs/<job>.log` under the working
directory. The children of an array run side by side, at most `JOB_CORES` jobs at a time. An attempt
that fails is followed by another as the retry strategy says, and one that outlives its time limit is ended. EventBridge hears of what becomes of jobs.

    GATEWAY_PORT=4599 BIND_HOST=127.0.0.1 LAMBDA_EXECUTOR=local python ministack_plus.py
"""
import contextvars
import json
import os
import re
import subprocess
import tempfile
import threading
import uuid

from ministack.core.responses import error_response_json
from ministack.services import batch, eventbridge, stepfunctions
from ministack.services.cloudformation import provisioners

cores = threading.Semaphore(int(os.environ.get("JOB_CORES", os.cpu_count() or 1)))
definitions, processes, job_threads = {}, {}, {}
# What Lambda's processes get of AWS, jobs get too.
credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
own_keys = re.compile("parameters|tags|options|statusSummary", re.IGNORECASE)


def rename(value, name):
    """Keys in another case, but for those that are the user's."""
    if isinstance(value, list):
        return [rename(item, name) for item in value]
    if not isinstance(value, dict):
        return value
    return {name(key): item if own_keys.fullmatch(key) else rename(item, name) for key, item in value.items()}


def camel(value):
    return rename(value, lambda key: key[:1].lower() + key[1:])


def pascal(value):
    return rename(value, lambda key: key[:1].upper() + key[1:])


def answer(response):
    status, _, body = response
    found = json.loads(body or "{}")
    if status >= 400:
        raise ValueError(found.get("message", str(found)))
    return found


# Jobs


def find_definition(name):
    wanted = name.split("job-definition/")[-1]
    fitting = [each for arn, each in definitions.items() if wanted in (arn.split("/")[-1], each["jobDefinitionName"])]
    if not fitting:
        raise ValueError(f"JobDefinition not found: {name}")
    return fitting[-1]


def submit(request):
    """Takes a job and starts it. Returns its record, as DescribeJobs shows it."""
    definition = find_definition(request["jobDefinition"])
    overrides = request.get("containerOverrides") or {}
    container = dict(definition["containerProperties"])
    parameters = {**(definition.get("parameters") or {}), **(request.get("parameters") or {})}
    command = overrides.get("command") or container.get("command") or []
    container["command"] = [re.sub(r"Ref::([\w.-]+)", lambda found: str(parameters.get(found[1], found[0])), part) for part in command]
    named = {item["name"]: item for item in (container.get("environment") or []) + (overrides.get("environment") or [])}
    container["environment"] = list(named.values())
    answered = answer(batch._submit_job(request))
    job = batch._jobs[answered["jobId"]]
    job.update(
        status="PENDING", statusReason=None, jobDefinition=definition["jobDefinitionArn"], container=container, parameters=parameters, attempts=[],
        dependsOn=[], retryStrategy=request.get("retryStrategy") or definition.get("retryStrategy") or {"attempts": 1},
        timeout=request.get("timeout") or definition.get("timeout"), shareIdentifier=request.get("shareIdentifier"),
    )
    for name in ("startedAt", "stoppedAt"):
        job.pop(name, None)
    size = (request.get("arrayProperties") or {}).get("size")
    children = [{**job, "jobId": f"{job['jobId']}:{index}", "arrayProperties": {"index": index}, "attempts": []} for index in range(size or 0)]
    for child in children:
        batch._jobs[child["jobId"]] = child
    if size:
        job["arrayProperties"] = {"size": size}
    # Threads keep the account and region of the request.
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: context.run(run_job, job, children), daemon=True)
    thread.start()
    job_threads[job["jobId"]] = thread
    return job


def tell(job, status):
    """Another state of a job, of which Batch tells EventBridge."""
    job["status"] = status
    detail = {name: value for name, value in job.items() if value is not None}
    entry = {"Source": "aws.batch", "DetailType": "Batch Job State Change", "Resources": [job["jobArn"]], "Detail": json.dumps(detail)}
    answer(eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True))


def run_job(job, children):
    if not children:
        return attempt_until_done(job, None)
    tell(job, "PENDING")
    threads = []
    for index, child in enumerate(children):
        context = contextvars.copy_context()
        threads.append(threading.Thread(target=context.run, args=(attempt_until_done, child, index), daemon=True))
    for thread in threads:
        thread.start()
    job["startedAt"] = batch._now_ms()
    for thread in threads:
        thread.join()
    failed = sum(child["status"] == "FAILED" for child in children)
    job["arrayProperties"]["statusSummary"] = {"SUCCEEDED": len(children) - failed, "FAILED": failed}
    finish(job, "FAILED" if failed else "SUCCEEDED", "Array Child Job failed" if failed else None)


def attempt_until_done(job, index):
    tell(job, "RUNNABLE")
    with cores:
        while job["status"] not in ("SUCCEEDED", "FAILED"):
            ended = attempt(job, index, len(job["attempts"]) + 1)
            job["attempts"].append(ended)
            job["container"] = {**job["container"], "exitCode": ended["container"]["exitCode"]}
            reason = ended["statusReason"]
            if job.get("stop"):
                finish(job, "FAILED", job["stop"])
            elif ended["container"]["exitCode"] == 0:
                finish(job, "SUCCEEDED", reason)
            elif reason == "Job attempt duration exceeded timeout" or not retries(job["retryStrategy"], ended, len(job["attempts"])):
                finish(job, "FAILED", reason)


def attempt(job, index, number):
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        **credentials,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT', '4566')}",
        "AWS_BATCH_JOB_ID": job["jobId"],
        "AWS_BATCH_JOB_ATTEMPT": str(number),
        "AWS_BATCH_JQ_NAME": job["jobQueue"].split("/")[-1],
        **({} if index is None else {"AWS_BATCH_JOB_ARRAY_INDEX": str(index)}),
        **{item["name"]: item.get("value", "") for item in job["container"]["environment"]},
    }
    job.update(status="RUNNING", startedAt=batch._now_ms())
    os.makedirs("jobs", exist_ok=True)
    started, reason = batch._now_ms(), "Essential container in task exited"
    limit = (job.get("timeout") or {}).get("attemptDurationSeconds")
    with tempfile.TemporaryDirectory() as folder, open(f"jobs/{job['jobId'].replace(':', '.')}.log", "a") as log:
        try:
            process = subprocess.Popen(job["container"]["command"], cwd=folder, env={**environment, "TMPDIR": folder}, stdout=log, stderr=log)
            processes[job["jobId"]] = process
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            code, reason = process.wait(), "Job attempt duration exceeded timeout"
        except OSError as error:
            log.write(f"{error}\n")
            code, reason = 127, "Task failed to start"
    code = code if code >= 0 else 128 - code
    return {"container": {"exitCode": code}, "startedAt": started, "stoppedAt": batch._now_ms(), "statusReason": reason}


def retries(strategy, ended, count):
    """Whether there is another attempt: the first rule that matches decides, and what none matches is retried."""
    said = {"onStatusReason": ended["statusReason"], "onReason": "", "onExitCode": str(ended["container"]["exitCode"])}

    def fits(rule):
        patterns = [(rule[name], text) for name, text in said.items() if rule.get(name)]
        return all(text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern for pattern, text in patterns)

    rule = next((rule for rule in strategy.get("evaluateOnExit") or [] if fits(rule)), {})
    return count < int(strategy.get("attempts") or 1) and rule.get("action", "RETRY").upper() == "RETRY"


def finish(job, status, reason):
    job.update(statusReason=reason, stoppedAt=batch._now_ms())
    tell(job, status)


def submit_job_call(request):
    try:
        job = submit(request)
    except ValueError as error:
        return error_response_json("ClientException", str(error), 400)
    return batch._json(200, {name: job[name] for name in ("jobId", "jobName", "jobArn")})


def terminate_job_call(request):
    for job_id, job in list(batch._jobs.items()):
        if job_id.split(":")[0] == request["jobId"].split(":")[0] and job["status"] not in ("SUCCEEDED", "FAILED"):
            job["stop"] = request["reason"]
            if job_id in processes:
                processes[job_id].terminate()
    return batch._json(200, {})


def describe_environments_call(request):
    """By name or ARN; MiniStack knows names alone."""
    names = [name.split("/")[-1] for name in request.get("computeEnvironments") or []]
    return batch._describe_compute_environments({"computeEnvironments": names})


def list_jobs_call(request):
    """Of a queue the jobs and arrays, of an array the children. A filter goes before the status."""
    array = request.get("arrayJobId")
    jobs = [job for job in batch._jobs.values() if (job["jobId"].startswith(f"{array}:") if array else ":" not in job["jobId"])]
    wanted = [value for filter in request.get("filters") or [] for value in filter["values"]]
    if wanted:
        jobs = [job for job in jobs if any(job["jobName"].startswith(value[:-1]) if value.endswith("*") else job["jobName"] == value for value in wanted)]
    else:
        jobs = [job for job in jobs if job["status"] == request.get("jobStatus", "RUNNING")]
    shown = ("jobId", "jobArn", "jobName", "status", "statusReason", "shareIdentifier", "createdAt", "startedAt", "stoppedAt")
    return batch._json(200, {"jobSummaryList": [{name: job[name] for name in shown if job.get(name) is not None} for job in jobs]})


batch._DISPATCH.update({
    "/v1/listjobs": list_jobs_call,
    "/v1/describecomputeenvironments": describe_environments_call,
    "/v1/submitjob": submit_job_call,
    "/v1/terminatejob": terminate_job_call,
    "/v1/canceljob": terminate_job_call,
    "/v1/getjobqueuesnapshot": lambda _: batch._json(200, {"frontOfQueue": {"jobs": [], "lastUpdatedAt": batch._now_ms()}}),
})


def submit_job_task(resource, request):
    """Step Functions' task. Its errors are named as Step Functions names them."""
    try:
        job = submit(camel(request))
    except ValueError as error:
        raise stepfunctions._ExecutionError("Batch.ClientException", str(error)) from error
    if not resource.endswith(".sync"):
        return pascal({name: job[name] for name in ("jobId", "jobName", "jobArn")})
    job_threads[job["jobId"]].join()
    detail = pascal({name: value for name, value in job.items() if value is not None})
    if job["status"] == "FAILED":
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(detail))
    return detail


stepfunctions._SERVICE_DISPATCH["arn:aws:states:::batch:submitJob"] = submit_job_task


# CloudFormation


def named(request, key, logical_id, stack):
    request[key] = request.get(key) or f"{stack}-{logical_id}-{uuid.uuid4().hex[:8]}"
    return request


def compute_environment(logical_id, props, stack):
    request = named(camel(props), "computeEnvironmentName", logical_id, stack)
    request.pop("serviceRole", None)
    arn = answer(batch._create_compute_environment({**request, "type": "MANAGED"}))["computeEnvironmentArn"]
    return arn, {"ComputeEnvironmentArn": arn}


def job_queue(logical_id, props, stack):
    arn = answer(batch._create_job_queue(named(camel(props), "jobQueueName", logical_id, stack)))["jobQueueArn"]
    return arn, {"JobQueueArn": arn}


def job_definition(logical_id, props, stack):
    return revision(named(camel(props), "jobDefinitionName", logical_id, stack))


def revision(request):
    arn = answer(batch._register_job_definition(request))["jobDefinitionArn"]
    definitions[arn] = {**request, "jobDefinitionArn": arn}
    return arn, {"JobDefinitionArn": arn}


def only_recorded(prefix):
    """A resource on which nothing acts: it gets an id and an ARN."""
    def create(logical_id, props, stack):
        name = f"{prefix}-{uuid.uuid4().hex[:17]}"
        arn = f"arn:aws:batch:us-east-1:000000000000:{prefix}/{name}"
        return (arn if prefix == "scheduling-policy" else name), {"Arn": arn, "Id": name}
    return create


def updated(create, physical_id, props):
    """A changed job definition is a new revision; the others stay what they are."""
    if create is not job_definition:
        return physical_id, dict.fromkeys(("ComputeEnvironmentArn", "JobQueueArn", "Arn", "Id"), physical_id)
    return revision({**camel(props), "jobDefinitionName": physical_id.split("/")[-1].split(":")[0]})


for resource_type, create in {
    "AWS::Batch::ComputeEnvironment": compute_environment,
    "AWS::Batch::JobQueue": job_queue,
    "AWS::Batch::JobDefinition": job_definition,
    "AWS::Batch::SchedulingPolicy": only_recorded("scheduling-policy"),
    "AWS::EC2::EgressOnlyInternetGateway": only_recorded("eigw"),
    "AWS::EC2::FlowLog": only_recorded("fl"),
    "AWS::EC2::NetworkAcl": only_recorded("acl"),
    "AWS::EC2::SecurityGroupEgress": only_recorded("sgr"),
    "AWS::EC2::SecurityGroupIngress": only_recorded("sgr"),
    "AWS::EC2::VPCCidrBlock": only_recorded("vpc-cidr-assoc"),
}.items():
    provisioners._RESOURCE_HANDLERS.setdefault(resource_type, {
        "create": create,
        "update": lambda physical_id, old, new, stack, create=create: updated(create, physical_id, new),
        "delete": lambda physical_id, props: None,
    })

def with_ipv6(act):
    """A VPC has the IPv6 addresses that its block of them brings, which MiniStack does not know of."""
    def acted(*arguments):
        physical_id, attributes = act(*arguments)
        return physical_id, {**attributes, "Ipv6CidrBlocks": ["2001:db8:1234:1a00::/56"]}
    return acted


vpc = provisioners._RESOURCE_HANDLERS["AWS::EC2::VPC"]
vpc.update(create=with_ipv6(vpc["create"]), update=with_ipv6(vpc["update"]))

if __name__ == "__main__":
    from ministack.app import main

    main()
