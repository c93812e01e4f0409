/* A server: PROGRAM OWN_ADDRESS PORT any|address. It answers three connections, each with what came first. */
#include "common.h"

static int same_host(struct sockaddr_in *a, const char *host) {
    struct sockaddr_in expected = address(host, 0);
    return a->sin_family == AF_INET && a->sin_addr.s_addr == expected.sin_addr.s_addr;
}

int main(int argc, char **argv) {
    (void)argc;
    struct sockaddr_in own = peer_address(argv), local, remote;
    socklen_t length;
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    if (!strcmp(argv[3], "any")) own.sin_addr.s_addr = INADDR_ANY;
    SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    SHOW(bind(s, (struct sockaddr *)&own, sizeof own));
    SHOW(listen(s, 5));
    int accepting = 0;
    length = sizeof accepting;
    SHOW(getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length));
    printf("listening %d\n", accepting);
    length = sizeof local;
    SHOW(getsockname(s, (struct sockaddr *)&local, &length));
    printf("port %d\n", ntohs(local.sin_port));
    for (int i = 0; i < 3; i++) {
        char line[100];
        length = sizeof remote;
        int c = SHOW(accept4(s, (struct sockaddr *)&remote, &length, SOCK_CLOEXEC));
        printf("length %u, from the peer %d\n", length, same_host(&remote, "10.77.1.1"));
        length = sizeof local;
        SHOW(getsockname(c, (struct sockaddr *)&local, &length));
        printf("to us %d, port %d\n", same_host(&local, argv[1]), ntohs(local.sin_port));
        SHOW(fcntl(c, F_GETFD));
        ssize_t n = SHOW(recv(c, line, sizeof line, 0));
        SHOW(send(c, line, (size_t)n, 0));
        SHOW(close(c));
    }
    struct pollfd p = {s, POLLIN, 0};
    SHOW(poll(&p, 1, 0));
    SHOW(close(s));
    return 0;
}
