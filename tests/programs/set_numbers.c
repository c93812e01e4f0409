/* One epoll set behind many numbers, made before it has any internet socket: copies of every kind, threads that sleep on it already,
 * sets around it, processes that share it. Peer: echo. */
#include "common.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static char **arguments;

static int add(int set, int fd, uint32_t events, uint32_t data) {
    struct epoll_event event = {.events = events, .data.u32 = data};
    return epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

static void report(const char *when, int set, int timeout) {
    struct epoll_event events[8];
    int n = epoll_wait(set, events, 8, timeout);
    printf("%s: %d", when, n < 0 ? -errno : n);
    for (int i = 0; i < n; i++) printf(" %u:%x", events[i].data.u32, events[i].events);
    printf("\n");
    fflush(stdout);
}

static int is_readable(int fd, int timeout) {
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, timeout);
}

/* A connection whose echo has come. */
static int talking(const char *word) {
    int s = connected(arguments);
    send_all(s, word, strlen(word));
    if (is_readable(s, 5000) != 1) exit(2);
    return s;
}

/* Sleeps on a set in each of the three calls, with no time limit. What it finds is taken off the set again. */
static int found[3];
static int sleepers_set[3];
static void *sleeper(void *number) {
    int n = (int)(intptr_t)number, set = sleepers_set[n];
    struct epoll_event event = {0};
    struct timespec ever = {20, 0};
    int count = n == 0   ? epoll_wait(set, &event, 1, -1)
                : n == 1 ? epoll_pwait(set, &event, 1, 20000, NULL)
                         : epoll_pwait2(set, &event, 1, &ever, NULL);
    if (count == 1) found[event.data.u32]++;
    return NULL;
}

static void sleeping_threads(void) {
    pthread_t threads[3];
    int event = eventfd(0, EFD_NONBLOCK);
    sleepers_set[0] = epoll_create1(0);
    sleepers_set[1] = dup(sleepers_set[0]);
    sleepers_set[2] = fcntl(sleepers_set[1], F_DUPFD_CLOEXEC, 100);
    SHOW(add(sleepers_set[0], event, EPOLLIN, 9));
    for (int i = 0; i < 3; i++) pthread_create(threads + i, NULL, sleeper, (void *)(intptr_t)i);
    sleep_ms(100);
    for (uint32_t i = 0; i < 3; i++) {
        int s = talking("thread");
        SHOW(add(sleepers_set[i], s, EPOLLIN | EPOLLONESHOT, i));
    }
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    printf("threads found %d %d %d\n", found[0], found[1], found[2]);
    report("nothing is left", sleepers_set[0], 20);
}

/* Times out although the set becomes ours meanwhile. */
static void *short_sleeper(void *set) {
    report("in time", *(int *)set, 300);
    return NULL;
}

static void sleeping_with_an_end(void) {
    int set = epoll_create1(0);
    pthread_t thread;
    pthread_create(&thread, NULL, short_sleeper, &set);
    sleep_ms(50);
    int s = connected(arguments);
    SHOW(add(set, s, EPOLLIN, 1));
    pthread_join(thread, NULL);
    SHOW(is_readable(set, 0));
    send_all(s, "x", 1);
    SHOW(is_readable(set, 5000));
}

static void copies(void) {
    int set = epoll_create(1), numbers[5];
    numbers[0] = dup(set);
    numbers[1] = fcntl(numbers[0], F_DUPFD, 50);
    numbers[2] = fcntl(set, F_DUPFD_CLOEXEC, 60);
    numbers[3] = dup2(set, 70);
    numbers[4] = dup3(numbers[3], 71, O_CLOEXEC);
    SHOW(add(numbers[4], talking("copy"), EPOLLIN, 1));
    report("the first", set, 5000);
    for (int i = 0; i < 5; i++) report("a copy", numbers[i], 5000);
    SHOW(add(set, numbers[1], EPOLLIN, 2));
    SHOW(close(set));
    SHOW(close(numbers[4]));
    report("without the first", numbers[2], 5000);
    for (int i = 0; i < 4; i++) close(numbers[i]);
    report("closed", numbers[2], 0);
}

static void shared_with_a_child(void) {
    int set = epoll_create1(0), status;
    pid_t child = fork();
    if (child == 0) {
        SHOW(add(set, talking("child"), EPOLLIN, 1));
        report("the child", set, 5000);
        sleep_ms(400);
        _exit(0);
    }
    sleep_ms(200);
    report("the parent", set, 5000);
    SHOW(add(set, talking("parent"), EPOLLIN, 2));
    report("both", set, 5000);
    waitpid(child, &status, 0);
    SHOW(status);
}

int main(int argc, char **argv) {
    (void)argc;
    arguments = argv;
    /* Before the program's first internet socket. */
    int inner = epoll_create1(0), inner_copy = dup(inner), middle = epoll_create1(0), outer = epoll_create1(0), other = epoll_create1(0);
    SHOW(add(middle, inner, EPOLLIN, 11));
    SHOW(add(outer, middle, EPOLLIN, 12));
    SHOW(add(other, inner_copy, EPOLLIN | EPOLLET, 13));
    SHOW(add(inner_copy, talking("inner"), EPOLLIN, 14));
    report("outer", outer, 5000);
    report("other", other, 5000);
    report("other", other, 20);
    report("middle", middle, 5000);
    report("inner", inner, 5000);
    SHOW(is_readable(outer, 5000));
    copies();
    sleeping_threads();
    sleeping_with_an_end();
    shared_with_a_child();
    return 0;
}
