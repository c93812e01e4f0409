#!/bin/sh
# redis-server runs on nstk, and redis-cli and redis-benchmark speak to it over the kernel's stack, in a test network of their own.
# Needs redis-server, redis-cli, redis-benchmark, and nstk in PATH.
set -eu

# In a lab the stack has the address 10.77.1.2 and the kernel 10.77.1.1. All that runs in it ends with it.
# shellcheck disable=SC2016 # The shell in the lab expands it.
nstk lab -- sh -ec '
    nstk run --fail exit -- redis-server --bind 0.0.0.0 --protected-mode no --save "" --loglevel warning >/dev/null &
    server=$!
    until redis-cli -h 10.77.1.2 ping >/dev/null 2>&1; do
        kill -0 "$server" # ends the example if the server has ended
        sleep 0.1
    done
    redis-cli -h 10.77.1.2 set greeting "hello from redis on nstk"
    redis-cli -h 10.77.1.2 get greeting
    redis-benchmark -h 10.77.1.2 -n 10000 -t set,get --csv
'
