"""One saved object of Dashboards, as a line of an import file has it."""

from typing import Any

import msgspec


class Reference(msgspec.Struct, frozen=True):
    """What an object needs another for (`name` is said inside the object), and which it is."""

    name: str
    type: str
    id: str


class SavedObject(msgspec.Struct, frozen=True, rename={"migration_version": "migrationVersion"}):
    """An index pattern, visualization, search or dashboard, of the lowest migration version there is."""

    type: str
    id: str
    attributes: dict[str, Any]
    references: list[Reference]
    migration_version: dict[str, str]
