"""What addresses a program sees that goes from one loopback address to another. Prints the same on every right stack."""
import errno, socket

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
