/* stdio on sockets, and libc's other names of calls. It talks to itself by 127.0.0.1. Called as: PROGRAM [service] */
#include "common.h"

extern ssize_t __write(int, const void *, size_t), __read(int, void *, size_t), __send(int, const void *, size_t, int);
extern int __close(int), __dup2(int, int), __poll(struct pollfd *, nfds_t, int), __connect(int, const struct sockaddr *, socklen_t);

static char line[1000];

/* Both ends of a connection. */
static void connection(int ends[2]) {
    struct sockaddr_in here = address("127.0.0.1", 0);
    socklen_t len = sizeof here;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&here, len) || listen(listener, 5)) exit(2);
    if (getsockname(listener, (struct sockaddr *)&here, &len)) exit(2);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (__connect(ends[0], (struct sockaddr *)&here, len)) exit(2);
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
}

static void say(const char *what, FILE *from) {
    printf("%s: %s", what, fgets(line, sizeof line, from) ? line : "nothing\n");
    fflush(stdout);
}

static void streams(void) {
    int ends[2];
    connection(ends);
    FILE *out = fdopen(ends[0], "w"), *in = fdopen(ends[1], "r+");
    printf("numbers %d %d\n", fileno(out) == ends[0], fileno_unlocked(in) == ends[1]);
    SHOW(fprintf(out, "hello %d\n", 7));
    SHOW(fflush(out));
    say("fgets", in);
    SHOW(fprintf(in, "back\n"));
    SHOW(fflush(in));
    SHOW(__read(ends[0], line, 5));
    SHOW(dprintf(ends[0], "%d %s %.1f %d %d %d %d\n", 1, "two", 3.5, 4, 5, 6, 7));
    say("dprintf", in);
    SHOW(fseek(in, 0, SEEK_CUR));
    SHOW(ftell(in));
    SHOW(__write(ends[0], "write\n", 6));
    say("__write", in);
    SHOW(__send(ends[0], "send\n", 5, 0));
    say("__send", in);
    struct pollfd ready = {ends[0], POLLOUT, 0};
    SHOW(__poll(&ready, 1, 0));
    SHOW(__dup2(ends[0], 50) == 50);
    SHOW(__write(50, "copy\n", 5));
    say("__dup2", in);
    SHOW(__close(50));
    size_t size = 3 << 20, got = 0, part;
    char *data = calloc(1, size);
    if (fork() == 0) {
        size_t written = fwrite(data, 1, size, out);
        fclose(out);
        _exit(written == size ? 0 : 1);
    }
    fclose(out);
    while ((part = fread(line, 1, sizeof line, in)) > 0) got += part;
    int status;
    wait(&status);
    printf("%zu bytes, end %d, error %d, child %d\n", got, !!feof(in), !!ferror(in), status);
    SHOW(fclose(in));
    SHOW(fcntl(ends[1], F_GETFD));
    SHOW(fdopen(ends[1], "r") ? 0 : -1);
}

static void to_a_closed_peer(void) {
    int ends[2];
    connection(ends);
    signal(SIGPIPE, SIG_IGN);
    FILE *out = fdopen(ends[0], "w");
    struct linger now = {1, 0};
    setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(ends[1]);
    SHOW(fputs("lost", out));
    SHOW(fflush(out));
    printf("error %d\n", !!ferror(out));
    fclose(out);
}

static void standard_output(void) {
    int ends[2], saved = dup(1);
    connection(ends);
    fflush(stdout);
    printf("not flushed before, ");
    dup2(ends[0], 1);
    close(ends[0]);
    printf("printf %d\n", 5);
    puts("puts");
    putchar('c');
    fprintf(stdout, " fprintf\n");
    fflush(stdout);
    dup2(saved, 1);
    puts("back");
    fflush(stdout);
    FILE *in = fdopen(ends[1], "r");
    while (fgets(line, sizeof line, in)) {
        printf("by the socket: %s", line);
        fflush(stdout);
    }
    fclose(in);
}

/* As inetd starts them: a service's standard input and output are the connection. */
static void service(char *program, int is_exec) {
    int ends[2];
    connection(ends);
    if (fork() == 0) {
        dup2(ends[0], 0);
        dup2(ends[0], 1);
        close(ends[0]);
        close(ends[1]);
        if (is_exec) execl(program, program, "service", (char *)NULL);
        printf("served: %s", fgets(line, sizeof line, stdin));
        exit(0);
    }
    close(ends[0]);
    dprintf(ends[1], "request\n");
    FILE *in = fdopen(ends[1], "r");
    say("service", in);
    say("service", in);
    fclose(in);
    wait(NULL);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        printf("another program served: %s", fgets(line, sizeof line, stdin));
        return 0;
    }
    streams();
    to_a_closed_peer();
    standard_output();
    service(argv[0], 0);
    service(argv[0], 1);
    return 0;
}
