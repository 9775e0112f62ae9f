"""Calls Batch by boto3, as a program does that submits jobs, and prints what it was answered: JSON by the name of the call.

    batch_clients.py moto          against moto, in this process, with an environment and a queue of its own
    batch_clients.py <endpoint>    against a running one that has the queue `queue` and the compute environment `fargate`
"""
import json
import os
import sys
import time

import boto3
from botocore.exceptions import ClientError

target = sys.argv[1]
os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")
answers = {}


def note(name, call, **arguments):
    """Calls, and keeps the answer or the error's code under a name."""
    try:
        answer = call(**arguments)
        answer.pop("ResponseMetadata")
        answers[name] = answer
        return answer
    except ClientError as error:
        answers[name] = {"error": error.response["Error"]["Code"]}
        return {}


def prepare_moto():
    from moto import mock_aws

    mock_aws(config={"batch": {"use_docker": False}}).start()
    role = boto3.client("iam").create_role(RoleName="batch", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    ec2 = boto3.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/25")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(Description="batch", GroupName="batch", VpcId=vpc)["GroupId"]
    batch = boto3.client("batch")
    environment = batch.create_compute_environment(
        computeEnvironmentName="fargate", type="MANAGED", state="ENABLED", serviceRole=role,
        computeResources={"type": "FARGATE", "maxvCpus": 16, "subnets": [subnet], "securityGroupIds": [group]},
    )["computeEnvironmentArn"]
    batch.create_job_queue(
        jobQueueName="queue", state="ENABLED", priority=1,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
    )
    return batch


def wait_for(job):
    for _ in range(400):
        found = batch.describe_jobs(jobs=[job])["jobs"][0]
        if found["status"] in ("SUCCEEDED", "FAILED"):
            return found
        time.sleep(0.05)
    raise TimeoutError(found)


batch = prepare_moto() if target == "moto" else boto3.client("batch", endpoint_url=target)
container = {
    "image": "node",
    "command": ["node", "-e", "Ref::script"],
    "environment": [{"name": "MODE", "value": "test"}],
    "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
}
definition = dict(
    jobDefinitionName="greet", type="container", platformCapabilities=["FARGATE"], parameters={"script": "0"},
    containerProperties=container, retryStrategy={"attempts": 2}, timeout={"attemptDurationSeconds": 60}, tags={"team": "a"},
)

environments = note("describe_compute_environments", batch.describe_compute_environments, computeEnvironments=["fargate"])
queues = note("describe_job_queues", batch.describe_job_queues, jobQueues=["queue"])
note("describe_job_queues of none", batch.describe_job_queues, jobQueues=["none"])
note("list_scheduling_policies", batch.list_scheduling_policies)

note("register_job_definition", batch.register_job_definition, **definition)
second = note("register_job_definition again", batch.register_job_definition, **definition, schedulingPriority=3)
note("describe_job_definitions", batch.describe_job_definitions, jobDefinitionName="greet")
note("describe_job_definitions by revision", batch.describe_job_definitions, jobDefinitions=["greet:1"])
note("list_tags_for_resource", batch.list_tags_for_resource, resourceArn=second["jobDefinitionArn"])
note("tag_resource", batch.tag_resource, resourceArn=second["jobDefinitionArn"], tags={"more": "b"})
note("untag_resource", batch.untag_resource, resourceArn=second["jobDefinitionArn"], tagKeys=["team"])
note("list_tags_for_resource after", batch.list_tags_for_resource, resourceArn=second["jobDefinitionArn"])
note("deregister_job_definition", batch.deregister_job_definition, jobDefinition="greet:2")
note("describe_job_definitions that are active", batch.describe_job_definitions, jobDefinitionName="greet", status="ACTIVE")

job = note("submit_job", batch.submit_job, jobName="one", jobQueue="queue", jobDefinition="greet", parameters={"script": "console.log(1)"})
wait_for(job["jobId"])
note("describe_jobs", batch.describe_jobs, jobs=[job["jobId"]])
note("describe_jobs of none", batch.describe_jobs, jobs=["none"])
note("list_jobs", batch.list_jobs, jobQueue="queue", jobStatus="SUCCEEDED")
array = note("submit_job of an array", batch.submit_job, jobName="many", jobQueue="queue", jobDefinition="greet:1", arrayProperties={"size": 2})
wait_for(array["jobId"])
parent = note("describe_jobs of an array", batch.describe_jobs, jobs=[array["jobId"]])
note("describe_jobs of a child", batch.describe_jobs, jobs=[array["jobId"] + ":1"])
after = note("submit_job after another", batch.submit_job, jobName="after", jobQueue="queue", jobDefinition="greet", dependsOn=[{"jobId": job["jobId"]}])
wait_for(after["jobId"])
note("cancel_job", batch.cancel_job, jobId=after["jobId"], reason="late")
note("terminate_job", batch.terminate_job, jobId=after["jobId"], reason="late")

bad = dict(jobName="bad", jobQueue="queue", jobDefinition="greet")
note("submit_job to no queue", batch.submit_job, **{**bad, "jobQueue": "none"})
note("submit_job of no definition", batch.submit_job, **{**bad, "jobDefinition": "none"})
note("register_job_definition without memory", batch.register_job_definition, **{**definition, "containerProperties": {"image": "node"}})
note("register_job_definition with a bad name", batch.register_job_definition, **{**definition, "jobDefinitionName": "a/b"})
note("register_job_definition with a short timeout", batch.register_job_definition, **{**definition, "timeout": {"attemptDurationSeconds": 5}})

note("update_job_queue", batch.update_job_queue, jobQueue="queue", priority=2)
note("update_compute_environment", batch.update_compute_environment, computeEnvironment="fargate", state="DISABLED")
print(json.dumps(answers, default=str))
