/* Children that become other programs: a connection ends for the peer when the last one that holds it lets go. Peer: echo. */
#include "common.h"

extern char **environ;

/* Becomes a program that stays for a while, one way or another; comes back only if it cannot. */
static void become(int way, const char *program) {
    char *arguments[] = {"sleep", "5", NULL};
    switch (way) {
    case 0: execv(program, arguments); break;
    case 1: execve(program, arguments, environ); break;
    case 2: execvp(program, arguments); break;
    case 3: execl(program, "sleep", "5", (char *)NULL); break;
    case 4: execlp(program, "sleep", "5", (char *)NULL); break;
    case 5: execle(program, "sleep", "5", (char *)NULL, environ); break;
    default: break;
    }
}

int main(int argc, char **argv) {
    (void)argc;
    char byte;
    for (int way = 0; way < 6; way++) {
        int s = connected(argv), watch = connected(argv);
        SHOW(fcntl(s, F_SETFD, FD_CLOEXEC));
        SHOW(fcntl(watch, F_SETFD, FD_CLOEXEC));
        pid_t child = fork();
        if (child == 0) {
            become(way, "/bin/sleep");
            _exit(1);
        }
        sleep_ms(30);
        SHOW(close(s));
        SHOW(shutdown(watch, SHUT_WR));
        SHOW(recv(watch, &byte, 1, 0));
        SHOW(close(watch));
        SHOW(kill(child, SIGKILL));
        waitpid(child, NULL, 0);

        /* After an exec that fails, all is as it was. */
        s = connected(argv);
        SHOW(fcntl(s, F_SETFD, FD_CLOEXEC));
        child = fork();
        if (child == 0) {
            become(way, "/nowhere/at/all");
            SHOW(errno == ENOENT);
            send_all(s, "x", 1);
            receive_all(s, &byte, 1);
            SHOW(byte);
            _exit(0);
        }
        int status;
        int closed = close(s);   /* shown when the child has said what it has to say */
        waitpid(child, &status, 0);
        SHOW(closed);
        SHOW(status);
    }

    /* A child in its parent's memory changes nothing there. */
    int s = connected(argv);
    pid_t child = vfork();
    if (child == 0) {
        close(s);
        dup2(s, 1);
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    SHOW(status);
    send_all(s, "v", 1);
    receive_all(s, &byte, 1);
    SHOW(byte);
    return 0;
}
