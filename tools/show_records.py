"""Shows the most severe records of a file as a table."""

import sys
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

COLUMNS = {
    "severity_label": "severity",
    "finding_type": "type",
    "resource_id": "resource",
    "account_id": "account",
}
ROWS = 12


def main(path: Path) -> None:
    """Print a table of the findings in a file of records."""
    records = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    findings = [record for record in records if record["record_kind"] == "finding"]
    findings.sort(key=lambda record: -record.get("severity_score", 0))
    table = Table(*COLUMNS.values(), "remote")
    for record in findings[:ROWS]:
        remote = ", ".join(record.get("remote_ips", [])[:1] + record.get("remote_countries", [])[:1])
        table.add_row(*(str(record.get(field, "")) for field in COLUMNS), remote)
    console = Console()
    # Into a file or a log: wide enough for whole types.
    (console if console.is_terminal else Console(width=150)).print(table)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
