"""What boto3 sees of an S3, the laptop's or any other: python s3_clients.py <endpoint>. Fails on the first thing that differs."""
import base64
import concurrent.futures
import hashlib
import io
import os
import sys
import urllib.error
import urllib.request
import zlib

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

endpoint = sys.argv[1]
keys = dict(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
config = dict(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, max_pool_connections=20)
s3 = boto3.client("s3", endpoint_url=endpoint, config=Config(**config), **keys)
bucket = "boto-clients"


def refused(code, call, **arguments):
    try:
        call(Bucket=bucket, **arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] in (code if isinstance(code, tuple) else (code,)), error
        return
    raise AssertionError(f"{code} expected")


def body(key, **rest):
    return s3.get_object(Bucket=bucket, Key=key, **rest)["Body"].read()


s3.create_bucket(Bucket=bucket)
assert bucket in [item["Name"] for item in s3.list_buckets()["Buckets"]]

# Conditional writes, and a race of twenty.
etag = s3.put_object(Bucket=bucket, Key="once", Body=b"1", IfNoneMatch="*")["ETag"]
refused("PreconditionFailed", s3.put_object, Key="once", Body=b"2", IfNoneMatch="*")
s3.put_object(Bucket=bucket, Key="once", Body=b"2", IfMatch=etag)
refused("PreconditionFailed", s3.put_object, Key="once", Body=b"3", IfMatch=etag)
assert body("once") == b"2"


def racer(number):
    try:
        s3.put_object(Bucket=bucket, Key="race", Body=str(number).encode(), IfNoneMatch="*")
        return number
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412), error
        return None


with concurrent.futures.ThreadPoolExecutor(20) as pool:
    winners = [number for number in pool.map(racer, range(20)) if number is not None]
assert len(winners) == 1 and body("race") == str(winners[0]).encode(), winners

# Multipart by the transfer manager, with ranges over the parts' borders.
data = os.urandom(18 * 1024 * 1024 + 5)
s3.upload_fileobj(io.BytesIO(data), bucket, "big", ExtraArgs={"Metadata": {"a": "b"}})
head = s3.head_object(Bucket=bucket, Key="big")
assert head["ETag"].endswith('-3"') and head["ContentLength"] == len(data) and head["Metadata"] == {"a": "b"}, head
back = io.BytesIO()
s3.download_fileobj(bucket, "big", back)
assert back.getvalue() == data
border = 8 * 1024 * 1024
assert body("big", Range=f"bytes={border - 3}-{border + 2}") == data[border - 3 : border + 3]
assert body("big", Range="bytes=-5") == data[-5:]
refused("InvalidRange", s3.get_object, Key="big", Range=f"bytes={len(data)}-")

# Checksums.
crc = base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
s3.put_object(Bucket=bucket, Key="sum", Body=b"hello", ChecksumCRC32=crc)
assert s3.head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")["ChecksumCRC32"] == crc
sha = base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
s3.put_object(Bucket=bucket, Key="sum", Body=b"hello", ChecksumAlgorithm="SHA256")
assert s3.head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")["ChecksumSHA256"] == sha
refused(("BadDigest", "InvalidRequest"), s3.put_object, Key="sum", Body=b"other", ChecksumCRC32=crc)
assert body("sum") == b"hello"

# Lists, with keys that are awkward.
awkward = ["list/../up", "list//double", "list/Case", "list/case", "list/+plus %25", "list/slash/", "list/\u00fc\U0001f600", "list/<&>'\""]
for key in awkward:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="list/", PaginationConfig={"PageSize": 3})
listed = [item["Key"] for page in pages for item in page.get("Contents", [])]
assert listed == sorted(awkward, key=lambda key: key.encode()), listed
for key in awkward:
    assert body(key) == key.encode(), key
answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in awkward]})
assert sorted(item["Key"] for item in answer["Deleted"]) == sorted(awkward) and not answer.get("Errors"), answer

# Versions.
s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
first = s3.put_object(Bucket=bucket, Key="versioned", Body=b"1")["VersionId"]
s3.put_object(Bucket=bucket, Key="versioned", Body=b"2")
marker = s3.delete_object(Bucket=bucket, Key="versioned")
assert marker["DeleteMarker"] is True
refused("NoSuchKey", s3.get_object, Key="versioned")
assert body("versioned", VersionId=first) == b"1"
versions = s3.list_object_versions(Bucket=bucket, Prefix="versioned")
assert len(versions["Versions"]) == 2 and len(versions["DeleteMarkers"]) == 1, versions
s3.delete_object(Bucket=bucket, Key="versioned", VersionId=marker["VersionId"])
assert body("versioned") == b"2"

# Presigned URLs, which boto3 signs with version 2 of the signature unless told to use version 4.
for version in ("s3", "s3v4"):
    signer = boto3.client("s3", endpoint_url=endpoint, config=Config(signature_version=version, **config), **keys)
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "sum"}, ExpiresIn=60)
    assert urllib.request.urlopen(url).read() == b"hello", url

print("ok")
