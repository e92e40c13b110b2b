"""Deployment markers that are posted: into every cluster among the outputs."""

import time
from collections.abc import Sequence

import msgspec

from guardduty_lens.inputs.delivery import NotDelivered
from guardduty_lens.opensearch.bulk import Bulk, CannotDeliver
from guardduty_lens.opensearch.client import connect
from guardduty_lens.opensearch.tags import TagError, put_tag, read_tag
from guardduty_lens.opensearch.template_check import TemplateCheck
from guardduty_lens.outputs.cluster import Cluster
from guardduty_lens.retries import Retries

SEND_ANYWAY = "`without_templates: true` in this output"
"""How the configuration says that records are sent without our templates."""

_GIVE_UP_AFTER_SECONDS = 20.0


class Tagger:
    """Takes markers; a connection is made with the first of them."""

    def __init__(self, clusters: Sequence[Cluster], retries: Retries) -> None:
        self._clusters = clusters
        self._retries = retries
        self._checks: list[TemplateCheck | None] = [each.template_check(SEND_ANYWAY) for each in clusters]
        self._bulks: list[Bulk] | None = None

    def take(self, body: bytes) -> bytes:
        """Put a marker, and give the answer as JSON.

        Raises LookupError where there is no cluster, TagError where it cannot be read, NotDelivered.
        """
        if not self._clusters:
            raise LookupError("tags are for a cluster, and none is among the outputs")
        tag = read_tag(body, time.time_ns() // 1_000_000)
        if self._bulks is None:
            self._bulks = [
                Bulk(connect(cluster.connection), give_up_after=_GIVE_UP_AFTER_SECONDS, retries=self._retries)
                for cluster in self._clusters
            ]
        try:
            are_new = [
                put_tag(bulk, tag, cluster.names, _GIVE_UP_AFTER_SECONDS, check)
                for bulk, cluster, check in zip(self._bulks, self._clusters, self._checks, strict=True)
            ]
        except (TagError, CannotDeliver) as error:
            raise NotDelivered(str(error)) from error
        return msgspec.json.encode({"label": tag.label, "new": any(are_new)})
