"""guardduty-lens: Amazon GuardDuty in the log stack you already run.

>>> from guardduty_lens import Lens
>>> for item in Lens(extractors=()).process(b'no JSON'):
...     print(item.reason)
not_json
"""

from guardduty_lens.extractors import Extractor, ExtractorField
from guardduty_lens.lens import Lens
from guardduty_lens.payloads.pieces import Rejected
from guardduty_lens.record import Record
from guardduty_lens.version import __version__

__all__ = ["Extractor", "ExtractorField", "Lens", "Record", "Rejected", "__version__"]
