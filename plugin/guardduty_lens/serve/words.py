"""A configuration in words, a line for each input and output, for the log and for `--check`."""

from pathlib import Path

from guardduty_lens.outputs.coralogix import url_of
from guardduty_lens.serve.checks import place_of
from guardduty_lens.serve.config import Config, Input, Output, name_of


def lines_of(config: Config, folder: Path, ports: list[int] | None = None) -> list[str]:
    """Give the lines; `ports` are those that inputs really listen on, in order, once they do."""
    left = iter(ports or ())
    lines = []
    for number, given in enumerate(config.inputs, 1):
        place = place_of(given)
        port = next(left, place[1]) if place is not None else 0
        lines.append(f"input {number}: {given.type} {_input(given, folder, place, port)}")
    return lines + [_output(given, number, folder) for number, given in enumerate(config.outputs)]


def _input(given: Input, folder: Path, place: tuple[str, int] | None, port: int) -> str:
    if place is not None:
        host = f"[{place[0]}]" if ":" in place[0] else place[0]
        client = ", certificates of clients required" if given.tls is not None and given.tls.client_ca else ""
        tls = f"with TLS{client}" if given.tls is not None else "without TLS"
        secret = given.shared_key if given.type == "forward" else given.token
        key = "shared key" if given.type == "forward" else "token"
        return f"on {host}:{port}, {tls}, {'with' if secret else 'without'} a {key}"
    if given.type == "sqs":
        return f"of the queue {given.queue_url}"
    place_in_aws = f"s3://{given.bucket}/{given.prefix}" if given.type == "s3" else ", ".join(given.regions)
    return f"of {place_in_aws}, remembered in {folder / (given.memory or '')}"


def _output(given: Output, number: int, folder: Path) -> str:
    targets = {
        "file": str(folder / (given.path or "")),
        "opensearch": ", ".join(given.url),
        "forward": f"{given.address}, {'with' if given.tls else 'without'} TLS",
        "coralogix": given.api_url or (url_of(given.domain) if given.domain else ""),
    }
    tags = f"tags {', '.join(given.match)}" if given.match else "all tags"
    return f"output {name_of(given, number)}: {given.type} {targets[given.type]}, {tags}"
