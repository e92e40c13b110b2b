#!/bin/sh
# Filters the shipped findings, in the shapes they arrive in, shows them as dashboards, and says what is where.
# Requires the core and the extra `report`; run from the repository's folder.
set -eu

out=demo
lens="$BIN/guardduty-lens"
mkdir -p "$out"
rm -f "$out"/dead-letters.jsonl "$out"/report-dead-letters.jsonl

# 1 says that something was rejected: one of the shipped files is broken on purpose.
run() {
    status=0
    "$lens" "$@" || status=$?
    [ "$status" -le 1 ] || exit "$status"
}

echo "1. Enriching the findings of examples/findings:"
run filter examples/findings \
    --output "$out/records.jsonl" --dead-letters "$out/dead-letters.jsonl" --summary "$out/summary.json"
echo
echo "The most severe of them:"
"$BIN/python" tools/show_records.py "$out/records.jsonl"
echo
echo "2. The same findings as dashboards on one page:"
run report examples/findings -o "$out/report.html" --title "GuardDuty findings: examples/findings" \
    --dead-letters "$out/report-dead-letters.jsonl"
echo
echo "3. What a month looks like, with 3,000 made-up events:"
run sample -n 3000 --shape mixed --until now -o "$out/sample.jsonl"
run report "$out/sample.jsonl" -o "$out/sample-report.html" --title "GuardDuty findings: made up"
echo
cat <<END
In $out:
  report.html           the shipped findings as dashboards, and sample-report.html the made-up ones:
                        open them in a browser; they need no server and no network
  records.jsonl         $(grep -c '' "$out/records.jsonl") records: each event, and the fields added to it
  summary.json          what was counted
  dead-letters.jsonl    what was rejected: one event of broken.log, which is cut short on purpose
                        (report-dead-letters.jsonl: the same event, when the report read it)

Next:
  . $BIN/activate
  guardduty-lens filter --help                  # your own findings: files, folders, a pipe
  guardduty-lens report FINDINGS -o mine.html   # and as dashboards
  pip install -e '.[opensearch]'                # in OpenSearch:
  make opensearch                               # one to try it with; the last line is its URL
  guardduty-lens plan --url URL                 # what install would put there
  guardduty-lens install --url URL
END
