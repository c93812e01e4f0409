/* Signal handlers of every kind, installed before and after the first socket. Peer: echo. */
#include "common.h"
#include <stdbool.h>
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

static volatile sig_atomic_t early_runs, runs;
static volatile bool on_own_stack;
static char stack[1 << 16];
static sigjmp_buf back;
static int talker = -1;

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* sigset, siginterrupt */

static void early(int signal) { (void)signal; early_runs++; }
static void count(int signal) { (void)signal; runs++; }
static void fault(int signal, siginfo_t *info, void *context) {
    (void)context;
    runs = signal == SIGSEGV && info->si_addr == (void *)16 ? 7 : -1;
    siglongjmp(back, 1);
}
static void where(int signal) {
    volatile char local = 0;
    uintptr_t at = (uintptr_t)&local;
    (void)signal;
    on_own_stack = at >= (uintptr_t)stack && at < (uintptr_t)stack + sizeof stack;
}
static void talk(int signal) {
    char byte = 't';
    (void)signal;
    send_all(talker, &byte, 1);
    receive_all(talker, &byte, 1);
    runs += byte == 't';
}

static void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    SHOW(sigaction(signal, &action, NULL));
}

/* What the program is told that it has installed. */
static const char *name_of(void (*handler)(int)) {
    return handler == SIG_DFL ? "default" : handler == SIG_IGN ? "ignore" : handler == SIG_ERR ? "error" : handler == early ? "early" :
        handler == count ? "count" : handler == where ? "where" : "somebody else's";
}

static void report(int signal) {
    struct sigaction action;
    if (sigaction(signal, NULL, &action)) exit(2);
    int known = SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_NODEFER | (int)SA_RESETHAND;
    printf("signal %d: %s, flags %x, also blocks SIGUSR2 %d\n", signal, name_of(action.sa_handler), action.sa_flags & known,
           sigismember(&action.sa_mask, SIGUSR2));
}

static void alarm_in(int ms) {
    struct itimerval t = {{0, 0}, {0, ms * 1000}};
    setitimer(ITIMER_REAL, &t, NULL);
}

int main(int argc, char **argv) {
    (void)argc;
    char byte;
    struct sigaction action = {.sa_handler = early, .sa_flags = SA_RESTART};
    sigaddset(&action.sa_mask, SIGUSR2);
    SHOW(sigaction(SIGUSR1, &action, NULL));
    SHOW(signal(SIGPIPE, SIG_IGN) == SIG_DFL);

    int s = connected(argv), other = connected(argv);
    talker = connected(argv);
    report(SIGUSR1);
    report(SIGPIPE);
    report(SIGTERM);
    SHOW(raise(SIGUSR1));
    printf("early ran %d times\n", early_runs);
    printf("before: %s\n", name_of(signal(SIGUSR1, count)));
    printf("before: %s\n", name_of(signal(SIGUSR1, SIG_IGN)));
    printf("before: %s\n", name_of(signal(SIGUSR1, count)));
    report(SIGUSR1);
    printf("before: %s\n", name_of(sysv_signal(SIGUSR1, count)));
    report(SIGUSR1);
    SHOW(raise(SIGUSR1));
    report(SIGUSR1);
    printf("before: %s\n", name_of(sigset(SIGUSR1, count)));
    printf("before: %s\n", name_of(sigset(SIGUSR1, SIG_DFL)));
    SHOW(siginterrupt(SIGUSR1, 1));
    SHOW(signal(SIGKILL, count) == SIG_ERR);
    SHOW(signal(99, count) == SIG_ERR);
    action.sa_flags = (int)SA_RESETHAND | SA_NODEFER;
    action.sa_handler = count;
    SHOW(sigaction(SIGUSR2, &action, NULL));
    report(SIGUSR2);
    SHOW(raise(SIGUSR2));
    report(SIGUSR2);

    /* Faults, and out of their handler by a jump. */
    struct sigaction faults = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
    SHOW(sigaction(SIGSEGV, &faults, NULL));
    SHOW(sigaction(SIGSEGV, NULL, &action));
    SHOW(action.sa_sigaction == fault && action.sa_flags & SA_SIGINFO);
    volatile uintptr_t nowhere = 16;
    if (sigsetjmp(back, 1) == 0) *(volatile char *)nowhere = 1;
    printf("fault %d\n", runs);

    /* On a stack of its own, while a call waits. */
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    SHOW(sigaltstack(&alternate, NULL));
    handle(SIGALRM, where, SA_ONSTACK);
    alarm_in(20);
    SHOW(recv(s, &byte, 1, 0));
    printf("on its own stack %d\n", on_own_stack);

    /* A handler that uses the sockets itself, while the program uses and awaits others. */
    runs = 0;
    handle(SIGALRM, talk, SA_RESTART);
    for (int i = 0; i < 50; i++) {
        static unsigned char out[40000], in[sizeof out];
        alarm_in(1);
        fill_pattern(out, sizeof out, (size_t)i);
        send_all(s, out, sizeof out);
        receive_all(s, in, sizeof in);
        if (memcmp(out, in, sizeof in)) printf("round %d is spoilt\n", i);
    }
    sleep_ms(5);
    printf("handlers talked %d\n", runs > 0);

    /* Restarted or not, as siginterrupt(3) says. */
    runs = 0;
    SHOW(signal(SIGALRM, count) == talk);
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(100);
        send_all(other, "r", 1);
        _exit(0);
    }
    alarm_in(20);
    SHOW(recv(other, &byte, 1, 0));
    waitpid(child, NULL, 0);
    SHOW(siginterrupt(SIGALRM, 1));
    alarm_in(20);
    SHOW(recv(other, &byte, 1, 0));
    report(SIGALRM);

    /* Waits that let a signal through for their own time only. */
    sigset_t blocked, open;
    sigemptyset(&open);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    SHOW(sigprocmask(SIG_BLOCK, &blocked, NULL));
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    SHOW(epoll_ctl(set, EPOLL_CTL_ADD, s, &event));
    fd_set readable;
    FD_ZERO(&readable); FD_SET(s, &readable);
    struct timespec five = {5, 0};
    runs = 0;
    alarm_in(20);
    SHOW(pselect(s + 1, &readable, NULL, NULL, &five, &open));
    printf("runs %d\n", runs);
    alarm_in(20);
    SHOW(epoll_pwait(set, &event, 1, 5000, &open));
    printf("runs %d\n", runs);
    alarm_in(20);
    SHOW(epoll_wait(set, &event, 1, 60));
    printf("runs %d\n", runs);
    SHOW(sigprocmask(SIG_UNBLOCK, &blocked, NULL));
    printf("runs %d\n", runs);
    SHOW(sigprocmask(SIG_BLOCK, NULL, &open) || sigismember(&open, SIGALRM));

    /* Sleeps end early and say by how much. */
    struct timespec left = {0, 0};
    alarm_in(20);
    SHOW(nanosleep(&five, &left));
    printf("left %d\n", left.tv_sec == 4);
    alarm_in(20);
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &five, &left));
    printf("left %d\n", left.tv_sec == 4);
    alarm_in(20);
    SHOW(sleep(3));
    alarm_in(20);
    SHOW(usleep(900000));
    SHOW(usleep(1000));
    five.tv_nsec = 1000000000;
    SHOW(nanosleep(&five, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &five, NULL));
    return 0;
}
