"""guardduty-lens: Amazon GuardDuty in the log stack you already run.

>>> from guardduty_lens import Lens
>>> for item in Lens(extractors=()).process(b'no JSON'):
...     print(item.reason)
not_json
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardduty_lens.extractors import Extractor, ExtractorField
    from guardduty_lens.lens import Lens
    from guardduty_lens.payloads.pieces import Rejected
    from guardduty_lens.record import Record
    from guardduty_lens.version import __version__

__all__ = ["Extractor", "ExtractorField", "Lens", "Record", "Rejected", "__version__"]

_MODULES = {
    "Extractor": "extractors",
    "ExtractorField": "extractors",
    "Lens": "lens",
    "Record": "record",
    "Rejected": "payloads.pieces",
    "__version__": "version",
}


def __getattr__(name: str) -> object:
    # Imported when asked for, so that the command can see to signals before it imports anything.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
