#!/usr/bin/env bash
# Run pytest with these options; where a few tests failed, run those once more by themselves.
#
# The edges are tested on real screens, buses, servers and browsers, on machines whose other work nobody knows:
# beside hundreds of others a test may wait in vain for a window that alone it sees at once. What fails twice
# fails; what Hypothesis found it finds again by its database. What failed only beside others is named, since it
# is a race that wants mending.
set -uo pipefail

few=5 # more than these is no accident
failed_list=.pytest_cache/v/cache/lastfailed
rm -f "$failed_list"

.venv/bin/pytest "$@"
status=$?
[ "$status" -eq 1 ] || exit "$status" # 1: tests failed; anything else is no test's doing

failed=$(.venv/bin/python -c 'import json, sys; print(*json.load(open(sys.argv[1])), sep="\n")' "$failed_list") || exit 1
[ "$(wc -l <<<"$failed")" -le "$few" ] || exit 1

echo "Failed beside the others; once more by themselves:"
echo "$failed"
# The options stay, but for the number of processes: the last one given counts.
.venv/bin/pytest "$@" -n 0 --last-failed --last-failed-no-failures none || exit 1
echo "A race to be mended: these failed beside the others and passed by themselves:"
echo "$failed"
