/* Sockets and fork: shared, and closed with the last of the processes. Peer: echo. */
#include "common.h"

static int status_of(pid_t child) {
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

int main(int argc, char **argv) {
    (void)argc;
    char bytes[16] = {0};
    int s = connected(argv), copy = dup(s);

    pid_t child = fork();
    if (child == 0) {
        send_all(s, "child", 5);
        _exit(close(s) || close(copy));
    }
    SHOW(status_of(child));
    receive_all(s, bytes, 5);
    printf("%s\n", bytes);
    SHOW(close(copy));

    /* The child reads what the parent's connection got, and goes on when the parent has closed. */
    int done[2];
    if (pipe(done)) return 2;
    child = fork();
    if (child == 0) {
        char go;
        if (read(done[0], &go, 1) != 1) _exit(1);
        send_all(s, "later", 5);
        receive_all(s, bytes, 5);
        _exit(memcmp(bytes, "later", 5) != 0);
    }
    SHOW(close(s));
    SHOW(write(done[1], "x", 1));
    SHOW(status_of(child));

    /* Many children at once, each with a connection of its own. */
    pid_t children[8];
    for (int i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i]) continue;
        static unsigned char out[100000], in[sizeof out];
        int mine = connected(argv);
        for (int round = 0; round < 10; round++) {
            fill_pattern(out, sizeof out, (size_t)(i + round));
            send_all(mine, out, sizeof out);
            receive_all(mine, in, sizeof in);
            if (memcmp(out, in, sizeof in)) _exit(1);
        }
        _exit(0);
    }
    for (int i = 0; i < 8; i++) SHOW(status_of(children[i]));

    /* A child that is killed takes nothing with it. */
    s = connected(argv);
    child = fork();
    if (child == 0) for (;;) { char byte; send_all(s, "k", 1); receive_all(s, &byte, 1); }
    sleep_ms(50);
    SHOW(kill(child, SIGKILL));
    SHOW(status_of(child));
    int fresh = connected(argv);
    send_all(fresh, "fresh", 5);
    receive_all(fresh, bytes, 5);
    printf("%s\n", bytes);
    return 0;
}
