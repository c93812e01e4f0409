/* A handler that jumps out of whatever call is under way, hundreds of times: the sockets go on. Peer: echo. */
#include "common.h"
#include <setjmp.h>
#include <sys/epoll.h>
#include <sys/time.h>

static sigjmp_buf back;
static void jump(int signal) { (void)signal; siglongjmp(back, 1); }

static void alarm_in(int us) {
    struct itimerval t = {{0, 0}, {0, us}};
    setitimer(ITIMER_REAL, &t, NULL);
}

/* Bytes to and fro, waited for in every way, until the alarm. */
static void talk(int s, int set, unsigned seed) {
    struct epoll_event event;
    struct pollfd p = {s, POLLIN, 0};
    char bytes[64];
    for (;;) {
        send_all(s, "12345678", 8);
        switch (rand_r(&seed) % 4) {
        case 0: poll(&p, 1, -1); break;
        case 1: epoll_wait(set, &event, 1, -1); break;
        case 2: receive_all(s, bytes, 4); continue;
        default: break;
        }
        receive_all(s, bytes, 8);
    }
}

int main(int argc, char **argv) {
    (void)argc;
    char bytes[8];
    struct sigaction action = {.sa_handler = jump};
    if (sigaction(SIGALRM, &action, NULL)) return 2;
    for (volatile int i = 0; i < 600; i++) {
        static int s, set;
        if (i % 100 == 0) {
            struct epoll_event event = {.events = EPOLLIN};
            s = connected(argv);
            set = epoll_create1(0);
            if (epoll_ctl(set, EPOLL_CTL_ADD, s, &event)) return 2;
        }
        if (sigsetjmp(back, 1) == 0) {
            unsigned seed = (unsigned)i;
            alarm_in(20 + rand_r(&seed) % 1500);
            talk(s, set, seed);
        }
        if (i % 100 == 99) close(s), close(set);
    }
    int fresh = connected(argv);
    send_all(fresh, "fresh", 5);
    receive_all(fresh, bytes, 5);
    printf("%.5s\n", bytes);
    return 0;
}
