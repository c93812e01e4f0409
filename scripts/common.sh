# shellcheck shell=bash disable=SC2034
# Sourced by every script: where things are, how to give up, how to become root of a namespace.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
LIBRARY=$TARGET/release/libnstk.so
TOOLS=$TARGET/tools
PATH=$TOOLS/usr/bin:$TOOLS/usr/sbin:$PATH:/usr/sbin:/sbin
export PATH

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null; }

# rust-toolchain.toml names a compiler. Where rustup does not have it under that name and cannot fetch it, stable may be the very same version.
pinned=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")
if have rustup && ! rustup toolchain list | grep -q "^$pinned-" &&
    [[ $(RUSTUP_TOOLCHAIN=stable rustc --version 2>/dev/null) == "rustc $pinned "* ]]; then
    export RUSTUP_TOOLCHAIN=stable
fi

# Says why network namespaces with a tap cannot be had here; silent when they can.
lab_obstacle() {
    local become=()
    ((UID == 0)) || become=(unshare -Ur)
    if ! "${become[@]}" unshare --net true 2>/dev/null; then
        echo "no permission to make a network namespace: run as root, or allow user namespaces (sysctl user.max_user_namespaces)"
    elif [[ ! -e /dev/net/tun ]]; then
        echo "no /dev/net/tun: load the module (modprobe tun)"
    elif ! { : <>/dev/net/tun; } 2>/dev/null; then
        echo "no permission to open /dev/net/tun: run as root, or make the device writable"
    fi
}

# Says why nothing can be fuzzed here; silent when it can.
fuzz_obstacle() {
    if ! cargo +nightly --version >/dev/null 2>&1; then
        echo "no nightly compiler: rustup toolchain install nightly"
    elif ! have cargo-fuzz; then
        echo "cargo-fuzz is missing: cargo install --locked cargo-fuzz"
    elif ! have c++; then
        echo "c++ is missing, which libFuzzer is built with"
    fi
}

# Prefix of a command that needs root of a network namespace: empty for root, a user namespace for everybody else.
NAMESPACE_ROOT=()
((UID == 0)) || NAMESPACE_ROOT=(unshare -Urn)
