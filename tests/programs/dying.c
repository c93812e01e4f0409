/* Busy children are killed again and again; whatever the stack was doing then, the parent's connection goes on, and what
 * it receives is right. Peer: echo. Arguments: address, port, -, rounds. */
#include "common.h"

enum { BYTES = 20000 };

/* 1: the echo is right; 0: an error, as after the death of a stack; exits for a wrong byte. */
static int exchange(int s, unsigned char *out, unsigned char *in) {
    size_t sent = 0, got = 0;
    while (sent < BYTES) {
        ssize_t n = send(s, out + sent, BYTES - sent, MSG_NOSIGNAL);
        if (n < 0) return 0;
        sent += (size_t)n;
    }
    while (got < BYTES) {
        ssize_t n = recv(s, in + got, BYTES - got, 0);
        if (n <= 0) return 0;
        got += (size_t)n;
    }
    if (memcmp(out, in, BYTES)) {
        printf("wrong bytes\n");
        exit(1);
    }
    return 1;
}

static int try_connect(char **argv) {
    struct sockaddr_in address = peer_address(argv);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s >= 0 && connect(s, (void *)&address, sizeof address) == 0) return s;
    if (s >= 0) close(s);
    return -1;
}

int main(int argc, char **argv) {
    static unsigned char out[BYTES], in[BYTES];
    int rounds = argc > 4 ? atoi(argv[4]) : 20, lost = 0;
    unsigned seed = 1;
    int s = try_connect(argv);
    if (s < 0) return 2;
    for (int round = 0; round < rounds; round++) {
        pid_t child = fork();
        if (child == 0) {
            int mine = try_connect(argv);
            for (;;) {
                fill_pattern(out, BYTES, (size_t)round);
                if (mine < 0 || !exchange(mine, out, in)) _exit(0);
                /* Inside most of the time. */
                struct tcp_info info;
                socklen_t length = sizeof info;
                for (int i = 0; i < 100000; i++) getsockopt(mine, IPPROTO_TCP, TCP_INFO, &info, &length);
            }
        }
        sleep_ms(2 + rand_r(&seed) % 3);
        kill(child, SIGKILL);
        waitpid(child, 0, 0);
        fill_pattern(out, BYTES, (size_t)(round + 7));
        if (exchange(s, out, in)) continue;
        /* The stack died with the child, or the connection: a new socket gets another. */
        lost++;
        close(s);
        s = try_connect(argv);
        if (s < 0 || !exchange(s, out, in)) {
            printf("no way back in: %s\n", strerror(errno));
            return 1;
        }
    }
    printf("%d rounds, the connection was lost in %d\n", rounds, lost);
    return 0;
}
