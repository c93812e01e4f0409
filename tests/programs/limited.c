/* A program that limits its address space when it has its connection, as vsftpd does. Peer: echo. */
#include "common.h"
#include <sys/resource.h>
#include <sys/syscall.h>

/* Address space of this process, in MB. */
static long address_space(void) {
    long pages = -1;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%ld", &pages) != 1) exit(2);
    fclose(statm);
    return pages * 4096 / 1000000;
}

static void talk(int s, size_t count) {
    static unsigned char out[65536], in[sizeof out];
    for (size_t done = 0; done < count; done += sizeof out) {
        fill_pattern(out, sizeof out, done);
        send_all(s, out, sizeof out);
        receive_all(s, in, sizeof in);
        if (memcmp(out, in, sizeof in)) exit(2);
    }
}

/* argv[3]: by which call the limit is set. */
int main(int argc, char **argv) {
    (void)argc;
    struct rlimit limit = {200000000, 200000000};
    int s = connected(argv);
    talk(s, 65536);
    printf("little is mapped: %d\n", address_space() < 64);
    if (!strcmp(argv[3], "setrlimit")) SHOW(setrlimit(RLIMIT_AS, &limit));
    else if (!strcmp(argv[3], "prlimit")) SHOW(prlimit(getpid(), RLIMIT_AS, &limit, NULL));
    else SHOW(syscall(SYS_prlimit64, 0, RLIMIT_AS, &limit, NULL));

    /* The program has as much as the stack may take, and new children have what they need. */
    size_t size = 40 << 20;
    char *much = malloc(size);
    printf("memory: %d\n", much != NULL);
    if (much) memset(much, 1, size);
    pid_t child = fork();
    if (child == 0) {
        talk(s, 1 << 20);
        int another = connected(argv);
        talk(another, 1 << 20);
        _exit(close(another));
    }
    int status = -1;
    SHOW(waitpid(child, &status, 0) == child);
    SHOW(status);
    talk(s, 4 << 20);
    SHOW(close(s));
    return 0;
}
