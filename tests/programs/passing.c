/* PROGRAM CALL COUNT: makes a call many times on descriptors that are no internet sockets. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CALL(name, call) if (!strcmp(argv[1], name)) { while (count-- > 0) call; return 0; }

int main(int argc, char **argv) {
    char byte = 0;
    int pair[2], null = open("/dev/null", O_RDWR), set = epoll_create1(0), value;
    long count = argc > 2 ? atol(argv[2]) : 0;
    if (argc < 2 || null < 0 || set < 0 || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair)) return 2;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct pollfd one = {pair[0], POLLIN, 0};
    struct epoll_event event;
    struct timespec now, none = {0, 0};
    struct timeval at_once = {0, 0};
    fd_set nothing;
    FD_ZERO(&nothing);
    socklen_t length;
    CALL("read", if (read(null, &byte, 1) < 0) return 1)
    CALL("write", if (write(null, &byte, 1) < 0) return 1)
    CALL("readv", if (readv(null, &part, 1) < 0) return 1)
    CALL("writev", if (writev(null, &part, 1) < 0) return 1)
    CALL("send", send(pair[0], &byte, 0, 0))
    CALL("recv", recv(pair[0], &byte, 1, 0))
    CALL("sendto", sendto(pair[0], &byte, 0, 0, NULL, 0))
    CALL("recvfrom", recvfrom(pair[0], &byte, 1, 0, NULL, NULL))
    CALL("sendmsg", sendmsg(pair[0], &message, 0))
    CALL("recvmsg", recvmsg(pair[0], &message, 0))
    CALL("fcntl", fcntl(null, F_GETFL))
    CALL("ioctl", ioctl(pair[0], FIONREAD, &value))
    CALL("getsockopt", (length = sizeof value, getsockopt(pair[0], SOL_SOCKET, SO_ERROR, &value, &length)))
    CALL("getsockname", (length = 0, getsockname(pair[0], (struct sockaddr *)&byte, &length)))
    CALL("close", close(-1))
    CALL("dup2", dup2(null, pair[1]))
    CALL("poll", poll(&one, 1, 0))
    CALL("select", select(null + 1, &nothing, NULL, NULL, &at_once))
    CALL("epoll_wait", epoll_wait(set, &event, 1, 0))
    CALL("clock_gettime", clock_gettime(CLOCK_MONOTONIC, &now))
    CALL("nanosleep", nanosleep(&none, NULL))
    return 2;
}
