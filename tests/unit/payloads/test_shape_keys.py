"""A row of the table is only asked where an object has one of its keys: that must leave no row out."""

import json
from pathlib import Path

import pytest

from guardduty_lens.payloads.shapes import SHAPES, find_shape
from guardduty_lens.samples import generate_payloads

CORPUS = Path(__file__).parents[2] / "corpus"


def objects_in(value):
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for element in value:
            yield from objects_in(element)


def same_row(value):
    for found in objects_in(value):
        assert find_shape(found) is next((shape for shape in SHAPES if shape.recognises(found)), None)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*.json")), ids=lambda path: path.stem[-30:])
def test_every_object_of_the_corpus_finds_the_row_that_asking_all_finds(path):
    value, _ = json.JSONDecoder().raw_decode(path.read_text().strip())  # one file holds several, concatenated
    same_row(value)


@pytest.mark.parametrize("shape", ["api", "sns", "sqs", "cloudwatch-logs", "firehose", "mixed"])
def test_every_object_of_samples_finds_the_row_that_asking_all_finds(shape):
    for payload in generate_payloads(40, seed=4, shape=shape):
        if not payload.startswith(b"\x1f\x8b"):
            same_row(json.loads(payload))
