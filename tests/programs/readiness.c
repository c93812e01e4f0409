/* poll, select and epoll over sockets, listeners and pipes. Peer: echo. */
#include "common.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int poll_one(int fd, short events, int timeout) {
    struct pollfd p = {fd, events, 0};
    int n = poll(&p, 1, timeout);
    return n < 0 ? n : p.revents;
}

static int select_readable(int a, int b, int timeout_ms) {
    fd_set set;
    FD_ZERO(&set); FD_SET(a, &set); FD_SET(b, &set);
    struct timeval t = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    int n = select((a > b ? a : b) + 1, &set, NULL, NULL, &t);
    return n < 0 ? n : (FD_ISSET(a, &set) ? 1 : 0) | (FD_ISSET(b, &set) ? 2 : 0);
}

static int wait_one(int set, int timeout) {
    struct epoll_event event = {0};
    int n = epoll_wait(set, &event, 1, timeout);
    return n <= 0 ? n : (int)(event.data.u32 << 16 | event.events);
}

static int control(int set, int op, int fd, uint32_t events, uint32_t data) {
    struct epoll_event event = {.events = events, .data.u32 = data};
    return epoll_ctl(set, op, fd, &event);
}

int main(int argc, char **argv) {
    (void)argc;
    char bytes[10];
    int pipes[2];
    if (pipe(pipes)) return 2;
    int fresh = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(poll_one(fresh, POLLIN | POLLOUT | POLLRDHUP, 0));
    close(fresh);

    int s = connected(argv);
    SHOW(poll_one(s, POLLIN | POLLOUT | POLLRDHUP, 0));
    SHOW(poll_one(s, POLLIN, 50));
    SHOW(select_readable(s, pipes[0], 20));
    send_all(s, "hello", 5);
    SHOW(poll_one(s, POLLIN, 5000));
    SHOW(select_readable(s, pipes[0], 5000));
    SHOW(write(pipes[1], "x", 1));
    SHOW(select_readable(s, pipes[0], 5000));
    SHOW(poll(NULL, 0, 10));
    SHOW(poll_one(-1, POLLIN, 0));
    SHOW(poll_one(999, POLLIN, 0));

    int level = epoll_create1(EPOLL_CLOEXEC), edge = epoll_create1(EPOLL_CLOEXEC);
    SHOW(control(level, EPOLL_CTL_ADD, s, EPOLLIN, 1));
    SHOW(control(level, EPOLL_CTL_ADD, s, EPOLLIN, 1));
    SHOW(control(edge, EPOLL_CTL_MOD, s, EPOLLIN, 1));
    SHOW(control(edge, EPOLL_CTL_ADD, s, EPOLLIN | EPOLLET, 2));
    SHOW(wait_one(level, 5000));
    SHOW(wait_one(level, 5000));
    SHOW(wait_one(edge, 5000));
    SHOW(wait_one(edge, 20));
    SHOW(recv(s, bytes, 2, 0));
    SHOW(wait_one(level, 5000));
    SHOW(recv(s, bytes, sizeof bytes, 0));
    SHOW(wait_one(level, 20));
    send_all(s, "again", 5);
    SHOW(wait_one(edge, 5000));
    SHOW(wait_one(level, 5000));
    SHOW(control(level, EPOLL_CTL_MOD, s, EPOLLIN | EPOLLONESHOT, 3));
    SHOW(wait_one(level, 5000));
    SHOW(wait_one(level, 20));
    SHOW(control(level, EPOLL_CTL_MOD, s, EPOLLOUT, 4));
    SHOW(wait_one(level, 5000));
    SHOW(control(level, EPOLL_CTL_ADD, pipes[0], EPOLLIN, 5));
    SHOW(control(level, EPOLL_CTL_DEL, s, 0, 0));
    SHOW(control(level, EPOLL_CTL_DEL, s, 0, 0));
    SHOW(wait_one(level, 5000));
    SHOW(recv(s, bytes, sizeof bytes, 0));

    SHOW(shutdown(s, SHUT_WR));
    SHOW(wait_one(edge, 5000) & EPOLLIN);
    SHOW(poll_one(s, POLLIN, 5000));
    SHOW(recv(s, bytes, sizeof bytes, 0));
    SHOW(poll_one(s, POLLIN | POLLOUT | POLLRDHUP, 5000));
    SHOW(close(s));
    SHOW(wait_one(edge, 20));

    int listener = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(listen(listener, 5));
    SHOW(poll_one(listener, POLLIN | POLLOUT, 20));
    return 0;
}
