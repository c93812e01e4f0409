/* Calls whose answers are known to differ from the kernel's: each row of the first table of docs/deviations.md that a single call shows. Peer: echo. */
#include "common.h"

int main(int argc, char **argv) {
    (void)argc;
    struct sockaddr_in peer = peer_address(argv);
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct ip_mreq group = {.imr_interface = peer.sin_addr};
    inet_pton(AF_INET, "224.0.0.9", &group.imr_multiaddr);
    char one_byte = 1;
    int on = 1, s = connected(argv), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(datagrams, (struct sockaddr *)&peer, sizeof peer)) return 2;

    SHOW(fcntl(s, F_SETOWN, getpid()));
    SHOW(setsockopt(datagrams, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group));
    SHOW(setsockopt(s, IPPROTO_TCP, 200, &one_byte, 1));
    SHOW(setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on));
    SHOW(send(s, &one_byte, 1, MSG_OOB));
    SHOW(connect(s, &nobody, sizeof nobody));
    return 0;
}
