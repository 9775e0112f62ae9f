"""Signs requests with botocore and sends them as they are: reads a list of requests from stdin, prints a list of [status, body]."""
import json
import sys
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def answer(asked):
    headers = {"content-type": "application/json", **asked.get("headers", {})}
    request = AWSRequest(method=asked["method"], url=asked["url"], data=asked.get("body", ""), headers=headers)
    if "credentials" in asked:
        SigV4Auth(Credentials(*asked["credentials"]), asked["service"], "us-east-1").add_auth(request)
    sent = request.prepare()
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body
    try:
        with urllib.request.urlopen(urllib.request.Request(asked.get("sentTo", sent.url), body or None, dict(sent.headers), method=asked["method"])) as response:
            return [response.status, json.loads(response.read() or b"null")]
    except urllib.error.HTTPError as error:
        return [error.code, json.loads(error.read() or b"null")]


print(json.dumps([answer(asked) for asked in json.load(sys.stdin)]))
