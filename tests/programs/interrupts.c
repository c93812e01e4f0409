/* Signals while a call waits. Peer: echo. */
#include "common.h"
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/time.h>

static volatile sig_atomic_t alarms;
static sigjmp_buf back;
static void count(int signal) { (void)signal; alarms++; }
static void jump(int signal) { (void)signal; siglongjmp(back, 1); }
static void detail(int signal, siginfo_t *info, void *context) {
    (void)context;
    alarms += 100;
    if (signal != SIGUSR1 || info->si_code != SI_QUEUE || info->si_value.sival_int != 42) alarms = -1;
}

static void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(signal, &action, NULL);
}

static void alarm_in(int ms, int again_ms) {
    struct itimerval t = {{0, again_ms * 1000}, {0, ms * 1000}};
    setitimer(ITIMER_REAL, &t, NULL);
}

int main(int argc, char **argv) {
    (void)argc;
    int s = connected(argv);
    char byte;
    static unsigned char bytes[1 << 20], answer[1 << 20];

    handle(SIGALRM, count, 0);
    alarm_in(30, 0);
    SHOW(recv(s, &byte, 1, 0));
    alarm_in(30, 0);
    struct pollfd p = {s, POLLIN, 0};
    SHOW(poll(&p, 1, 5000));
    alarm_in(30, 0);
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    SHOW(epoll_ctl(set, EPOLL_CTL_ADD, s, &event));
    SHOW(epoll_wait(set, &event, 1, 5000));
    printf("alarms %d\n", alarms);

    /* A call with SA_RESTART goes on, unless the socket has a timeout (signal(7)). */
    handle(SIGALRM, count, SA_RESTART);
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(150);
        send_all(s, "r", 1);
        _exit(0);
    }
    alarm_in(30, 0);
    SHOW(recv(s, &byte, 1, 0));
    waitpid(child, NULL, 0);
    struct timeval timeout = {5, 0};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    alarm_in(30, 0);
    SHOW(recv(s, &byte, 1, 0));
    timeout = (struct timeval){0, 40000};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    SHOW(recv(s, &byte, 1, 0));
    timeout.tv_usec = 0;
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    printf("alarms %d\n", alarms);

    /* Out of the handler by a jump, and the socket is still good. */
    handle(SIGALRM, jump, 0);
    if (sigsetjmp(back, 1) == 0) {
        alarm_in(30, 0);
        SHOW(recv(s, &byte, 1, 0));
    }
    send_all(s, "j", 1);
    SHOW(recv(s, &byte, 1, 0));

    /* The mask holds back, ppoll lets through, siginfo arrives whole. */
    struct sigaction detailed = {.sa_sigaction = detail, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &detailed, NULL);
    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    alarms = 0;
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42});
    SHOW(poll(&p, 1, 20));
    printf("while blocked %d\n", alarms);
    SHOW(ppoll(&p, 1, &(struct timespec){5, 0}, &none));
    printf("after ppoll %d\n", alarms);

    /* A storm while a megabyte goes round. */
    handle(SIGALRM, count, SA_RESTART);
    alarms = 0;
    alarm_in(1, 1);
    for (int round = 0; round < 8; round++) {
        fill_pattern(bytes, sizeof bytes, (size_t)round);
        for (size_t at = 0; at < sizeof bytes; at += 1 << 16) {
            send_all(s, bytes + at, 1 << 16);
            receive_all(s, answer + at, 1 << 16);
        }
        SHOW(memcmp(bytes, answer, sizeof bytes));
    }
    alarm_in(0, 0);
    return 0;
}
