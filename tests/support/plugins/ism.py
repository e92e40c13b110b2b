"""Index State Management: policies, and the indices that they manage. Its job runs when a test says so."""

import copy
import re
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from plugins.indices import Index, Indices, resolved
from plugins.managed import Managed, unmanaged
from plugins.policies import ILLEGAL, check_patterns, parsed
from plugins.refusals import RefusalError, UnrecordedError, missing_index, no_body, refusal
from plugins.requests import Request, Route, routed

ROOT = "/_plugins/_ism/"
_CONFIG = ".opendistro-ism-config"
_READ_VERSION = 30
"""The `schema_version` of a policy that is read, whatever was put."""
_REFRESH = 1_000
"""Milliseconds until a search, such as explain's, sees what was removed."""
_UNMODELLED = {"rollup", "sm", "transforms"}

_LISTING = frozenset({"queryString", "size", "from", "sortField", "sortOrder"})


def _now() -> int:
    return int(time.time() * 1000)


class IsmPlugin:
    """Policies by their ids, each as it is stored: `policy`, `_version`, `_seq_no`."""

    def __init__(self, indices: Indices, now: Callable[[], int] = _now) -> None:
        self.policies: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self._indices, self._now = indices, now
        self._managed: dict[str, Managed] = {}
        self._removed: dict[str, tuple[Managed, int]] = {}
        self._seen: set[str] = set()
        self._versions: dict[str, int] = {}
        self._sequence = 0
        self._config_made = False
        one = {"GET": self._get, "HEAD": self._get, "PUT": self._put, "DELETE": self._delete}
        once = frozenset({"if_seq_no", "if_primary_term", "refresh"})
        explain = {"GET": self._explain, "POST": self._explain}
        self._routes = [
            Route("policies", {"GET": self._list, "PUT": self._put}, _LISTING | once),
            Route("policies/*", one, once),
            Route("explain", explain, frozenset({"show_policy"})),
            Route("explain/*", explain, frozenset({"show_policy"})),
            *(
                Route(f"{name}{below}", {"POST": handler})
                for name, handler in {
                    "add": self._add, "remove": self._remove, "retry": self._retry,
                    "change_policy": self._change, "simulate": self._simulate,
                }.items()
                for below in ("", "/*")
            ),
        ]  # fmt: skip

    def answer(self, request: Request) -> tuple[int, Any]:
        self.requests.append((request.method, request.path))
        self._find_new()
        return routed(request, ROOT, self._routes, _UNMODELLED)

    def run_jobs(self) -> None:
        """Take the next step with every managed index, as the plugin's job does."""
        self._find_new()
        for name, each in list(self._managed.items()):
            if each.run(self._now()):
                self._indices.delete(name)
                del self._managed[name]

    def _find_new(self) -> None:
        """Manage indices made since the last request, by the patterns that policies have had meanwhile."""
        there, _ = resolved(self._indices, ["*"])
        for index in there:
            if index.uuid not in self._seen and (identifier := self._policy_for(index.name)):
                self._attach(index, identifier)
        self._seen = {each.uuid for each in there}
        kept = {each.name for each in there}
        self._managed = {name: each for name, each in self._managed.items() if name in kept}

    def _policy_for(self, name: str) -> str | None:
        fitting = [
            (template["priority"], identifier)
            for identifier, each in self.policies.items()
            for template in each["policy"]["ism_template"] or ()
            if any(fnmatchcase(name, pattern) for pattern in template["index_patterns"])
        ]
        return max(fitting)[1] if fitting else None

    def _attach(self, index: Index, identifier: str) -> None:
        there = self.policies[identifier]
        self._managed[index.name] = Managed(index, copy.deepcopy(there["policy"]), there["_seq_no"])

    def _put(self, request: Request, identifier: str) -> tuple[int, Any]:
        if not identifier:
            raise refusal(ILLEGAL, "Missing policy ID")
        now = self._now()
        policy = {"policy_id": identifier} | parsed(request.text, now)
        check_patterns(identifier, policy, {name: each["policy"] for name, each in self.policies.items()})
        self._check_sequence(identifier, request.query)
        there = self.policies.get(identifier)
        version = self._versions[identifier] = self._versions.get(identifier, 0) + 1
        stored = {"_version": version, "_seq_no": self._sequence}
        self.policies[identifier] = {"policy": policy | {"schema_version": _READ_VERSION}, **stored}
        self._sequence += 1
        self._config_made = True
        told = {"_id": identifier, **stored, "_primary_term": 1, "policy": {"policy": policy}}
        return 200 if there else 201, told

    def _check_sequence(self, identifier: str, query: dict[str, str]) -> None:
        there = self.policies.get(identifier)
        sequence, term = query.get("if_seq_no"), query.get("if_primary_term")
        said = f"[{identifier}]: version conflict, "
        if sequence is None or term is None:  # held to be a new one
            if there:
                raise self._conflict(f"{said}document already exists (current version [{there['_version']}])")
            return
        required = f"{said}required seqNo [{sequence}], primary term [{term}]. "
        if there is None:
            raise self._conflict(f"{required}but no document was found")
        if (sequence, term) != (str(there["_seq_no"]), "1"):
            current = f"current document has seqNo [{there['_seq_no']}] and primary term [1]"
            raise self._conflict(required + current)

    def _conflict(self, reason: str) -> RefusalError:
        place = {"index": _CONFIG, "shard": "0", "index_uuid": "uuid-of-the-config"}
        return refusal("version_conflict_engine_exception", reason, 409, **place)

    def _get(self, _: Request, identifier: str) -> tuple[int, Any]:
        if not self._config_made:
            raise missing_index(_CONFIG, "index_expression")
        if identifier not in self.policies:
            raise refusal("status_exception", "Policy not found", 404)
        return 200, {"_id": identifier, **self.policies[identifier], "_primary_term": 1}

    def _delete(self, _: Request, identifier: str) -> tuple[int, Any]:
        if not self._config_made:
            raise missing_index(_CONFIG, "index_expression")
        if self.policies.pop(identifier, None) is None:
            raise refusal("status_exception", f"Policy {identifier} is not found", 404)
        self._versions[identifier] += 1
        self._sequence += 1
        shards = {"total": 2, "successful": 1, "failed": 0}
        told = {"_index": _CONFIG, "_id": identifier, "_version": self._versions[identifier]}
        told |= {"result": "deleted", "forced_refresh": True, "_shards": shards}
        return 200, told | {"_seq_no": self._sequence - 1, "_primary_term": 1}

    def _list(self, request: Request, _: str) -> tuple[int, Any]:
        query = request.query
        wanted = query.get("queryString", "*")
        by = (query.get("sortField", "policy.policy_id.keyword"), query.get("sortOrder", "asc"))
        if not re.fullmatch(r"[\w-]*\*", wanted) or by != ("policy.policy_id.keyword", "asc"):
            raise UnrecordedError(f"the list of policies by {query}")
        names = [name for name in sorted(self.policies) if fnmatchcase(name, wanted)]
        start, size = int(query.get("from", 0)), int(query.get("size", 20))
        page = [self._listed(name) for name in names[start : start + size]]
        return 200, {"policies": page, "total_policies": len(names)}

    def _listed(self, name: str) -> dict[str, Any]:
        there = self.policies[name]
        return {"_id": name, "_seq_no": there["_seq_no"], "_primary_term": 1, "policy": there["policy"]}

    def _explain(self, request: Request, names: str) -> tuple[int, Any]:
        if "validate_action" in request.query:
            raise UnrecordedError("explain with validate_action: the stand-in validates nothing")
        wanted = self._explained(request)
        if names:
            indices, _ = resolved(self._indices, names.split(","))
            if not indices:
                said = "Validation Failed: 1: no documents to get;"
                raise refusal("action_request_validation_exception", said)
        else:
            indices = [each.index for each in wanted.values()]
        show = request.query.get("show_policy") == "true"
        told: dict[str, Any] = {
            each.name: wanted[each.name].told(show) if each.name in wanted else unmanaged()
            for each in indices
        }
        managed = sum(each.name in wanted for each in indices)
        return 200, told | {"total_managed_indices": managed}

    def _explained(self, request: Request) -> dict[str, Managed]:
        """Give what a search for managed indices finds: for a second, those removed as well."""
        now = self._now()
        gone = {
            name: Managed(each.index, each.policy, each.sequence)
            for name, (each, since) in self._removed.items()
            if now - since < _REFRESH
        }
        there = gone | self._managed
        if not request.body:
            return there
        body = request.json
        if body.keys() != {"filter"} or body["filter"].keys() != {"policy_id"}:
            raise UnrecordedError(f"explain with the body {body}")
        wanted = body["filter"]["policy_id"]
        return {name: each for name, each in there.items() if each.policy_id == wanted}

    def _named_policy(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["policy_id"] not in self.policies:
            raise refusal("status_exception", f"Could not find policy={body['policy_id']}", 404)
        return self.policies[body["policy_id"]]

    def _add(self, request: Request, names: str) -> tuple[int, Any]:
        _check_indices(names)
        body = request.json if request.body else {}
        if "policy_id" not in body:
            raise refusal(ILLEGAL, "Missing policy_id")
        self._named_policy(body)
        indices, _ = resolved(self._indices, names.split(","))
        failed = [each for each in indices if each.name in self._managed]
        for each in indices:
            if each not in failed:
                self._attach(each, body["policy_id"])
        reason = "This index already has a policy, use the update policy API to update index policies"
        return _updated(indices, failed, reason)

    def _remove(self, request: Request, names: str) -> tuple[int, Any]:
        indices = self._present(names)
        failed = [each for each in indices if each.name not in self._managed]
        for each in indices:
            if each not in failed:
                self._removed[each.name] = self._managed.pop(each.name), self._now()
        return _updated(indices, failed, "This index does not have a policy to remove")

    def _retry(self, request: Request, names: str) -> tuple[int, Any]:
        indices = self._present(names)
        if any(each.name in self._managed for each in indices):
            raise UnrecordedError(f"retry of {names}, which is managed")
        return _updated(indices, indices, "This index is not being managed.")

    def _change(self, request: Request, names: str) -> tuple[int, Any]:
        _check_indices(names)
        if not request.body:
            raise no_body()
        body = request.json
        if "policy_id" not in body:
            raise refusal(ILLEGAL, "ChangePolicy policy id is null")
        policy = self._named_policy(body)
        indices = self._present(names)
        if any(each.name not in self._managed for each in indices):
            raise UnrecordedError(f"change_policy of {names}, of which one is not managed")
        states = {each["state"] for each in body.get("include", ())}
        chosen = [self._managed[each.name] for each in indices]
        chosen = [each for each in chosen if not states or each.state in states]
        for each in chosen:
            each.change = copy.deepcopy(policy["policy"]), policy["_seq_no"]
        return _updated([each.index for each in chosen], [], "")

    def _present(self, names: str) -> list[Index]:
        _check_indices(names)
        indices, missing = resolved(self._indices, names.split(","))
        if missing:
            raise missing_index(missing[0])
        return indices

    def _simulate(self, request: Request, _: str) -> tuple[int, Any]:
        raise UnrecordedError("simulate: the stand-in simulates nothing")


def _check_indices(names: str) -> None:
    if not names:
        raise refusal(ILLEGAL, "Missing indices")


def _updated(indices: list[Index], failed: list[Index], reason: str) -> tuple[int, Any]:
    told = [{"index_name": each.name, "index_uuid": each.uuid, "reason": reason} for each in failed]
    count = len(indices) - len(failed)
    return 200, {"updated_indices": count, "failures": bool(failed), "failed_indices": told}
