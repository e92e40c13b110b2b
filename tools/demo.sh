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
echo "The dashboards as one page, from 3,000 made-up findings of the last 30 days, and those above:"
"$BIN/guardduty-lens" sample -n 3000 --shape mixed --until now -o "$out/sample.jsonl"
status=0
"$BIN/guardduty-lens" report "$out/records.jsonl" "$out/sample.jsonl" --days 90 -o "$out/report.html" \
    --title "GuardDuty findings (demo)" --dead-letters "$out/dead-letters.jsonl" || status=$?
[ "$status" -le 1 ] || exit "$status"
echo
echo "Records:      $out/records.jsonl"
echo "Summary:      $out/summary.json"
echo "Dead letters: $out/dead-letters.jsonl (broken.log is cut short on purpose)"
echo "Report:       $out/report.html (open it in a browser: it needs no server, and no network)"
echo "Next:         $BIN/guardduty-lens filter --help"
