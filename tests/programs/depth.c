/* How many bytes of the stack each call takes at most. Peer: echo. Prints a line for each call: its name and the bytes. */
#include "common.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>

enum { BYTES = 1 << 18, PAINT = 0xa5, ROUNDS = 30 };

static unsigned char memory[BYTES] __attribute__((aligned(4096)));
static char **arguments;
static char bytes[1 << 16];
static int s, u, set;

static void socket_close(void) { close(socket(AF_INET, SOCK_STREAM, 0)); }
static void connect_close(void) { close(connected(arguments)); }
static void send_some(void) { send_all(s, bytes, 100); receive_all(s, bytes, 100); }
static void send_much(void) { send_all(s, bytes, sizeof bytes); receive_all(s, bytes, sizeof bytes); }

static void send_message(void) {
    struct iovec parts[2] = {{"ab", 2}, {"cde", 3}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (sendmsg(s, &message, 0) == 5) receive_all(s, bytes, 5);
}

static void poll_it(void) {
    struct pollfd p = {s, POLLIN, 0};
    send_all(s, "p", 1);
    poll(&p, 1, -1);
    receive_all(s, bytes, 1);
}

static void select_it(void) {
    fd_set read;
    FD_ZERO(&read);
    FD_SET(s, &read);
    send_all(s, "s", 1);
    select(s + 1, &read, NULL, NULL, NULL);
    receive_all(s, bytes, 1);
}

static void epoll_it(void) {
    struct epoll_event event;
    send_all(s, "e", 1);
    epoll_wait(set, &event, 1, -1);
    receive_all(s, bytes, 1);
}

static void datagrams(void) {
    if (send(u, bytes, 1000, 0) == 1000) recv(u, bytes, 1000, 0);
}

static void options(void) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &length);
}

static void wait_in_vain(void) {
    struct pollfd p = {s, POLLIN, 0};
    poll(&p, 1, 3);
    usleep(3000);
}

static const struct { const char *name; void (*call)(void); } calls[] = {
    {"socket", socket_close}, {"connect", connect_close}, {"send", send_some}, {"much", send_much}, {"sendmsg", send_message},
    {"poll", poll_it}, {"select", select_it}, {"epoll", epoll_it}, {"datagrams", datagrams}, {"getsockopt", options}, {"sleep", wait_in_vain},
};

/* Calls and looks how far down the paint is gone. */
static __attribute__((noinline)) long depth_of(void (*call)(void)) {
    unsigned char *here = __builtin_frame_address(0), *at;
    for (at = memory; at < here - 256; at++) *(volatile unsigned char *)at = PAINT;
    call();
    for (at = memory; *(volatile unsigned char *)at == PAINT; at++) {}
    return here - at;
}

static void *measure(void *unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        long deepest = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long depth = depth_of(calls[i].call);
            if (depth > deepest) deepest = depth;
        }
        printf("%s %ld\n", calls[i].name, deepest);
    }
    return NULL;
}

int main(int argc, char **argv) {
    struct sockaddr_in peer = peer_address(argv);
    struct epoll_event event = {.events = EPOLLIN};
    pthread_attr_t attributes;
    pthread_t thread;
    (void)argc;
    arguments = argv;
    s = connected(argv);
    u = socket(AF_INET, SOCK_DGRAM, 0);
    if (connect(u, (struct sockaddr *)&peer, sizeof peer)) return 2;
    set = epoll_create1(0);
    epoll_ctl(set, EPOLL_CTL_ADD, s, &event);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, memory, sizeof memory);
    pthread_create(&thread, &attributes, measure, NULL);
    pthread_join(thread, NULL);
    return 0;
}
