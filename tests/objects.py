"""A real S3 server of our own on this machine (moto's), which proves every request's signature; its contents go with it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from typing import Any

ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


class Objects:
    """One server with one bucket and one user who may do everything in it. `env`: what a machine that uses it is given."""

    bucket = "undercut-team"

    def __init__(self) -> None:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        free = {"INITIAL_NO_AUTH_ACTION_COUNT": "4"}  # the four calls below; from then on every signature is proven
        words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        self.process = subprocess.Popen(words, env={**os.environ, **free}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        self._wait(port)
        iam = self.client("iam", "first", "first")
        iam.create_user(UserName="undercut")
        iam.put_user_policy(UserName="undercut", PolicyName="all", PolicyDocument=json.dumps(ALL))
        key = iam.create_access_key(UserName="undercut")["AccessKey"]
        self.key, self.secret = key["AccessKeyId"], key["SecretAccessKey"]
        self.s3 = self.client("s3", self.key, self.secret)
        self.s3.create_bucket(Bucket=self.bucket)
        self.env = {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_S3": self.url}  # fmt: skip

    def client(self, service: str, key: str, secret: str) -> Any:
        import boto3

        return boto3.client(service, endpoint_url=self.url, aws_access_key_id=key, aws_secret_access_key=secret, region_name="us-east-1")  # fmt: skip

    def names(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [o["Key"] for page in pages for o in page.get("Contents", ())]

    def remove(self) -> None:
        self.process.kill()
        self.process.wait()

    def _wait(self, port: int) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.process.poll() is None, "the object store ended by itself"
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError("the object store did not start")
