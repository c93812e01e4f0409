/* Calls that fail, and how. Peer: echo. */
#include "common.h"
#include <sys/uio.h>

static int ended(int s) {
    struct pollfd p = {s, POLLOUT, 0};
    return poll(&p, 1, 5000) == 1;
}

static int has_data(int s) {
    struct pollfd p = {s, POLLIN, 0};
    return poll(&p, 1, 5000) == 1;
}

static int socket_error(int s) {
    int error = -1;
    socklen_t length = sizeof error;
    getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

int main(int argc, char **argv) {
    (void)argc;
    struct sockaddr_in peer = peer_address(argv), closed = address(argv[1], 1), other;
    struct sockaddr *to_peer = (struct sockaddr *)&peer, *to_closed = (struct sockaddr *)&closed;
    socklen_t length = sizeof other;
    char byte = 'x';
    struct iovec nothing = {&byte, 0};
    signal(SIGPIPE, SIG_IGN);

    int s = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(send(s, &byte, 1, 0));
    SHOW(recv(s, &byte, 1, 0));
    SHOW(shutdown(s, SHUT_WR));
    SHOW(getpeername(s, (struct sockaddr *)&other, &length));
    SHOW(accept(s, NULL, NULL));
    SHOW(connect(s, to_peer, 3));
    SHOW(connect(s, NULL, sizeof peer));
    SHOW(connect(s, to_closed, sizeof closed));
    SHOW(connect(s, to_peer, sizeof peer));
    SHOW(connect(s, to_peer, sizeof peer));
    SHOW(bind(s, to_peer, sizeof peer));
    SHOW(listen(s, 5));
    SHOW(send(s, NULL, 1, 0));
    SHOW(send(s, &byte, 1, 0));
    SHOW(recv(s, NULL, 1, 0));
    SHOW(recv(s, &byte, 1, 0));
    SHOW(lseek(s, 0, SEEK_SET));
    SHOW(shutdown(s, 17));
    SHOW(shutdown(s, SHUT_WR));
    SHOW(send(s, &byte, 1, MSG_NOSIGNAL));
    SHOW(recv(s, &byte, 1, 0));
    SHOW(close(s));
    SHOW(close(s));
    SHOW(send(s, &byte, 1, 0));

    s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect(s, to_closed, sizeof closed));
    SHOW(ended(s));
    SHOW(socket_error(s));
    SHOW(socket_error(s));
    SHOW(close(s));

    s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect(s, to_peer, sizeof peer));
    SHOW(ended(s));
    SHOW(socket_error(s));
    SHOW(recv(s, &byte, 1, 0));
    SHOW(recv(s, &byte, 1, MSG_OOB));
    SHOW(recv(s, &byte, 0, 0));
    SHOW(read(s, &byte, 0));
    SHOW(readv(s, &nothing, 1));
    SHOW(fcntl(s, F_SETOWN, 0));
    SHOW(send(s, "echo", 4, 0));
    SHOW(has_data(s));
    SHOW(recv(s, &byte, 0, 0));
    SHOW(read(s, &byte, 0));
    SHOW(recv(s, &byte, 1, 0));
    SHOW(recv(s, &byte, 1, 0));
    SHOW(close(s));

    /* Twice the same port. */
    int first = socket(AF_INET, SOCK_STREAM, 0), second = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7001)};
    SHOW(bind(first, (struct sockaddr *)&any, sizeof any));
    SHOW(bind(first, (struct sockaddr *)&any, sizeof any));
    SHOW(bind(second, (struct sockaddr *)&any, sizeof any));
    SHOW(listen(first, 5));
    SHOW(fcntl(first, F_SETFL, O_NONBLOCK));
    SHOW(accept(first, NULL, NULL));
    SHOW(close(first));
    SHOW(bind(second, (struct sockaddr *)&any, sizeof any));
    SHOW(close(second));

    SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    SHOW(socket(AF_INET, 77, 0));
    return 0;
}
