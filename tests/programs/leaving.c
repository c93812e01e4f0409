/* Sends a megabyte and ends at once, in the way that the mode says. Peer: discard. */
#include "common.h"

int main(int argc, char **argv) {
    (void)argc;
    static unsigned char bytes[1 << 20];
    fill_pattern(bytes, sizeof bytes, 0);
    int s = connected(argv);
    send_all(s, bytes, sizeof bytes);
    if (!strcmp(argv[3], "_exit")) _exit(0);
    if (!strcmp(argv[3], "abort")) abort();
    if (!strcmp(argv[3], "kill")) kill(getpid(), SIGKILL);
    if (!strcmp(argv[3], "close")) close(s);
    if (!strcmp(argv[3], "exec")) execlp("true", "true", (char *)NULL);
    return 0;
}
