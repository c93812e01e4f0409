/* Calls on stacks of every size: threads with 16 KiB, handlers on a small alternate stack, coroutines with 16 KiB; handlers that
 * interrupt those, jump out of them, fork in them; threads that come and go. Peer: echo. */
#include "common.h"
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <ucontext.h>

enum { SMALL = 16384 };

static char **arguments;

/* Every call that waits and every one that moves bytes; how many went well, of 7. */
static int talk(int s) {
    char bytes[64];
    int well = 0, set = epoll_create1(0);
    struct pollfd p = {s, POLLIN, 0};
    struct iovec parts[3] = {{"ab", 2}, {"cd", 2}, {"e", 1}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    struct epoll_event event = {.events = EPOLLIN};
    fd_set read;
    FD_ZERO(&read);
    FD_SET(s, &read);
    well += sendmsg(s, &message, 0) == 5;
    well += poll(&p, 1, -1) == 1;
    well += select(s + 1, &read, NULL, NULL, NULL) == 1;
    well += epoll_ctl(set, EPOLL_CTL_ADD, s, &event) == 0;
    well += epoll_wait(set, &event, 1, -1) == 1;
    well += recv(s, bytes, 5, MSG_WAITALL) == 5;
    close(set);
    send_all(s, "xyz", 3);
    receive_all(s, bytes, 3);
    return well + (memcmp(bytes, "xyz", 3) == 0);
}

static void run_small(void *(*work)(void *), void *argument, int count) {
    pthread_t threads[16];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, SMALL)) exit(2);
    for (int i = 0; i < count; i++) if (pthread_create(threads + i, &attributes, work, argument)) exit(2);
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

static void *many(void *total) {
    for (int i = 0; i < 10; i++) {
        int s = connected(arguments);
        __atomic_add_fetch((int *)total, talk(s), __ATOMIC_RELAXED);
        close(s);
    }
    return NULL;
}

static void threads(void) {
    int total = 0;
    run_small(many, &total, 8);
    printf("8 threads: %d of 560\n", total);
}

static int mappings(void) {
    int lines = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    for (int c; (c = fgetc(file)) != EOF;) lines += c == '\n';
    fclose(file);
    return lines;
}

static void *brief(void *s) {
    char byte;
    send_all(*(int *)s, "x", 1);
    receive_all(*(int *)s, &byte, 1);
    return NULL;
}

static void come_and_go(void) {
    int s = connected(arguments), before;
    run_small(brief, &s, 1);
    before = mappings();
    for (int i = 0; i < 200; i++) run_small(brief, &s, 1);
    printf("200 threads leave %s\n", mappings() < before + 20 ? "nothing" : "mappings");
    close(s);
}

/* Handlers on the alternate stack, which the program has where it may be least expected: on its own stack. One may interrupt the
 * other: there is room for two frames of the kernel's, of 1 to 3 KiB each with the processor's registers, and for 4 KiB of calls. */
static volatile sig_atomic_t handled, nested, damaged;
static int outer_socket, inner_socket;

static void outer(int signal) {
    volatile unsigned char canary[512];
    char bytes[8];
    (void)signal;
    for (size_t i = 0; i < sizeof canary; i++) canary[i] = (unsigned char)i;
    if (send(outer_socket, "outer", 5, 0) == 5 && recv(outer_socket, bytes, 5, MSG_WAITALL) == 5) handled++;
    for (size_t i = 0; i < sizeof canary; i++) damaged |= canary[i] != (unsigned char)i;
}

static void inner(int signal) {
    char bytes[8];
    (void)signal;
    if (send(inner_socket, "inner", 5, 0) == 5 && recv(inner_socket, bytes, 5, MSG_WAITALL) == 5) nested++;
}

static void arm(timer_t *timer, int signal, long ns) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal};
    struct itimerspec times = {{0, ns}, {0, ns}};
    if (timer_create(CLOCK_MONOTONIC, &event, timer) || timer_settime(*timer, 0, &times, NULL)) exit(2);
}

