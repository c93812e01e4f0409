#!/usr/bin/env bash
# The same download on the kernel's stack and on nstk, taking turns: an A/B comparison by hand.
# Usage: examples/compare.sh [PAIRS [MEGABYTES]], 5 pairs of 200 MB by default. Needs python3, curl, and what scripts/build makes; runs as root.
#
# Change `download` to compare another program, and `on_kernel` to compare two settings of nstk.
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=scripts/lab.sh
source "$ROOT/scripts/lab.sh"

pairs=${1:-5} megabytes=${2:-200}
place=$(mktemp -d)
truncate --size "${megabytes}M" "$place/file"
lab_start
trap 'lab_end; rm -rf "$place"' EXIT

# The peers are on the kernel's stack both times: one behind a veth, one behind a tap.
for holder in "$FAR" "$TAPPED"; do
    spawn_in "$holder" python3 -m http.server --directory "$place" 8000
    until in_namespace "$holder" curl --silent --output "$place/list" http://localhost:8000/; do sleep 0.1; done
done

# download HOLDER PEER [SETTING...]: prints the seconds it took.
download() {
    in_namespace "$1" env "${@:3}" curl --silent --show-error --output /dev/null --write-out '%{time_total}' "http://$2:8000/file"
}
on_kernel() { download "$NEAR" "$KERNEL_PEER"; }
on_nstk() { download "$TAPPED" "$NSTK_PEER" "LD_PRELOAD=$LIBRARY" NSTK_FAIL=exit; }

printf '%-6s %10s %10s   seconds for %s MB\n' pair kernel nstk "$megabytes"
for ((pair = 1; pair <= pairs; pair++)); do
    printf '%-6s %10s %10s\n' "$pair" "$(on_kernel)" "$(on_nstk)"
done
