/* PROGRAM CALL COUNT: makes a call many times on descriptors that are no internet sockets. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char byte = 0;
    int pair[2], null = open("/dev/null", O_RDWR);
    long count = argc > 2 ? atol(argv[2]) : 0;
    if (null < 0 || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair)) return 2;
    if (!strcmp(argv[1], "read")) while (count-- > 0) if (read(null, &byte, 1)) return 1;
    if (!strcmp(argv[1], "write")) while (count-- > 0) if (write(null, &byte, 1) != 1) return 1;
    if (!strcmp(argv[1], "send")) while (count-- > 0) send(pair[0], &byte, 0, 0);
    if (!strcmp(argv[1], "recv")) while (count-- > 0) recv(pair[0], &byte, 1, 0);
    return 0;
}
