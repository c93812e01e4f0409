/* A server: PROGRAM OWN_ADDRESS PORT any|address|dual. It answers three connections, each with what came first. */
#include "common.h"

/* What a name call gave: family, length, whether it is the host (v4-mapped in the dual case), and the port if it is ours. */
static void show_name(const char *label, struct sockaddr_storage *name, socklen_t length, const char *host, int with_port) {
    struct sockaddr_in expected = address(host, 0), *v4 = (struct sockaddr_in *)name;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)name;
    const void *bytes = name->ss_family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr.s6_addr[12];
    printf("%s: family %d, length %u, the host %d", label, name->ss_family, length, !memcmp(bytes, &expected.sin_addr, 4));
    if (name->ss_family == AF_INET6) printf(", mapped %d", IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr));
    if (with_port) printf(", port %d", ntohs(v4->sin_port));
    printf("\n");
}

static int bound(char **argv) {
    struct sockaddr_in own = peer_address(argv);
    struct sockaddr_in6 dual = {.sin6_family = AF_INET6, .sin6_port = own.sin_port, .sin6_addr = in6addr_any};
    int is_dual = !strcmp(argv[3], "dual"), one = 1;
    int s = socket(is_dual ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (!strcmp(argv[3], "any")) own.sin_addr.s_addr = INADDR_ANY;
    SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    if (is_dual) SHOW(bind(s, (struct sockaddr *)&dual, sizeof dual));
    else SHOW(bind(s, (struct sockaddr *)&own, sizeof own));
    return s;
}

int main(int argc, char **argv) {
    (void)argc;
    struct sockaddr_storage local, remote;
    int s = bound(argv), accepting = 0;
    SHOW(listen(s, 5));
    socklen_t length = sizeof accepting;
    SHOW(getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &length));
    printf("listening %d\n", accepting);
    length = sizeof local;
    SHOW(getsockname(s, (struct sockaddr *)&local, &length));
    show_name("listener", &local, length, strcmp(argv[3], "address") ? "0.0.0.0" : argv[1], 1);
    for (int i = 0; i < 3; i++) {
        char line[100];
        length = sizeof remote;
        int c = SHOW(accept4(s, (struct sockaddr *)&remote, &length, SOCK_CLOEXEC));
        show_name("from", &remote, length, "10.77.1.1", 0);
        length = sizeof local;
        SHOW(getsockname(c, (struct sockaddr *)&local, &length));
        show_name("to", &local, length, argv[1], 1);
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
