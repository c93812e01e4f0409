/* Socket options: defaults, what setting does to them, errors. Peer: echo. */
#include "common.h"

struct option { int level, name; const char *label; int value; };
static const struct option options[] = {
    {SOL_SOCKET, SO_TYPE, "SO_TYPE", -1}, {SOL_SOCKET, SO_DOMAIN, "SO_DOMAIN", -1}, {SOL_SOCKET, SO_PROTOCOL, "SO_PROTOCOL", -1},
    {SOL_SOCKET, SO_ACCEPTCONN, "SO_ACCEPTCONN", -1}, {SOL_SOCKET, SO_ERROR, "SO_ERROR", -1},
    {SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR", 1}, {SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE", 7},
    {SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF", 50000}, {SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF, too small", 1},
    {SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF", 60000}, {SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF, too small", 1},
    {IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY", 5}, {IPPROTO_TCP, TCP_CORK, "TCP_CORK", 1}, {IPPROTO_TCP, TCP_CORK, "TCP_CORK, off", 0},
    {IPPROTO_TCP, TCP_MAXSEG, "TCP_MAXSEG", 1000}, {IPPROTO_TCP, TCP_MAXSEG, "TCP_MAXSEG, too small", 1},
    {IPPROTO_TCP, 9999, "unknown of TCP", 1}, {SOL_SOCKET, 9999, "unknown of sockets", 1}, {9999, 1, "unknown level", 1},
};

static void show_int(int s, const struct option *o, const char *when) {
    int value = -1;
    socklen_t length = sizeof value;
    int answer = getsockopt(s, o->level, o->name, &value, &length);
    if (answer) printf("%s %s: %s\n", o->label, when, strerrorname_np(errno));
    else printf("%s %s: %d (%u bytes)\n", o->label, when, value, length);
}

int main(int argc, char **argv) {
    (void)argc;
    struct sockaddr_in peer = peer_address(argv);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const struct option *o = &options[i];
        show_int(s, o, "at first");
        if (o->value < 0) continue;
        printf("%s set to %d: %s\n", o->label, o->value, setsockopt(s, o->level, o->name, &o->value, sizeof o->value) ? strerrorname_np(errno) : "ok");
        show_int(s, o, "then");
    }

    struct linger linger = {1, 3};
    socklen_t length = sizeof linger;
    SHOW(setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    memset(&linger, 0, sizeof linger);
    SHOW(getsockopt(s, SOL_SOCKET, SO_LINGER, &linger, &length));
    printf("linger %d %d, %u bytes\n", linger.l_onoff, linger.l_linger, length);
    SHOW(setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, 1));

    struct timeval timeout = {1, 500000};   /* a multiple of the kernel's tick, whatever that is */
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout));
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){0, 2000000}, sizeof timeout));
    memset(&timeout, 0, sizeof timeout);
    length = sizeof timeout;
    SHOW(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &timeout, &length));
    printf("timeout %ld.%06ld\n", (long)timeout.tv_sec, (long)timeout.tv_usec);

    char name[16] = "";
    length = sizeof name;
    SHOW(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3));
    SHOW(getsockopt(s, IPPROTO_TCP, TCP_CONGESTION, name, &length));
    printf("congestion control %s, %u bytes\n", name, length);
    SHOW(setsockopt(s, IPPROTO_TCP, TCP_CONGESTION, "no-such-thing", 13));

    length = sizeof name;
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
    SHOW(setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, "\0\0\0", 4));
    SHOW(getsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, name, &length));
    printf("bound to %u bytes of a name\n", length);

    SHOW(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, "", 1));
    SHOW(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, NULL, sizeof(int)));
    SHOW(setsockopt(-1, IPPROTO_TCP, TCP_NODELAY, "", 4));

    struct tcp_info info;
    length = sizeof info;
    SHOW(getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &length));
    printf("state before connect %d\n", info.tcpi_state);
    SHOW(connect(s, (struct sockaddr *)&peer, sizeof peer));
    length = sizeof info;
    SHOW(getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &length));
    printf("state after connect %d, options %d, rtt above 0: %d\n", info.tcpi_state, info.tcpi_options & 7, info.tcpi_rtt > 0);
    char byte;
    SHOW(recv(s, &byte, 1, 0));
    return 0;
}
