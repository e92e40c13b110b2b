"""The portable regex dialect for users' patterns: one meaning in RE2, Onigmo, Joni, Ruby and Java."""

from guardduty_lens.catalogue.regex_dialect.matcher import MAX_INPUT, compile_pattern
from guardduty_lens.catalogue.regex_dialect.pattern import Pattern, parse_pattern
from guardduty_lens.catalogue.regex_dialect.syntax import NotPortable
from guardduty_lens.catalogue.regex_dialect.writer import Flavour

__all__ = ["MAX_INPUT", "Flavour", "NotPortable", "Pattern", "compile_pattern", "parse_pattern"]
