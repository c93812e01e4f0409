/* Shared by the test programs. Each is called as: PROGRAM PEER_ADDRESS PEER_PORT [MODE], and prints what calls answer: a run on the kernel's
 * stack and a run under libnstk.so must print the same. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Prints a call and its answer, or the name of its error; the answer is the value. */
#define SHOW(call) show(#call, (long)(call))

static inline long show(const char *call, long answer) {
    if (answer < 0) printf("%s: %s\n", call, strerrorname_np(errno));
    else printf("%s: %ld\n", call, answer);
    fflush(stdout);
    return answer;
}

static inline struct sockaddr_in address(const char *host, int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1) exit(2);
    return a;
}

static inline struct sockaddr_in peer_address(char **argv) { return address(argv[1], atoi(argv[2])); }

/* A connection to the peer, or the end of the program. */
static inline int connected(char **argv) {
    struct sockaddr_in peer = peer_address(argv);
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || connect(s, (struct sockaddr *)&peer, sizeof peer)) { perror("connect"); exit(2); }
    return s;
}

/* The stream that all programs and peers send. */
static inline void fill_pattern(unsigned char *bytes, size_t count, size_t from) {
    for (size_t i = 0; i < count; i++) bytes[i] = (unsigned char)((from + i) % 251);
}

static inline int is_pattern(const unsigned char *bytes, size_t count, size_t from) {
    for (size_t i = 0; i < count; i++) if (bytes[i] != (from + i) % 251) return 0;
    return 1;
}

static inline void send_all(int s, const void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t n = send(s, (const char *)bytes + done, count - done, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) { perror("send"); exit(2); }
        done += (size_t)n;
    }
}

static inline void receive_all(int s, void *bytes, size_t count) {
    for (size_t done = 0; done < count;) {
        ssize_t n = recv(s, (char *)bytes + done, count - done, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) { perror("recv"); exit(2); }
        done += (size_t)n;
    }
}

static inline void sleep_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t) && errno == EINTR) {}
}