static void alternate(void) {
    char memory[2 * getauxval(AT_MINSIGSTKSZ) + 4096], bytes[8];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    struct sigaction action = {.sa_handler = outer, .sa_flags = SA_ONSTACK | SA_RESTART};
    timer_t timers[2];
    int s = connected(arguments), well = 0;
    outer_socket = connected(arguments);
    inner_socket = connected(arguments);
    sigaltstack(&stack, NULL);
    sigaction(SIGUSR1, &action, NULL);
    action.sa_handler = inner;
    sigaction(SIGUSR2, &action, NULL);
    arm(timers, SIGUSR1, 700000);
    arm(timers + 1, SIGUSR2, 500000);
    for (int i = 0; i < 100000 && (i < 2000 || handled < 50 || nested < 50); i++) {
        send_all(s, "hello", 5);
        receive_all(s, bytes, 5);
        well = memcmp(bytes, "hello", 5) == 0;
    }
    timer_delete(timers[0]);
    timer_delete(timers[1]);
    printf("handlers on a small stack: %s, %s, %s, %s\n", handled > 20 ? "many" : "few", nested > 20 ? "many" : "few", damaged ? "damaged" : "whole",
           well ? "well" : "wrong");
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

/* Two coroutines that take turns. */
static ucontext_t home, contexts[2];
static int results[2];

static void coroutine(int number) {
    int s = connected(arguments);
    for (int i = 0; i < 20; i++) {
        results[number] += talk(s);
        swapcontext(contexts + number, contexts + !number);
    }
    close(s);
    setcontext(&home);
}

static void coroutines(void) {
    char *stacks = malloc(2 * SMALL);
    volatile int done = 0;
    for (int i = 0; i < 2; i++) {
        getcontext(contexts + i);
        contexts[i].uc_stack = (stack_t){.ss_sp = stacks + i * SMALL, .ss_size = SMALL};
        makecontext(contexts + i, (void (*)(void))coroutine, 1, i);
    }
    getcontext(&home);
    if (!done) { done = 1; setcontext(contexts); }
    printf("coroutines: %d and %d of 140\n", results[0], results[1]);
}

/* Jumps out of calls that wait, on a small stack, again and again: nothing is used up. */
static sigjmp_buf back;
static void jump(int signal) { (void)signal; siglongjmp(back, 1); }

static void *jumper(void *unused) {
    int s = connected(arguments);
    char byte;
    (void)unused;
    for (volatile int i = 0; i < 300; i++) {
        struct itimerval t = {{0, 0}, {0, 200 + i}};
        sigset_t set;
        if (sigsetjmp(back, 1) == 0) {
            sigemptyset(&set);
            sigaddset(&set, SIGALRM);
            pthread_sigmask(SIG_UNBLOCK, &set, NULL);
            setitimer(ITIMER_REAL, &t, NULL);
            for (;;) recv(s, &byte, 1, 0);
        }
    }
    send_all(s, "j", 1);
    receive_all(s, &byte, 1);
    close(s);
    return NULL;
}

/* A handler forks while its thread waits; parent and child go on. */
static volatile sig_atomic_t forked;
static void fork_once(int signal) {
    (void)signal;
    if (!forked) { forked = 1; if (fork() == 0) forked = 2; }
}

static void *forker(void *peer) {
    int s = connected(arguments);
    char byte;
    ssize_t got;
    struct itimerval t = {{0, 0}, {0, 20000}};
    struct timeval patience = {0, 300000};
    sigset_t set;
    (void)peer;
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    setitimer(ITIMER_REAL, &t, NULL);
    got = recv(s, &byte, 1, 0);
    if (forked == 2) {
        int mine = connected(arguments);
        _exit(got == -1 && talk(mine) == 7 ? 7 : 1);
    }
    close(s);
    return NULL;
}

static void interrupted(void) {
    sigset_t set;
    int status = 0;
    struct sigaction action = {.sa_handler = jump};
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGALRM, &action, NULL);
    run_small(jumper, NULL, 1);
    printf("jumps: done\n");
    action.sa_handler = fork_once;
    sigaction(SIGALRM, &action, NULL);
    run_small(forker, NULL, 1);
    wait(&status);
    printf("fork in a handler: %d\n", WEXITSTATUS(status));
    fflush(stdout);
}

int main(int argc, char **argv) {
    (void)argc;
    arguments = argv;
    threads();
    come_and_go();
    alternate();
    coroutines();
    interrupted();
    return 0;
}
