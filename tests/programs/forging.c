/* PROGRAM NAME: makes a ticket for a socket of somebody's, as its name in /proc/net/unix shows it, and passes it to who listens behind the abstract
 * NAME. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t named(struct sockaddr_un *address, const char *name) {
    address->sun_family = AF_UNIX;
    strncpy(address->sun_path + 1, name, sizeof address->sun_path - 2);
    return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
}

int main(int argc, char **argv) {
    struct sockaddr_un address = {0}, victim = {0};
    char line[512], *name = NULL;
    FILE *sockets = fopen("/proc/net/unix", "r");
    int pair[2], carrier = socket(AF_UNIX, SOCK_STREAM, 0);
    if (argc != 2 || !sockets || carrier < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 2;
    while (!name && fgets(line, sizeof line, sockets)) name = strstr(line, "@nstk-ticket.");
    if (!name) return 3;
    name[strcspn(name, "\n")] = 0;
    char *last = name + strlen(name) - 1;
    *last = *last == '0' ? '1' : '0';
    if (bind(pair[0], (struct sockaddr *)&address, named(&address, name + 1))) return 4;
    if (connect(carrier, (struct sockaddr *)&victim, named(&victim, argv[1]))) return 5;
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &pair[0], sizeof(int));
    if (sendmsg(carrier, &message, 0) != 1) return 6;
    /* Only the victim has its ends of the pair from now on, and this one. */
    close(pair[0]);
    return read(carrier, &byte, 1) < 0;
}
