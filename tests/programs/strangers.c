/* Children made behind libc's back are killed while they use the connection; the parent's goes on. Peer: echo. */
#include "common.h"
#include <sched.h>
#include <sys/syscall.h>

static void use(int s) { for (;;) { char byte; if (send(s, "x", 1, MSG_NOSIGNAL) == 1) recv(s, &byte, 1, MSG_DONTWAIT); } }

static pid_t raw_clone(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL); }

int main(int argc, char **argv) {
    (void)argc;
    char bytes[8];
    int s = connected(argv), status;
    for (int i = 0; i < 20; i++) {
        pid_t child = i % 2 ? raw_clone() : _Fork();
        if (child == 0) use(connected(argv));
        sleep_ms(5);
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        child = vfork();
        if (child == 0) { send(s, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL); _exit(0); }
        waitpid(child, &status, 0);
    }
    int fresh = connected(argv);
    send_all(fresh, "goes on", 7);
    receive_all(fresh, bytes, 7);
    printf("%.7s\n", bytes);
    return 0;
}
