/* What a tap can do on this machine when there is no stack in the way: the upper bound that scripts/bench holds nstk against.
 *
 *   tap_limit serve PORT                                           on the kernel's stack: discards a stream, sends single bytes back
 *   tap_limit stream TAP OWN_ADDRESS PEER_ADDRESS PORT SECONDS     segments of 64 KB, each copied once: prints Mbit/s
 *   tap_limit spin   TAP OWN_ADDRESS PEER_ADDRESS PORT SECONDS     one byte there and back, waiting in a loop: prints transactions/s
 *   tap_limit yield  TAP OWN_ADDRESS PEER_ADDRESS PORT SECONDS     the same, giving the CPU away while it waits
 *
 * Of TCP it knows a handshake, cumulative acknowledgements and the window: enough for a tap, which neither loses nor reorders. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SEGMENT_PAYLOAD = 1460, SEND_BYTES = 44 * SEGMENT_PAYLOAD, BLOCKS = 64, WINDOW_SHIFT = 7, SEGMENTS_A_TURN = 8 };

struct tcp_frame {
    struct virtio_net_hdr device;
    struct ether_header ether;
    struct iphdr ip;
    struct tcphdr tcp;
    uint8_t options[8];
} __attribute__((packed));

struct arp_frame {
    struct virtio_net_hdr device;
    struct ether_header ether;
    struct ether_arp arp;
} __attribute__((packed));

enum phase { RESOLVING, CONNECTING, OPEN };

struct connection {
    int tap;
    enum phase phase;
    struct in_addr own, peer;
    uint16_t own_port, peer_port;
    uint8_t peer_mac[ETH_ALEN];
    uint32_t next, acknowledged, expected;
    uint64_t window;
    unsigned shift;
    uint64_t bytes_acknowledged, bytes_received;
};

static const uint8_t own_mac[ETH_ALEN] = {2, 0, 0, 0, 0, 1};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* RFC 1071, over 16-bit words as they lie in memory; not complemented. */
static uint16_t fold(const void *bytes, size_t count, uint32_t sum) {
    const uint8_t *at = bytes;
    for (size_t i = 0; i + 1 < count; i += 2) sum += (uint32_t)(at[i] | at[i + 1] << 8);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static void put(struct connection *c, void *header, size_t header_bytes, void *payload, size_t bytes) {
    struct iovec parts[] = {{header, header_bytes}, {payload, bytes}};
    if (writev(c->tap, parts, bytes ? 2 : 1) < 0) fail("tap");
}

static void send_arp(struct connection *c, uint16_t operation) {
    struct arp_frame f = {
        .ether = {.ether_type = htons(ETHERTYPE_ARP)},
        .arp = {.ea_hdr = {htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), ETH_ALEN, 4, htons(operation)}},
    };
    memset(f.ether.ether_dhost, 0xff, ETH_ALEN);
    memcpy(f.ether.ether_shost, own_mac, ETH_ALEN);
    memcpy(f.arp.arp_sha, own_mac, ETH_ALEN);
    memcpy(f.arp.arp_spa, &c->own, 4);
    memcpy(f.arp.arp_tha, c->peer_mac, ETH_ALEN);
    memcpy(f.arp.arp_tpa, &c->peer, 4);
    put(c, &f, sizeof f, NULL, 0);
}

/* The payload's checksum, and its division into packets, are left to the device. */
static void send_tcp(struct connection *c, uint32_t sequence, uint8_t flags, void *payload, size_t bytes) {
    int syn = (flags & TH_SYN) != 0;
    size_t tcp_bytes = sizeof(struct tcphdr) + (syn ? 8 : 0);
    struct tcp_frame f = {
        .device = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = sizeof f.ether + sizeof f.ip, .csum_offset = offsetof(struct tcphdr, th_sum)},
        .ether = {.ether_type = htons(ETHERTYPE_IP)},
        .ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .saddr = c->own.s_addr, .daddr = c->peer.s_addr},
        .options = {TCPOPT_MAXSEG, TCPOLEN_MAXSEG, SEGMENT_PAYLOAD >> 8, SEGMENT_PAYLOAD & 0xff, TCPOPT_NOP, TCPOPT_WINDOW, TCPOLEN_WINDOW, WINDOW_SHIFT},
    };
    f.device.hdr_len = (uint16_t)(sizeof f.ether + sizeof f.ip + tcp_bytes);
    if (bytes > SEGMENT_PAYLOAD) f.device.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, f.device.gso_size = SEGMENT_PAYLOAD;
    memcpy(f.ether.ether_dhost, c->peer_mac, ETH_ALEN);
    memcpy(f.ether.ether_shost, own_mac, ETH_ALEN);
    f.ip.tot_len = htons((uint16_t)(sizeof f.ip + tcp_bytes + bytes));
    f.ip.check = (uint16_t)~fold(&f.ip, sizeof f.ip, 0);
    f.tcp.th_sport = htons(c->own_port);
    f.tcp.th_dport = htons(c->peer_port);
    f.tcp.th_seq = htonl(sequence);
    f.tcp.th_ack = htonl(c->expected);
    f.tcp.th_off = (uint8_t)(tcp_bytes / 4) & 15;
    f.tcp.th_flags = flags;
    f.tcp.th_win = htons(65535);
    f.tcp.th_sum = fold(&f.ip.saddr, 8, htons(IPPROTO_TCP) + htons((uint16_t)(tcp_bytes + bytes)));
    put(c, &f, sizeof f - (syn ? 0 : 8), payload, bytes);
}

static void ask_again(struct connection *c) {
    if (c->phase == RESOLVING) send_arp(c, ARPOP_REQUEST);
    if (c->phase == CONNECTING) send_tcp(c, c->next - 1, TH_SYN, NULL, 0);
}

