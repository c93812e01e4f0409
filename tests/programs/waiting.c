/* Waits for bytes that never come, in the call that the mode names. Peer: echo. */
#include "common.h"
#include <sys/epoll.h>

int main(int argc, char **argv) {
    (void)argc;
    char byte;
    int s = connected(argv), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    struct pollfd p = {s, POLLIN, 0};
    epoll_ctl(set, EPOLL_CTL_ADD, s, &event);
    printf("waiting\n");
    fflush(stdout);
    if (!strcmp(argv[3], "recv")) return (int)recv(s, &byte, 1, 0);
    if (!strcmp(argv[3], "poll")) return poll(&p, 1, -1);
    if (!strcmp(argv[3], "epoll")) return epoll_wait(set, &event, 1, -1);
    if (!strcmp(argv[3], "sleep")) return (int)sleep(60);
    return pause();
}
