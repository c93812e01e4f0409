"""What addresses a program sees that goes from one loopback address to another. Prints the same on every right stack."""
import errno, socket, struct

def show(*what, call):
    try:
        print(*what, call())
    except OSError as error:
        print(*what, errno.errorcode.get(error.errno, error))

def connect(family, kind, bound, to):
    sock = socket.socket(family, kind)
    if bound:
        sock.bind((bound, 0))
    sock.setblocking(False)
    # Nobody listens there.
    result = sock.connect_ex((to, 9))
    peer = sock.getpeername() if kind == socket.SOCK_DGRAM else None
    return result in (0, errno.EINPROGRESS, errno.ECONNREFUSED), sock.getsockname()[0], peer

def send(family, bound, to):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if bound:
        sock.bind((bound, 0))
    return sock.sendto(b"x", (to, 9)), sock.getsockname()[0]

def mapped(bound, to):
    listener = socket.create_server(("127.0.0.1", 0))
    sock = socket.socket(socket.AF_INET6)
    if bound:
        sock.bind((bound, 0))
    sock.connect((to, listener.getsockname()[1]))
    server, peer = listener.accept()
    return sock.getsockname()[0], sock.getpeername()[0], peer[0], server.getsockname()[0]

def dual(to):
    listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    client = socket.create_connection((to, listener.getsockname()[1]), 5)
    server, peer = listener.accept()
    return peer[0], server.getsockname()[0], client.getpeername()[0]

inet = [(None, "127.0.0.1"), (None, "127.0.0.3"), ("127.0.0.2", "127.0.0.1"), ("127.9.8.7", "127.0.0.0"), (None, "0.0.0.0"), ("127.0.0.2", "0.0.0.0")]
for family, pairs in ((socket.AF_INET, inet), (socket.AF_INET6, [(None, "::1"), ("::1", "::1"), (None, "::")])):
    for bound, to in pairs:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            show(kind.name, bound, to, call=lambda: connect(family, kind, bound, to))
        show("sendto", bound, to, call=lambda: send(family, bound, to))
for bound, to in ((None, "::ffff:127.0.0.1"), (None, "::ffff:0.0.0.0"), ("::ffff:127.0.0.1", "::"), ("::ffff:127.0.0.2", "::ffff:127.0.0.1")):
    show("mapped", bound, to, call=lambda: mapped(bound, to))
for to in ("127.0.0.1", "::1"):
    show("dual", to, call=lambda: dual(to))

IP_PKTINFO, IP_RECVTOS, IP_RECVTTL = 8, 13, 12

def said(sock):
    """The control data of a datagram, without interfaces' numbers."""
    data, control, flags, sender = sock.recvmsg(10, 200)
    return data, [(level, kind, part[4:] if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO) else part) for level, kind, part in control], flags

def control_data(family, own, level, wanted, sent):
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    receiver.bind(("" if family == socket.AF_INET else "::", 0))
    sender = socket.socket(family, socket.SOCK_DGRAM)
    to = (own, receiver.getsockname()[1])
    sender.sendto(b"silent", to)
    print(family.name, said(receiver))
    for option in wanted:
        print(option, receiver.getsockopt(level, option))
        receiver.setsockopt(level, option, 1)
        print(option, receiver.getsockopt(level, option))
    sender.sendto(b"plain", to)
    print(said(receiver))
    for kind, part in sent:
        show("sent", kind, call=lambda: sender.sendmsg([b"more"], [(level, kind, part)], 0, to))
        receiver.settimeout(0.2)
        show("came", call=lambda: said(receiver))
    sender.sendto(b"short", to)
    print(receiver.recvmsg(10, 20)[1:3])

number = lambda value: struct.pack("i", value)
control_data(socket.AF_INET, "127.0.0.3", socket.IPPROTO_IP, [IP_PKTINFO, IP_RECVTTL, IP_RECVTOS], [
    (socket.IP_TTL, number(9)), (socket.IP_TTL, number(0)), (socket.IP_TOS, number(8)), (99, number(1)),
    (IP_PKTINFO, number(0) + socket.inet_aton("127.0.0.7") + bytes(4)), (IP_PKTINFO, number(0) + socket.inet_aton("192.0.2.1") + bytes(4)),
])
control_data(socket.AF_INET6, "::1", socket.IPPROTO_IPV6, [socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS], [
    (socket.IPV6_HOPLIMIT, number(9)), (socket.IPV6_HOPLIMIT, number(256)), (socket.IPV6_HOPLIMIT, number(-1)), (socket.IPV6_TCLASS, number(8)), (99, number(1)),
    (socket.IPV6_PKTINFO, socket.inet_pton(socket.AF_INET6, "::1") + number(0)),
])
