#!/bin/sh
# Filters the shipped findings, in the shapes they arrive in, and says what was found and where it is.
set -eu

out=demo
mkdir -p "$out"
rm -f "$out/dead-letters.jsonl"
echo "Enriching the findings of examples/findings:"
echo
status=0
"$BIN/guardduty-lens" filter examples/findings \
    --output "$out/records.jsonl" --dead-letters "$out/dead-letters.jsonl" --summary "$out/summary.json" || status=$?
# 1 says that something was rejected: one of the shipped files is broken on purpose.
[ "$status" -le 1 ] || exit "$status"
echo
echo "The most severe of them:"
"$BIN/python" tools/show_records.py "$out/records.jsonl"
echo
echo "Records:      $out/records.jsonl"
echo "Summary:      $out/summary.json"
echo "Dead letters: $out/dead-letters.jsonl (broken.log is cut short on purpose)"
echo "Next:         $BIN/guardduty-lens filter --help"
