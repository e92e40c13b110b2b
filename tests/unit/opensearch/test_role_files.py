"""The roles as files are those of the code; one may only what its name says."""

import subprocess
import sys
from pathlib import Path

from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.roles import roles

ROOT = Path(__file__).parents[3]


def test_the_files_on_disk_are_fresh():
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "make_roles.py"), "--check"], cwd=ROOT)
    assert done.returncode == 0


def test_an_index_prefix_reaches_every_pattern():
    for role in roles(Names("acme-")).values():
        permission, *shapes = role["index_permissions"]
        assert [each["index_patterns"] for each in shapes] in ([], [["acme-guardduty-countries-map"]])
        assert permission["index_patterns"] == [
            "acme-guardduty-findings",
            "acme-guardduty-tags",
            "acme-guarddutylogs",
            "acme-guarddutylogs-2*",
            "acme-guardduty-cloudtrail-2*",
            "acme-guardduty-stats-2*",
        ]
