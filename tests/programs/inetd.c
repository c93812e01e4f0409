/* PROGRAM MODE: a service that has its client as standard input and output, as inetd(8) starts it. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char block[1 << 16];

static void give(size_t length) {
    for (char *at = block; length > 0;) {
        ssize_t sent = write(1, at, length);
        if (sent <= 0) exit(3);
        at += sent;
        length -= sent;
    }
}

static long copy(int out) {
    long total = 0;
    ssize_t count;
    while ((count = read(0, block, sizeof block)) > 0) {
        if (out) give(count);
        total += count;
    }
    return count < 0 ? -1 : total;
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    /* Sends everything back, and a line when the client has ended. */
    if (!strcmp(argv[1], "echo")) {
        long total = copy(1);
        give(snprintf(block, sizeof block, "all %ld\n", total));
    }
    /* Ends its own direction first, then reads to the end. */
    if (!strcmp(argv[1], "half")) {
        give(snprintf(block, sizeof block, "hello\n"));
        if (shutdown(1, SHUT_WR)) return 4;
        return copy(0) == 300000 ? 0 : 5;
    }
    /* Writes more than anybody has room for, and ends at once. */
    if (!strcmp(argv[1], "source")) {
        for (int at = 0; at < 160; at++) give(sizeof block);
    }
    /* Reads to the end. */
    if (!strcmp(argv[1], "read")) return copy(0) != 0;
    /* Reads nothing. */
    if (!strcmp(argv[1], "leave")) return 0;
    /* Waits for the end of both directions. */
    if (!strcmp(argv[1], "reset")) {
        struct pollfd end = {0, 0, 0};
        poll(&end, 1, 10000);
        return end.revents & POLLHUP ? 0 : 6;
    }
    return 0;
}
