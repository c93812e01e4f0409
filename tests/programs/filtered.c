/* A server and its client in one process, which install a filter of system calls when they have made their first socket. argv: own address, port,
 * an echo server's address and port, what happens to calls that the filter does not know ("kill", or "errno": EPERM), and perhaps "prctl". */
#include "common.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* What the program calls itself on the kernel's stack. */
#define PROGRAMS(X) X(socket) X(bind) X(listen) X(connect) X(accept) X(sendto) X(recvfrom) X(getsockname) X(epoll_create1) X(epoll_ctl) \
    X(epoll_wait) X(poll) X(close) X(write) X(fork) X(clone) X(wait4) X(set_robust_list) X(exit_group)

/* What the library needs beside that, and what it would like to have. docs/sandbox.md has the same names. */
#define NEEDED(X) X(read) X(ppoll) X(futex) X(rt_sigprocmask) X(rt_sigreturn) X(fcntl) X(getpid)
#define WANTED(X) X(madvise) X(gettid) X(rt_tgsigqueueinfo) X(clock_gettime) X(mmap) X(munmap) X(mprotect)

#define NUMBER(name) SYS_##name,
static const int programs[] = {PROGRAMS(NUMBER)}, needed[] = {NEEDED(NUMBER)}, wanted[] = {WANTED(NUMBER)};

static struct sock_filter filter[200];
static unsigned short length;

static void add(unsigned short code, unsigned char jump_true, unsigned char jump_false, unsigned k) {
    filter[length++] = (struct sock_filter){code, jump_true, jump_false, k};
}

static void allow(const int *calls, size_t bytes) {
    for (size_t i = 0; i < bytes / sizeof *calls; i++) {
        add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)calls[i]);
        add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
    }
}

static int install(unsigned otherwise, int by_prctl) {
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
    allow(programs, sizeof programs);
    allow(needed, sizeof needed);
    if (otherwise == SECCOMP_RET_KILL_PROCESS) allow(wanted, sizeof wanted);
    add(BPF_RET | BPF_K, 0, 0, otherwise);
    struct sock_fprog program = {length, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return -1;
    if (by_prctl) return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* A connection to ourselves, with a message each way. */
static void round_trip(struct sockaddr_in *own, int listener, int set) {
    char bytes[4] = {0};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    struct epoll_event event = {EPOLLIN, {.fd = client}};
    if (connect(client, (struct sockaddr *)own, sizeof *own)) { SHOW(-1); return; }
    struct pollfd ready = {listener, POLLIN, 0};
    SHOW(poll(&ready, 1, 5000));
    int server = accept(listener, NULL, NULL);
    SHOW(epoll_ctl(set, EPOLL_CTL_ADD, client, &event));
    SHOW(send(server, "down", 4, 0));
    SHOW(epoll_wait(set, &event, 1, 5000));
    SHOW(recv(client, bytes, 4, 0));
    SHOW(send(client, "up", 2, 0));
    SHOW(recv(server, bytes, 4, 0));
    /* Long enough for the threads to sleep, and for what is due a little later. */
    ready = (struct pollfd){server, POLLIN, 0};
    SHOW(poll(&ready, 1, 300));
    SHOW(close(client));
    SHOW(recv(server, bytes, 4, 0));
    SHOW(close(server));
}

/* As much as fits between the two, so that the buffers grow. */
static void fill(struct sockaddr_in *own, int listener) {
    static char bytes[65536];
    int client = socket(AF_INET, SOCK_STREAM, 0);
    size_t sent = 0, received = 0;
    ssize_t n;
    if (connect(client, (struct sockaddr *)own, sizeof *own)) { SHOW(-1); return; }
    int server = accept(listener, NULL, NULL);
    for (int round = 0; round < 20; round++) {
        while ((n = send(client, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) sent += (size_t)n;
        for (int i = 0; i < 20 && (n = recv(server, bytes, sizeof bytes, MSG_DONTWAIT)) > 0; i++) received += (size_t)n;
    }
    SHOW(sent > 2000000);
    SHOW(close(client));
    while ((n = recv(server, bytes, sizeof bytes, 0)) > 0) received += (size_t)n;
    SHOW(received == sent);
    SHOW(close(server));
}

static void ask(struct sockaddr_in *peer) {
    char bytes[8] = {0};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(connect(s, (struct sockaddr *)peer, sizeof *peer));
    SHOW(send(s, "hello", 5, 0));
    SHOW(recv(s, bytes, 8, 0));
    SHOW(close(s));
}

int main(int argc, char **argv) {
    struct sockaddr_in own = peer_address(argv), peer = peer_address(argv + 2);
    unsigned otherwise = strcmp(argv[5], "kill") ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS;
    setvbuf(stdout, NULL, _IONBF, 0);
    int listener = socket(AF_INET, SOCK_STREAM, 0), set = epoll_create1(0);
    SHOW(bind(listener, (struct sockaddr *)&own, sizeof own));
    SHOW(listen(listener, 5));
    SHOW(install(otherwise, argc > 6));
    for (int i = 0; i < 3; i++) round_trip(&own, listener, set);
    ask(&peer);
    fill(&own, listener);
    pid_t child = fork();
    if (child == 0) {
        round_trip(&own, listener, set);
        ask(&peer);
        _exit(0);
    }
    int status = -1;
    SHOW(waitpid(child, &status, 0) == child);
    SHOW(status);
    _exit(0);
}
