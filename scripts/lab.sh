# shellcheck shell=bash disable=SC2034
# Sourced after common.sh: network namespaces to run programs in, on the kernel's stack and on nstk.
#
#   kernel: the namespaces NEAR and FAR, joined by a veth        program in NEAR, peer in FAR
#   nstk:   the namespace TAPPED with a tap                      program under the library, peer on the kernel's stack; both in TAPPED
#
# A namespace is held by a sleeping process that dies with the script, so nothing is left behind however the script ends.

KERNEL_PEER=10.77.0.1
NSTK_PEER=10.77.1.1
export NSTK_IF=tap:nstk0 NSTK_ADDR=10.77.1.2/24

# in_namespace HOLDER COMMAND...
in_namespace() { nsenter --target "$1" --net "${@:2}"; }

# The same in the background, its output thrown away; it dies with the script. Its process is $!.
spawn_in() {
    setpriv --pdeathsig KILL nsenter --target "$1" --net "${@:2}" >/dev/null 2>&1 &
    disown # or bash would tell of its end
}

# Sets the named variable to the process that holds a new namespace.
new_namespace() {
    setpriv --pdeathsig KILL unshare --net sleep infinity &
    disown
    printf -v "$1" %s $!
    until [[ $(readlink "/proc/$!/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.01; done
    in_namespace $! ip link set lo up
}

# up HOLDER DEVICE ADDRESS
up() {
    in_namespace "$1" ip address add "$3" dev "$2"
    in_namespace "$1" ip link set "$2" up
}

lab_start() {
    new_namespace NEAR
    new_namespace FAR
    new_namespace TAPPED
    in_namespace "$NEAR" ip link add nstk0 type veth peer name nstk0 netns "$FAR"
    up "$NEAR" nstk0 10.77.0.2/24
    up "$FAR" nstk0 "$KERNEL_PEER/24"
    in_namespace "$TAPPED" ip tuntap add dev nstk0 mode tap vnet_hdr
    up "$TAPPED" nstk0 "$NSTK_PEER/24"
}

# members HOLDER: the processes in a namespace, without its holder
members() {
    local process
    for process in /proc/[0-9]*; do
        if [[ $process/ns/net -ef /proc/$1/ns/net && ${process##*/} != "$1" ]]; then echo "${process##*/}"; fi
    done
}

# Every process in the lab ends, also a keeper that would have stayed another second.
lab_end() {
    local holder
    for holder in "$NEAR" "$FAR" "$TAPPED"; do
        members "$holder" | xargs --no-run-if-empty kill -KILL 2>/dev/null || true
        kill "$holder"
    done
}

# The keeper of the stack on the tap; nothing when there is none.
keeper() {
    local process
    for process in $(members "$TAPPED"); do
        if [[ $(cat "/proc/$process/comm" 2>/dev/null) == nstk-keeper ]]; then echo "$process"; fi
    done
}

# stack_seen_while PROCESS: whether the peer on the tap sees a connection from the stack's own address before the process ends. netperf has one, its
# control connection, for the whole of a run.
stack_seen_while() {
    while kill -0 "$1" 2>/dev/null; do
        if in_namespace "$TAPPED" ss --no-header --numeric --tcp state established src "$NSTK_PEER" dst "${NSTK_ADDR%/*}" | grep -q .; then
            return 0
        fi
        sleep 0.05
    done
    return 1
}

# Seconds of CPU, user and system, that the processes given by id have used so far.
cpu_seconds() {
    local process
    for process in "$@"; do cat "/proc/$process/stat" 2>/dev/null || true; done |
        awk -v hertz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); ticks += $12 + $13 } END { printf "%.2f", ticks / hertz }'
}
