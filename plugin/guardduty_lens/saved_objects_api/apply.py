"""Makes changes in Dashboards. What was done stays when something fails; running again goes on."""

from collections.abc import Sequence

from guardduty_lens.opensearch.changes import Change
from guardduty_lens.saved_objects_api.changes import pending
from guardduty_lens.saved_objects_api.server import DashboardsServer
from guardduty_lens.visuals.saved_objects.objects import SavedObject


def apply_saved(
    server: DashboardsServer, changes: Sequence[Change], wanted: Sequence[SavedObject] = ()
) -> int:
    """Make the changes, and give how many: one import, then a request for each object that goes.

    Raises ClusterError that names the objects and gives the server's words.
    """
    to_put = pending(wanted, changes)
    if to_put:
        server.put(to_put)
    removed = [each.name.split(" ", 1) for each in changes if each.action == "remove"]
    for kind, name in removed:
        server.remove(kind, name)
    return len(to_put) + len(removed)
