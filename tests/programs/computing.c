/* Connects, then computes for a second without a call, while the peer drips; then reads it all. Peer: drip. */
#include "common.h"

int main(int argc, char **argv) {
    (void)argc;
    unsigned char bytes[50];
    int s = connected(argv);
    printf("computing\n");
    fflush(stdout);
    clock_t end = clock() + CLOCKS_PER_SEC;
    while (clock() < end) {}
    receive_all(s, bytes, sizeof bytes);
    SHOW(is_pattern(bytes, sizeof bytes, 0));
    SHOW(recv(s, bytes, 1, 0));
    return 0;
}
