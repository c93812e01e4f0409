/* Children that are made without fork(3) use their parent's sockets. Peer: echo. */
#include "common.h"
#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>

static int started[2], s;
static char **arguments;

/* The parent has closed its copy before. */
static int child(void *unused) {
    (void)unused;
    char go, bytes[16] = {0};
    if (read(started[0], &go, 1) != 1) _exit(1);
    send_all(s, "child", 5);
    receive_all(s, bytes, 5);
    int mine = connected(arguments);
    send_all(mine, "other", 5);
    receive_all(mine, bytes + 5, 5);
    _exit(memcmp(bytes, "childother", 10) != 0 || close(s) || close(mine));
}

static pid_t make(const char *how) {
    static char stack[256 << 10] __attribute__((aligned(16)));
    struct clone_args with = {.exit_signal = SIGCHLD};
    if (!strcmp(how, "_Fork")) return _Fork();
    if (!strcmp(how, "fork")) return (pid_t)syscall(SYS_fork);
    if (!strcmp(how, "clone")) return (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_NEWIPC, NULL, NULL, NULL, 0);
    if (!strcmp(how, "clone3")) return (pid_t)syscall(SYS_clone3, &with, sizeof with);
    if (!strcmp(how, "hidden")) {
        long pid;
        __asm__ volatile("syscall" : "=a"(pid) : "a"(SYS_fork) : "rcx", "r11", "memory");
        return (pid_t)pid;
    }
    return clone(child, stack + sizeof stack, SIGCHLD, NULL);
}

/* A child that no library has seen coming. */
static int hidden(void) {
    pid_t pid = make("hidden");
    if (pid == 0) _exit(SHOW(send(s, "x", 1, MSG_NOSIGNAL)) != -1);
    waitpid(pid, NULL, 0);
    return 0;
}

int main(int argc, char **argv) {
    const char *ways[] = {"_Fork", "fork", "clone", "clone3", "function"};
    arguments = argv;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc > 3) {
        s = connected(argv);
        return hidden();
    }
    if (pipe(started)) return 2;
    for (int i = 0; i < 5; i++) {
        s = connected(argv);
        pid_t pid = make(ways[i]);
        if (pid == 0) child(NULL);
        if (pid < 0) { perror(ways[i]); return 2; }
        int status = -1;
        if (close(s) || write(started[1], "x", 1) != 1) return 2;
        waitpid(pid, &status, 0);
        printf("%s: %d\n", ways[i], status);
    }
    /* One that is killed inside leaves nothing locked. */
    for (int i = 0; i < 40; i++) {
        s = connected(argv);
        pid_t pid = make(ways[i % 4]);
        if (pid == 0) for (;;) { char byte; send_all(s, "k", 1); receive_all(s, &byte, 1); }
        sleep_ms(5 + i % 7);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(s);
    }
    s = connected(argv);
    char byte = 0;
    send_all(s, "f", 1);
    receive_all(s, &byte, 1);
    printf("%c\n", byte);
    return 0;
}
