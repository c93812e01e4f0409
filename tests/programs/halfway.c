/* Children die half-way through send and recv on a socket that they share, by a pointer to nowhere or by a kill. Their parent goes on.
 * Peer: echo. */
#include "common.h"
#include <sys/mman.h>

enum { BYTES = 3000 };

/* The kernel answers EFAULT where the library lets the program die: either way the child is gone. */
static void lose_child(int s, void *nowhere, int receives) {
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        if (receives) recv(s, nowhere, BYTES, 0);
        else send(s, nowhere, BYTES, 0);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void exchange(int s, size_t from, int in_advance) {
    unsigned char out[BYTES], in[BYTES];
    fill_pattern(out, BYTES, from);
    if (!in_advance) send_all(s, out, BYTES);
    receive_all(s, in, BYTES);
    printf("%s\n", is_pattern(in, BYTES, from) ? "echoed" : "wrong bytes");
    fflush(stdout);
}

int main(int argc, char **argv) {
    int s = connected(argv);
    void *nowhere = mmap(NULL, BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)argc;
    for (size_t round = 0; round < 3; round++) {
        lose_child(s, nowhere, 0);
        exchange(s, round, 0);
        unsigned char out[BYTES];
        fill_pattern(out, BYTES, round + 100);
        send_all(s, out, BYTES);
        struct pollfd ready = {s, POLLIN, 0};
        poll(&ready, 1, 5000);
        lose_child(s, nowhere, 1);
        exchange(s, round + 100, 1);
    }
    return 0;
}
