/* epoll sets: shared by dup and fork, inside each other, over sockets and other files, waited for by several threads. Peer: echo. */
#include "common.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int control(int set, int op, int fd, uint32_t events, uint32_t data) {
    struct epoll_event event = {.events = events, .data.u32 = data};
    return epoll_ctl(set, op, fd, &event);
}

static int by_data(const void *a, const void *b) {
    const struct epoll_event *x = a, *y = b;
    return (int)x->data.u32 - (int)y->data.u32;
}

/* All that a set has, whatever the order. */
static void report(const char *when, int set, int timeout) {
    struct epoll_event events[8];
    int n = epoll_wait(set, events, 8, timeout);
    printf("%s: %d", when, n < 0 ? -errno : n);
    if (n > 0) qsort(events, (size_t)n, sizeof *events, by_data);
    for (int i = 0; i < n; i++) printf(" %u:%x", events[i].data.u32, events[i].events);
    printf("\n");
    fflush(stdout);
}

static int shared_set;
static volatile int woken;
static void *wait_for_one(void *unused) {
    struct epoll_event event;
    (void)unused;
    if (epoll_wait(shared_set, &event, 1, 300) == 1) __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static int is_readable(int fd, int timeout) {
    struct pollfd p = {fd, POLLIN, 0};
    return poll(&p, 1, timeout);
}

int main(int argc, char **argv) {
    (void)argc;
    char bytes[64];
    struct sockaddr_in peer = peer_address(argv);
    int set = epoll_create1(0), plain = epoll_create(1), file = open("/dev/zero", O_RDONLY);

    /* From before the connection until after it. */
    int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(control(set, EPOLL_CTL_ADD, s, EPOLLIN | EPOLLOUT, 1));
    report("fresh", set, 0);
    SHOW(connect(s, (struct sockaddr *)&peer, sizeof peer) == 0 || errno == EINPROGRESS);
    SHOW(control(set, EPOLL_CTL_MOD, s, EPOLLIN | EPOLLOUT | EPOLLET, 1));
    sleep_ms(50);
    report("connected", set, 1000);
    report("no new edge", set, 10);
    send_all(s, "edge", 4);
    sleep_ms(50);
    report("edge", set, 1000);
    SHOW(recv(s, bytes, sizeof bytes, 0));
    SHOW(control(set, EPOLL_CTL_MOD, s, EPOLLIN, 1));

    SHOW(control(set, EPOLL_CTL_ADD, set, EPOLLIN, 2));
    SHOW(control(s, EPOLL_CTL_ADD, set, EPOLLIN, 2));
    SHOW(control(file, EPOLL_CTL_ADD, s, EPOLLIN, 2));
    SHOW(control(set, EPOLL_CTL_ADD, file, EPOLLIN, 2));
    SHOW(control(999, EPOLL_CTL_ADD, s, EPOLLIN, 2));
    SHOW(control(set, EPOLL_CTL_ADD, 999, EPOLLIN, 2));
    SHOW(control(plain, EPOLL_CTL_DEL, s, 0, 0));
    SHOW(control(set, 77, s, EPOLLIN, 2));
    SHOW(epoll_ctl(set, EPOLL_CTL_MOD, s, NULL));
    SHOW(epoll_wait(set, NULL, 0, 0));

    /* Beside files of the kernel's; a socket that never stops being ready keeps nobody out. */
    int event = eventfd(0, EFD_NONBLOCK);
    uint64_t one = 1;
    SHOW(control(set, EPOLL_CTL_ADD, event, EPOLLIN, 3));
    report("nothing", set, 20);
    send_all(s, "both", 4);
    SHOW(is_readable(s, 5000));
    SHOW(write(event, &one, sizeof one));
    report("both", set, 0);
    int seen[4] = {0};
    for (int i = 0; i < 100; i++) {
        struct epoll_event got;
        if (epoll_wait(set, &got, 1, 1000) == 1) seen[got.data.u32 & 3]++;
        struct timespec little = {0, 100000};
        nanosleep(&little, NULL);
    }
    printf("fair %d %d\n", seen[1] > 0, seen[3] > 0);
    SHOW(read(event, &one, sizeof one));
    SHOW(recv(s, bytes, sizeof bytes, 0));
    report("drained", set, 20);

    /* A set in a set, and in poll. */
    int outer = epoll_create1(0);
    SHOW(control(outer, EPOLL_CTL_ADD, set, EPOLLIN, 4));
    SHOW(control(set, EPOLL_CTL_ADD, outer, EPOLLIN, 5));
    report("outer", outer, 20);
    send_all(s, "nest", 4);
    report("outer", outer, 5000);
    SHOW(is_readable(set, 5000));
    SHOW(is_readable(outer, 5000));
    SHOW(recv(s, bytes, sizeof bytes, 0));
    SHOW(is_readable(set, 20));
    report("outer", outer, 20);

    /* A dup is another member; a closed one stays while the file is open. */
    int copy = dup(s), set_copy = dup(set);
    SHOW(control(set, EPOLL_CTL_ADD, copy, EPOLLIN, 6));
    send_all(s, "dups", 4);
    SHOW(is_readable(s, 5000));
    report("dup", set_copy, 5000);
    SHOW(close(copy));
    report("dup closed", set, 5000);
    SHOW(close(set));
    report("set closed", set, 0);
    report("set's dup", set_copy, 5000);
    SHOW(recv(s, bytes, sizeof bytes, 0));

    /* A child waits on what it inherited, and brings members of its own. */
    pid_t child = fork();
    if (child == 0) {
        int mine = connected(argv);
        control(set_copy, EPOLL_CTL_ADD, mine, EPOLLIN, 7);
        send_all(mine, "mine", 4);
        SHOW(is_readable(mine, 5000));
        report("child", set_copy, 5000);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    SHOW(status);
    report("after the child", set_copy, 20);
    send_all(s, "last", 4);
    SHOW(is_readable(s, 5000));
    report("parent", set_copy, 5000);
    SHOW(recv(s, bytes, sizeof bytes, 0));

    /* One edge wakes one of the threads that wait. */
    shared_set = epoll_create1(0);
    SHOW(control(shared_set, EPOLL_CTL_ADD, s, EPOLLIN | EPOLLET, 8));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) if (pthread_create(&threads[i], NULL, wait_for_one, NULL)) exit(2);
    sleep_ms(100);
    send_all(s, "!", 1);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    printf("woken %d\n", woken);
    SHOW(recv(s, bytes, 1, 0));

    /* Members that turn out to be the kernel's. */
    int local = socket(AF_INET, SOCK_STREAM, 0), near = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in loop = address("127.0.0.1", 0);
    socklen_t len = sizeof loop;
    SHOW(control(shared_set, EPOLL_CTL_ADD, near, EPOLLIN | EPOLLONESHOT, 9));
    report("near", shared_set, 0);
    SHOW(control(shared_set, EPOLL_CTL_MOD, near, EPOLLIN, 9));
    SHOW(bind(local, (struct sockaddr *)&loop, sizeof loop));
    SHOW(listen(local, 5));
    SHOW(getsockname(local, (struct sockaddr *)&loop, &len));
    SHOW(connect(near, (struct sockaddr *)&loop, sizeof loop) == 0 || errno == EINPROGRESS);
    int far = accept(local, NULL, NULL);
    send_all(far, "near", 4);
    report("near", shared_set, 5000);
    SHOW(control(shared_set, EPOLL_CTL_DEL, near, 0, 0));
    SHOW(control(shared_set, EPOLL_CTL_DEL, near, 0, 0));

    /* The end of the peer's data, and of ours. */
    send_all(s, "bye", 3);
    SHOW(is_readable(s, 5000));
    SHOW(recv(s, bytes, sizeof bytes, 0));
    SHOW(control(shared_set, EPOLL_CTL_MOD, s, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, 10));
    SHOW(shutdown(s, SHUT_WR));
    SHOW(is_readable(s, 5000));
    report("end", shared_set, 5000);
    report("once", shared_set, 20);
    SHOW(close(s));
    report("empty", shared_set, 20);
    return 0;
}
