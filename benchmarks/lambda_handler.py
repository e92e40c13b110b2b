"""The function `index` on an export of 10,000 findings in S3, against `filter` of the same file.

Both are whole processes that send to the same OpenSearch (`make opensearch` gives its URL), alternating; S3
is moto's server, whose time counts too. Wall time, the median of the ratios.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import boto3

from guardduty_lens.samples import generate_findings

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
from aws_account import REGION, moto_server

COMMAND = str(Path(sys.executable).with_name("guardduty-lens"))
FINDINGS, RUNS = 10_000, 3
HANDLER = """
from guardduty_lens.aws.index import handler
told = {"bucket": {"name": "archive"}, "object": {"key": "export.jsonl.gz"}}
counts = handler({"Records": [{"eventName": "ObjectCreated:Put", "s3": told}]}, None)
assert counts["delivered"]["log_created"] == %d, counts
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    url = parser.parse_args().url
    lines = b"".join(json.dumps(finding).encode() + b"\n" for finding in generate_findings(FINDINGS, 1))
    export = gzip.compress(lines)
    with moto_server() as moto, tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "AWS_ENDPOINT_URL": moto,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "OPENSEARCH_URL": url,
            "OPENSEARCH_AUTH": "none",
            "DEAD_LETTER_BUCKET": "archive",
        }
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="archive", Key="export.jsonl.gz", Body=export)
        path = Path(folder) / "export.jsonl.gz"
        path.write_bytes(export)
        filtering = [COMMAND, "filter", str(path), "--to", "opensearch", "--url", url, "--quiet"]
        ratios = []
        for _ in range(RUNS):
            local = seconds(url, filtering, "--index-prefix")
            function = seconds(url, [sys.executable, "-c", HANDLER % FINDINGS])
            ratios.append(local / function)
            print(f"filter {local:.2f} s, handler {function:.2f} s")
    print(f"handler against filter: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


def seconds(url: str, command: list[str], prefix_option: str | None = None) -> float:
    """Run a command against indices of its own; give its wall time."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}-"
    there = ["--url", url, "--index-prefix", prefix]
    subprocess.run([COMMAND, "install", *there], check=True, stdout=subprocess.DEVNULL)
    try:
        start = time.perf_counter()
        more = [prefix_option, prefix] if prefix_option else []
        subprocess.run([*command, *more], check=True, env=os.environ | {"INDEX_PREFIX": prefix})
        return time.perf_counter() - start
    finally:
        uninstall = [COMMAND, "uninstall", *there, "--with-data", "--yes"]
        subprocess.run(uninstall, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
