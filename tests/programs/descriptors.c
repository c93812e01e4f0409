/* Descriptor numbers, duplicates and flags. Peer: echo. */
#include "common.h"
#include <sys/ioctl.h>
#include <sys/stat.h>

static int pending(int s) {
    int n = -1;
    return ioctl(s, FIONREAD, &n) ? -1 : n;
}

static int set_nonblocking(int s, int on) { return ioctl(s, FIONBIO, &on); }

static int is_socket(int s) {
    struct stat st;
    return fstat(s, &st) ? -1 : S_ISSOCK(st.st_mode);
}

int main(int argc, char **argv) {
    (void)argc;
    char bytes[16];
    int s = connected(argv);
    SHOW(s);
    SHOW(is_socket(s));
    SHOW(isatty(s));
    SHOW(fcntl(s, F_GETFD));
    SHOW(fcntl(s, F_GETFL));
    int copy = SHOW(dup(s)), high = SHOW(fcntl(s, F_DUPFD_CLOEXEC, 100));
    SHOW(fcntl(high, F_GETFD));
    SHOW(fcntl(copy, F_SETFL, O_RDWR | O_NONBLOCK));
    SHOW(fcntl(s, F_GETFL));
    SHOW(recv(s, bytes, 1, 0));
    SHOW(set_nonblocking(high, 0));
    SHOW(fcntl(copy, F_GETFL));
    SHOW(close(s));
    SHOW(recv(s, bytes, 1, 0));
    send_all(copy, "hello", 5);
    SHOW(recv(high, bytes, 1, MSG_PEEK));
    SHOW(recv(high, bytes, 5, MSG_WAITALL));
    SHOW(pending(high));
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(dup2(copy, 50));
    SHOW(dup2(copy, copy));
    SHOW(dup3(copy, copy, 0));
    SHOW(dup3(copy, 51, O_CLOEXEC));
    SHOW(fcntl(51, F_GETFD));
    SHOW(close(copy));
    SHOW(dup2(50, 3));
    send_all(3, "again", 5);
    SHOW(recv(51, bytes, 5, MSG_WAITALL));
    int null = open("/dev/null", O_WRONLY);
    SHOW(dup2(null, 50));
    SHOW(write(50, "to nowhere", 10));
    SHOW(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    SHOW(fcntl(null + 1, F_GETFD));
    SHOW(fcntl(null + 1, F_GETFL));
    SHOW(close(null + 1));
    SHOW(shutdown(3, SHUT_RDWR));
    SHOW(recv(51, bytes, 1, 0));
    return 0;
}
