/* The environment changes before the program's first internet socket. Peer: echo. Arguments: address, port, mode.
 * clear: it is emptied, and the exchange that follows goes where it said. late: a setting is made. race: in each of 40 children a thread
 * changes it all the time meanwhile. */
#include "common.h"
#include <pthread.h>

static volatile int changing, stop;

static void *change(void *unused) {
    char name[32];
    (void)unused;
    for (int i = 0; !stop; i++) {
        snprintf(name, sizeof name, "NSTK_X%d", i % 64);
        if (i / 64 % 2) unsetenv(name);
        else setenv(name, "a value", 1);
        changing = i > 64;
    }
    return NULL;
}

static void race(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, change, NULL);
    while (!changing) {}
    int s = socket(AF_INET, SOCK_STREAM, 0);
    stop = 1;
    pthread_join(thread, NULL);
    _exit(s < 0);
}

static void exchange(char **argv) {
    char word[6] = "";
    int s = connected(argv);
    send_all(s, "hello", 5);
    receive_all(s, word, 5);
    puts(word);
}

int main(int argc, char **argv) {
    (void)argc;
    if (!strcmp(argv[3], "race")) {
        for (int i = 0; i < 40; i++) {
            int status;
            pid_t child = fork();
            if (child == 0) race();
            waitpid(child, &status, 0);
            if (status) { printf("child %d: status %x\n", i, status); return 1; }
        }
        puts("all well");
        return 0;
    }
    if (!strcmp(argv[3], "clear")) clearenv();
    else setenv("NSTK_IF", "nonsense", 1);
    exchange(argv);
    return 0;
}
