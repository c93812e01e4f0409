/* Sends for ever, while a child waits for bytes that never come; prints the child's id. Peer: discard. */
#include "common.h"

int main(int argc, char **argv) {
    (void)argc;
    static char bytes[100000];
    int stream = connected(argv), quiet = connected(argv);
    pid_t child = fork();
    if (!child) return (int)recv(quiet, bytes, 1, 0);
    printf("%d\n", child);
    fflush(stdout);
    for (;;) send_all(stream, bytes, sizeof bytes);
}
