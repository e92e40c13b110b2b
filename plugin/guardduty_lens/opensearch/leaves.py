"""How single values are indexed: the types of leaves, and the analysers behind them.

Text is indexed twice, as words and whole under `.keyword`, as Logstash and Kibana have it, and a third time
in one field of all words, since a query without a field may not go over more than 1,024 fields.
"""

from collections.abc import Callable
from typing import Any

from guardduty_lens.opensearch.resources import Flavor

Mapping = dict[str, Any]

ALL_WORDS = "lens_all_words"
"""The field that holds the words of all others (after the field prefix); it is no part of a document."""

# Lucene refuses a term of more than 32,766 bytes; a character has at most four.
KEYWORD_CHARACTERS = 8191
FLAT_DEPTH = 100

LABEL, LABEL_SEARCH = "guardduty_label", "guardduty_label_search"

DATE_FORMAT = "strict_date_optional_time_nanos||yyyy-MM-dd HH:mm:ss[.SSSSSSSSS][.SSSSSS][.SSS]"
"""ISO 8601 with any offset and fraction, and with a space for the T: attack sequences of AWS's come so."""

KEYWORD: Mapping = {"type": "keyword", "ignore_above": KEYWORD_CHARACTERS}

ANALYSIS: Mapping = {
    "filter": {
        # All parts stand at the place of the whole: between marks first, then by their capitals.
        "guardduty_parts": {
            "type": "pattern_capture",
            "preserve_original": True,
            "patterns": [r"([\p{L}\p{N}&_]+)", r"(\p{Lu}\p{Ll}+|\p{Lu}+(?!\p{Ll})|\p{Ll}+|\p{N}+)"],
        },
        "guardduty_trim": {
            "type": "pattern_replace",
            "pattern": r"^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$",
            "replacement": "",
        },
        "guardduty_not_empty": {"type": "length", "min": 1},
    },
    "analyzer": {
        LABEL: {
            "type": "custom",
            "tokenizer": "whitespace",
            "filter": [
                "guardduty_parts",
                "guardduty_trim",
                "lowercase",
                "guardduty_not_empty",
                "remove_duplicates",
            ],
        },
        # What is asked for is not cut, so that BitcoinTool.B finds nothing but itself.
        LABEL_SEARCH: {
            "type": "custom",
            "tokenizer": "whitespace",
            "filter": ["guardduty_trim", "lowercase", "guardduty_not_empty"],
        },
    },
}
"""Finds `BitcoinTool.B` by itself, by `bitcointool`, by `bitcoin`, `tool` and `b`, in any case."""


class Leaves:
    """Makes the mappings of leaves for one flavor of server; `all_words` is where their text goes as well."""

    def __init__(self, flavor: Flavor, all_words: str = ALL_WORDS) -> None:
        self.flavor = flavor
        self.all_words = all_words

    def text(self) -> Mapping:
        """Give text that is a name, an id or a label: found whole and by its parts."""
        return {
            "type": "text",
            "analyzer": LABEL,
            "search_analyzer": LABEL_SEARCH,
            "copy_to": [self.all_words],
            "fields": {"keyword": KEYWORD},
        }

    def prose(self) -> Mapping:
        """Give text that is sentences."""
        return {"type": "text", "copy_to": [self.all_words], "fields": {"keyword": KEYWORD}}

    def words(self) -> Mapping:
        """Give the field of all words itself."""
        return {"type": "text", "analyzer": LABEL, "search_analyzer": LABEL_SEARCH, "norms": False}

    def date(self, number: str = "epoch_millis") -> Mapping:
        """Give a date in any of the spellings that occur; `number` says what a bare number counts."""
        return {"type": "date", "format": f"{DATE_FORMAT}||{number}", "ignore_malformed": True}

    def ip(self) -> Mapping:
        """Give an address; placeholders of samples, which are none, are found by `.keyword` and as words."""
        return {
            "type": "ip",
            "ignore_malformed": True,
            "copy_to": [self.all_words],
            "fields": {"keyword": KEYWORD},
        }

    def number(self, kind: str) -> Mapping:
        """Give a number of a type such as `long` or `double`."""
        return {"type": kind, "ignore_malformed": True}

    def flag(self) -> Mapping:
        """Give a boolean of AWS's: a keyword, since type boolean refuses a document for `"True"`."""
        return KEYWORD

    def free(self) -> Mapping:
        """Give an object of which nothing is known: every key can be asked for, none is in the mapping."""
        if self.flavor == "opensearch":
            return {"type": "flat_object"}
        return {"type": "flattened", "ignore_above": KEYWORD_CHARACTERS, "depth_limit": FLAT_DEPTH}

    def field(self, kind: str) -> Mapping:
        """Give the mapping of one of our own fields, by its type in the catalogue.

        Raises KeyError for a type that the catalogue does not have.
        """
        makers: dict[str, Callable[[], Mapping]] = {
            **dict.fromkeys(("label", "id", "url"), self.text),
            "text": self.prose,
            "date": self.date,
            "ip": self.ip,
            "boolean": lambda: {"type": "boolean"},
            "geo_point": lambda: {"type": "geo_point", "ignore_malformed": True},
            **dict.fromkeys(("byte", "integer", "long", "double"), lambda: self.number(kind)),
        }
        return makers[kind]()


def members(**properties: Mapping) -> Mapping:
    """Give an object whose unknown keys stay in `_source` alone, so that they never make the mapping grow."""
    return {"dynamic": False, "properties": properties}
