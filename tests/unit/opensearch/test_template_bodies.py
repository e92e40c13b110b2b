"""What templates are made of, without a server; `tests/integration/test_templates.py` asks one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from guardduty_lens import Lens
from guardduty_lens.aws_model import load_finding_model
from guardduty_lens.opensearch.names import Names
from guardduty_lens.opensearch.resources import META, IndexOptions
from guardduty_lens.opensearch.templates import templates
from guardduty_lens.version import __version__

ROOT = Path(__file__).parents[3]
PLAIN = Names()
INDICES = ("log", "state", "cloudtrail", "stats", "tags", "flat")


def bodies(names: Names = PLAIN, lens: Lens | None = None, **options: Any) -> dict[str, dict[str, Any]]:
    plan = (lens or Lens(extractors=())).plan
    made = templates(plan, names, options.pop("options", IndexOptions()), **options)
    assert [each.kind for each in made] == sorted(each.kind for each in made), "components come first"
    assert len({(each.kind, each.name) for each in made}) == len(made)
    return {f"{each.kind}/{each.name}": each.body for each in made}


def properties(body: dict[str, Any]) -> dict[str, Any]:
    return body["template"]["mappings"]["properties"]


def test_the_files_on_disk_are_fresh() -> None:
    line = [sys.executable, "tools/make_templates.py", "--check"]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_a_prefix_reaches_every_name_and_pattern() -> None:
    made = bodies(Names("acme-"), flat=True)
    assert set(made) == {
        "component_template/acme-guardduty-lens-finding",
        "component_template/acme-guardduty-lens-added",
        "component_template/acme-guardduty-lens-settings",
        *(
            f"index_template/acme-guardduty-lens-{each}"
            for each in ("log", "state", "cloudtrail", "stats", "tags", "flat")
        ),
    }
    for name, body in made.items():
        assert body["_meta"] == {META: {"version": __version__}}
        if name.startswith("index_template"):
            assert all(pattern.startswith("acme-guardduty") for pattern in body["index_patterns"])
            assert all(part.startswith("acme-guardduty-lens-") for part in body["composed_of"])


def test_shards_and_replicas_reach_every_index() -> None:
    made = bodies(options=IndexOptions(shards=3, replicas=2))
    for name in ("component_template/guardduty-lens-settings", "index_template/guardduty-lens-stats"):
        index = made[name]["template"]["settings"]["index"]
        assert (index["number_of_shards"], index["number_of_replicas"]) == (3, 2)


def test_every_leaf_of_the_model_is_mapped() -> None:
    model = load_finding_model()
    mapped = properties(bodies()["component_template/guardduty-lens-finding"])["detail"]["properties"]

    def walk(shape: str, mapping: dict[str, Any], path: str) -> None:
        known = model.shapes[shape]
        if known.member:
            walk(known.member.shape, mapping, path)
        elif mapping.get("type") == "flat_object":
            assert known.is_open or known.kind == "map", path
        elif known.kind == "structure":
            for name, member in known.members.items():
                walk(member.shape, mapping["properties"][name], f"{path}.{name}")
        else:
            assert mapping["type"] in {"text", "date", "ip", "long", "double", "keyword"}, path

    walk(model.root, {"properties": mapped}, "detail")


def test_objects_never_make_the_mapping_grow() -> None:
    def walk(mapping: dict[str, Any]) -> None:
        if "properties" in mapping:
            assert mapping["dynamic"] is False
        for below in mapping.get("properties", {}).values():
            walk(below)

    for part in ("finding", "added"):
        walk(bodies()[f"component_template/guardduty-lens-{part}"]["template"]["mappings"])


def test_the_field_prefix_reaches_all_but_the_timestamp() -> None:
    added = properties(
        bodies(lens=Lens(extractors=(), field_prefix="gd_"))["component_template/guardduty-lens-added"]
    )
    assert {name for name in added if not name.startswith("gd_")} == {"@timestamp"}
    assert added["gd_threat_resorce_affected"] == {"type": "alias", "path": "gd_threat_resource_affected"}
    assert {"gd_ingested_at", "gd_ingest_lag_seconds", "gd_lens_pipeline_failure"} <= added.keys()


def test_a_field_may_not_have_the_name_of_one_set_on_entering_an_index() -> None:
    with pytest.raises(ValueError, match="field names ingested_at are taken"):
        bodies(extra_fields={"ingested_at": "date"})


def test_elasticsearch_has_its_own_type_for_free_objects() -> None:
    body = bodies(flavor="elasticsearch")["component_template/guardduty-lens-finding"]
    assert "flat_object" not in json.dumps(body)
    assert properties(body)["asff"] == {"type": "flattened", "ignore_above": 8191, "depth_limit": 100}
