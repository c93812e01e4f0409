/* Vectors, messages, flags and datagrams. Peer: echo. */
#include "common.h"
#include <sys/uio.h>

static void show_sender(const char *label, struct sockaddr_in *a, struct sockaddr_in *expected) {
    printf("%s: family %d, the peer %d\n", label, a->sin_family, a->sin_port == expected->sin_port && a->sin_addr.s_addr == expected->sin_addr.s_addr);
}

int main(int argc, char **argv) {
    (void)argc;
    struct sockaddr_in peer = peer_address(argv), from = {0};
    socklen_t length = sizeof from;
    char a[4], b[20];
    int s = connected(argv);

    struct iovec out[3] = {{"one", 3}, {"", 0}, {"two", 3}}, in[2] = {{a, sizeof a}, {b, sizeof b}};
    SHOW(writev(s, out, 3));
    SHOW(recv(s, b, 6, MSG_PEEK | MSG_WAITALL));
    SHOW(readv(s, in, 2));
    printf("%.4s %.2s\n", a, b);
    struct msghdr m = {.msg_iov = out, .msg_iovlen = 3};
    SHOW(sendmsg(s, &m, 0));
    sleep_ms(50);
    m = (struct msghdr){.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = in, .msg_iovlen = 2};
    SHOW(recvmsg(s, &m, 0));
    printf("name length %u, flags %d\n", m.msg_namelen, m.msg_flags);
    SHOW(recv(s, a, 1, MSG_DONTWAIT));
    SHOW(write(s, "x", 0));
    static struct iovec many[1025];
    SHOW(writev(s, many, 1025));
    SHOW(getpeername(s, (struct sockaddr *)&from, &length));
    show_sender("getpeername", &from, &peer);
    printf("length %u\n", length);
    length = 2;
    SHOW(getpeername(s, (struct sockaddr *)&from, &length));
    printf("length %u\n", length);
    SHOW(sendto(s, "z", 1, 0, (struct sockaddr *)&peer, sizeof peer));
    length = sizeof from;
    SHOW(recvfrom(s, a, 1, 0, (struct sockaddr *)&from, &length));
    printf("length %u\n", length);
    SHOW(close(s));

    int u = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(send(u, "x", 1, 0));
    SHOW(sendto(u, "datagram", 8, 0, (struct sockaddr *)&peer, sizeof peer));
    length = sizeof from;
    SHOW(recvfrom(u, b, 4, MSG_TRUNC, (struct sockaddr *)&from, &length));
    show_sender("recvfrom", &from, &peer);
    SHOW(sendto(u, "", 0, 0, (struct sockaddr *)&peer, sizeof peer));
    SHOW(recv(u, b, sizeof b, 0));
    static char big[65000];
    fill_pattern((unsigned char *)big, sizeof big, 0);
    SHOW(sendto(u, big, 66000, 0, (struct sockaddr *)&peer, sizeof peer));
    SHOW(sendto(u, big, 1400, 0, (struct sockaddr *)&peer, sizeof peer));
    m = (struct msghdr){.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = in, .msg_iovlen = 2};
    SHOW(recvmsg(u, &m, 0));
    printf("name length %u, truncated %d\n", m.msg_namelen, (m.msg_flags & MSG_TRUNC) != 0);
    SHOW(connect(u, (struct sockaddr *)&peer, sizeof peer));
    SHOW(send(u, "connected", 9, 0));
    SHOW(read(u, b, sizeof b));
    SHOW(recv(u, b, sizeof b, MSG_DONTWAIT));

    struct sockaddr_in nobody = address(argv[1], 1);
    int v = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(connect(v, (struct sockaddr *)&nobody, sizeof nobody));
    SHOW(send(v, "x", 1, 0));
    struct pollfd p = {v, POLLIN, 0};
    SHOW(poll(&p, 1, 5000));
    SHOW(recv(v, b, sizeof b, 0));
    return 0;
}
