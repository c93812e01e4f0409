/* A child is killed while it owns the stack's lock, after somebody has given the stack up. What the parent's descriptors report then, and that it can
 * begin anew. Peer: echo. */
#include "common.h"
#include <dirent.h>
#include <sys/epoll.h>

/* Offsets in the region's header: the word that names the thread that owns the lock, and the one that says that the stack is dead. */
enum { LOCK = 128, DEAD = 1288 };

static int region(void) {
    char path[300], target[64];
    DIR *all = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(all));) {
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length > 0 && (target[length] = 0, strstr(target, "memfd:nstk-region"))) {
            int fd = open(path, O_RDWR);
            closedir(all);
            return fd;
        }
    }
    printf("no region\n");
    exit(2);
}

/* Stops the child again and again until it is inside. */
static void kill_inside(pid_t child, int lock) {
    const uint32_t given_up = 1;
    for (;;) {
        uint32_t owner = 0;
        int status;
        kill(child, SIGSTOP);
        waitpid(child, &status, WUNTRACED);
        if (pread(lock, &owner, sizeof owner, LOCK) != sizeof owner) exit(2);
        if ((owner & 0x3fffffff) == (uint32_t)child) break;
        kill(child, SIGCONT);
    }
    if (pwrite(lock, &given_up, sizeof given_up, DEAD) != sizeof given_up) exit(2);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void show_events(const char *when, int set) {
    static const char *names[] = {"level", "edge", "listener", "fresh"};
    struct epoll_event events[8];
    uint32_t seen[4] = {0};
    int count = epoll_wait(set, events, 8, 50);
    for (int i = 0; i < count; i++) seen[events[i].data.u32] = events[i].events;
    printf("%s: %d", when, count);
    for (int i = 0; i < 4; i++) {
        if (seen[i]) printf(" %s%s%s%s", names[i], seen[i] & EPOLLERR ? "+ERR" : "", seen[i] & EPOLLHUP ? "+HUP" : "", seen[i] & EPOLLIN ? "+IN" : "");
    }
    printf("\n");
    fflush(stdout);
}

static void watch(int set, int fd, uint32_t which, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u32 = which};
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event)) perror("epoll_ctl");
}

int main(int argc, char **argv) {
    char bytes[8];
    (void)argc;
    int level = connected(argv), edge = connected(argv), later = connected(argv), listener = socket(AF_INET, SOCK_STREAM, 0), set = epoll_create1(0);
    int lock = region();
    if (listen(listener, 5)) return 2;
    watch(set, level, 0, EPOLLIN | EPOLLRDHUP);
    watch(set, edge, 1, EPOLLIN | EPOLLET);
    watch(set, listener, 2, EPOLLIN);
    pid_t child = fork();
    if (child == 0) {
        struct tcp_info info;
        socklen_t length = sizeof info;
        for (;;) getsockopt(level, IPPROTO_TCP, TCP_INFO, &info, &length);
    }
    kill_inside(child, lock);
    fprintf(stderr, "killed %d\n", (int)child);
    show_events("first", set);
    show_events("again", set);
    struct pollfd polled[3] = {{level, POLLIN, 0}, {listener, POLLIN, 0}, {edge, 0, 0}};
    printf("poll: %d", poll(polled, 3, 50));
    for (int i = 0; i < 3; i++) printf(" %s%s", polled[i].revents & POLLERR ? "ERR" : "-", polled[i].revents & POLLHUP ? "+HUP" : "");
    printf("\n");
    printf("poll of the listener: %d\n", poll(polled + 1, 1, 50));
    SHOW(recv(level, bytes, sizeof bytes, 0));
    SHOW(send(level, "x", 1, MSG_NOSIGNAL));
    watch(set, later, 3, EPOLLIN);
    show_events("added", set);
    SHOW(epoll_ctl(set, EPOLL_CTL_DEL, later, NULL));
    SHOW(epoll_ctl(set, EPOLL_CTL_DEL, later, NULL));
    close(level);
    close(edge);
    show_events("closed", set);
    pid_t other = fork();
    if (other == 0) { show_events("in a child", set); fflush(stdout); _exit(0); }
    waitpid(other, NULL, 0);
    int fresh = connected(argv);
    watch(set, fresh, 3, EPOLLIN);
    send_all(fresh, "hello", 5);
    sleep_ms(20);
    show_events("anew", set);
    receive_all(fresh, bytes, 5);
    printf("%.5s\n", bytes);
    show_events("quiet", set);
    return 0;
}