static void on_arp(struct connection *c, const struct arp_frame *f) {
    if (memcmp(f->arp.arp_tpa, &c->own, 4)) return;
    memcpy(c->peer_mac, f->arp.arp_sha, ETH_ALEN);
    if (f->arp.ea_hdr.ar_op == htons(ARPOP_REQUEST)) send_arp(c, ARPOP_REPLY);
    if (c->phase != RESOLVING) return;
    c->phase = CONNECTING;
    c->next++;
    ask_again(c);
}

static unsigned window_shift(const uint8_t *option, const uint8_t *end) {
    while (option < end && *option != TCPOPT_EOL) {
        if (*option == TCPOPT_WINDOW) return option[2];
        option += *option == TCPOPT_NOP ? 1 : option[1];
    }
    return 0;
}

static void on_tcp(struct connection *c, const struct tcp_frame *f) {
    if (f->ip.protocol != IPPROTO_TCP || f->tcp.th_dport != htons(c->own_port)) return;
    if (f->tcp.th_flags & TH_RST) { fprintf(stderr, "tap_limit: reset by the peer\n"); exit(1); }
    if (c->phase == CONNECTING && f->tcp.th_flags & TH_SYN) {
        c->phase = OPEN;
        c->shift = window_shift(f->options, (const uint8_t *)&f->tcp + f->tcp.th_off * 4);
        c->acknowledged = c->next;
        c->expected = ntohl(f->tcp.th_seq) + 1;
        c->window = ntohs(f->tcp.th_win);
        send_tcp(c, c->next, TH_ACK, NULL, 0);
        return;
    }
    int32_t fresh = (int32_t)(ntohl(f->tcp.th_ack) - c->acknowledged);
    if (fresh > 0) c->acknowledged += (uint32_t)fresh, c->bytes_acknowledged += (uint32_t)fresh;
    c->window = (uint64_t)ntohs(f->tcp.th_win) << c->shift;
    uint32_t payload = ntohs(f->ip.tot_len) - (uint32_t)sizeof f->ip - f->tcp.th_off * 4u;
    c->expected += payload;
    c->bytes_received += payload;
}

/* Takes in every frame that has come; tells whether there was one. */
static int receive(struct connection *c) {
    static union { uint8_t bytes[70000]; struct tcp_frame tcp; struct arp_frame arp; } in;
    int any = 0;
    while (read(c->tap, &in, sizeof in) > 0) {
        any = 1;
        if (in.tcp.ether.ether_type == htons(ETHERTYPE_ARP)) on_arp(c, &in.arp);
        if (in.tcp.ether.ether_type == htons(ETHERTYPE_IP)) on_tcp(c, &in.tcp);
    }
    return any;
}

/* Sends what the window allows, a few segments at most; tells whether it was any. */
static int stream(struct connection *c) {
    static uint8_t source[SEND_BYTES], blocks[BLOCKS][SEND_BYTES];
    static unsigned block;
    int sent = 0;
    while (sent < SEGMENTS_A_TURN && (uint64_t)(c->next - c->acknowledged) + SEND_BYTES <= c->window) {
        uint8_t *payload = memcpy(blocks[block++ % BLOCKS], source, SEND_BYTES);
        send_tcp(c, c->next, TH_ACK | TH_PUSH, payload, SEND_BYTES);
        c->next += SEND_BYTES;
        sent++;
    }
    return sent;
}

/* Asks again as soon as the answer is there; tells whether it did. */
static int transact(struct connection *c, uint64_t *asked) {
    if (*asked > c->bytes_received) return 0;
    ++*asked;
    send_tcp(c, c->next++, TH_ACK | TH_PUSH, "x", 1);
    return 1;
}

static void serve(uint16_t port) {
    static char buffer[1 << 18];
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) || listen(listener, 8)) fail("serve");
    for (;;) {
        int s = accept(listener, NULL, NULL);
        setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        for (ssize_t n; (n = recv(s, buffer, sizeof buffer, 0)) > 0;)
            if (n == 1) send(s, buffer, 1, MSG_NOSIGNAL);
        close(s);
    }
}

static int open_tap(const char *name) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) || ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)) fail(name);
    return tap;
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "serve")) serve((uint16_t)atoi(argv[2]));
    if (argc != 7) { fprintf(stderr, "tap_limit: see the head of its source\n"); return 2; }
    int streaming = !strcmp(argv[1], "stream"), yielding = !strcmp(argv[1], "yield");
    struct connection c = {.tap = open_tap(argv[2]), .own_port = (uint16_t)(20000 + getpid() % 30000), .peer_port = (uint16_t)atoi(argv[5])};
    inet_aton(argv[3], &c.own);
    inet_aton(argv[4], &c.peer);
    double span = atof(argv[6]), asked_at = 0, start = 0, give_up = seconds() + 5;
    uint64_t asked = 0;
    for (;;) {
        int progress = receive(&c);
        double now = seconds();
        if (c.phase != OPEN) {
            if (now > give_up) { fprintf(stderr, "tap_limit: no connection\n"); return 1; }
            if (now > asked_at + 0.1) asked_at = now, ask_again(&c);   /* a tap comes up a little after it is opened */
            continue;
        }
        if (start == 0) start = now;
        if (now > start + span) break;
        progress |= streaming ? stream(&c) : transact(&c, &asked);
        if (!progress && streaming) poll(&(struct pollfd){c.tap, POLLIN, 0}, 1, 10);
        if (!progress && yielding) sched_yield();
    }
    double took = seconds() - start;
    send_tcp(&c, c.next, TH_RST, NULL, 0);
    printf("%.2f\n", streaming ? (double)c.bytes_acknowledged * 8 / took / 1e6 : (double)c.bytes_received / took);
    return 0;
}
