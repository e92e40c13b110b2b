"""Sample findings: realistic, varied, made offline, the same for the same seed."""

from guardduty_lens.samples.findings import END, generate_findings
from guardduty_lens.samples.payloads import SHAPES, generate_payloads

__all__ = ["END", "SHAPES", "generate_findings", "generate_payloads"]
