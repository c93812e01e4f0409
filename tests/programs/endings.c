/* How a stream ends, by the mode: late (we close first), source (the peer does), reset. */
#include "common.h"

static volatile sig_atomic_t pipes_broken;
static void on_sigpipe(int signal) { (void)signal; pipes_broken++; }

static unsigned char bytes[1 << 21];

static void late(int s) {
    fill_pattern(bytes, sizeof bytes, 0);
    send_all(s, bytes, sizeof bytes);
    SHOW(shutdown(s, SHUT_WR));
    SHOW(recv(s, bytes, 100, MSG_WAITALL));
    SHOW(is_pattern(bytes, 100, 0));
    SHOW(recv(s, bytes, 1, 0));
    SHOW(recv(s, bytes, 1, 0));
    SHOW(close(s));
}

static void source(int s) {
    receive_all(s, bytes, 1 << 20);
    SHOW(is_pattern(bytes, 1 << 20, 0));
    SHOW(recv(s, bytes, 1, 0));
    SHOW(recv(s, bytes, 1, 0));
    SHOW(send(s, "x", 1, 0));
    sleep_ms(100);   /* the peer has closed, so it answers with a reset */
    SHOW(send(s, "x", 1, 0));
    printf("SIGPIPE %d\n", pipes_broken);
    SHOW(send(s, "x", 1, MSG_NOSIGNAL));
    printf("SIGPIPE %d\n", pipes_broken);
    SHOW(recv(s, bytes, 1, 0));
    SHOW(close(s));
}

static void reset(int s) {
    SHOW(send(s, "x", 1, 0));
    struct pollfd p = {s, POLLIN | POLLOUT | POLLRDHUP, 0};
    sleep_ms(100);
    SHOW(poll(&p, 1, 5000));
    printf("events %x\n", p.revents);
    SHOW(recv(s, bytes, 1, 0));
    SHOW(recv(s, bytes, 1, 0));
    SHOW(send(s, "x", 1, 0));
    printf("SIGPIPE %d\n", pipes_broken);
    SHOW(close(s));
}

int main(int argc, char **argv) {
    (void)argc;
    signal(SIGPIPE, on_sigpipe);
    int s = connected(argv);
    if (!strcmp(argv[3], "late")) late(s);
    if (!strcmp(argv[3], "source")) source(s);
    if (!strcmp(argv[3], "reset")) reset(s);
    return 0;
}
