"""What a program sees that talks to itself by its own address ME (and ME6). Prints the same on every right stack."""
import errno, os, select, socket, struct, threading

def name(error):
    return errno.errorcode.get(error, "ok")

def attempt(what, call):
    try:
        print(what, call())
    except OSError as error:
        print(what, errno.errorcode.get(error.errno, error))

def tcp(family, me, bound):
    tag = f"{family.name} {'own' if bound == me else 'wildcard'}:"
    listener = socket.socket(family)
    listener.bind((bound, 0))
    listener.listen(5)
    listener.setblocking(False)
    attempt(f"{tag} accept of nobody", listener.accept)
    port = listener.getsockname()[1]
    client = socket.socket(family)
    client.settimeout(5)
    client.connect((me, port))
    server, peer = listener.accept()
    server.setblocking(False)
    print(tag, "names", client.getsockname() == peer, client.getpeername()[:2] == (me, port), server.getsockname()[:2] == (me, port), peer[0] == me)
    attempt(f"{tag} nothing yet", lambda: server.recv(10))
    client.sendall(b"question")
    print(tag, "at once", server.recv(100))
    server.sendall(b"answer")
    print(tag, "answer", client.recv(100))
    client.shutdown(socket.SHUT_WR)
    print(tag, "end", server.recv(1))
    server.close()
    print(tag, "end", client.recv(1))
    client.close()
    listener.close()
    late = socket.socket(family)
    late.settimeout(5)
    print(tag, "closed port", name(late.connect_ex((me, port))))

def nonblocking(me):
    listener = socket.create_server((me, 0))
    client = socket.socket()
    client.setblocking(False)
    result = client.connect_ex(listener.getsockname())
    print("nonblocking connect", name(result) in ("ok", "EINPROGRESS"), select.select([], [client], [], 5)[1] == [client], client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    print("epoll", poll.poll(5) == [(listener.fileno(), select.EPOLLIN)])
    server, _ = listener.accept()
    poll.register(server, select.EPOLLIN | select.EPOLLRDHUP)
    print("quiet", poll.poll(0))
    client.send(b"x")
    print("readable", poll.poll(5) == [(server.fileno(), select.EPOLLIN)])
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    print("reset", poll.poll(5) == [(server.fileno(), select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLERR | select.EPOLLHUP)])
    attempt("reset recv", lambda: server.recv(1))

def refused(family, me):
    probe = socket.socket(family)
    probe.bind((me, 0))
    client = socket.socket(family)
    client.setblocking(False)
    print("refused", name(client.connect_ex(probe.getsockname())) in ("EINPROGRESS", "ECONNREFUSED"))
    select.select([], [client], [], 5)
    print("refused", name(client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))

def itself(family, me):
    sock = socket.socket(family)
    sock.bind((me, 0))
    sock.settimeout(5)
    sock.connect(sock.getsockname())
    sock.sendall(b"to myself")
    print("itself", sock.getsockname() == sock.getpeername(), sock.recv(100))
    sock.shutdown(socket.SHUT_WR)
    print("itself end", sock.recv(1))
    sock.close()

def udp(family, me):
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((me, 0))
    server.setblocking(False)
    client = socket.socket(family, socket.SOCK_DGRAM)
    for size in (0, 1, 1472, 1473, 4096, 9000, 65507 if family == socket.AF_INET else 65527):
        payload = os.urandom(size)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        sent = client.sendto(payload, server.getsockname())
        got, peer = server.recvfrom(70000)
        print(family.name, "datagram", size, sent, got == payload, peer[0] == me and peer[1] == client.getsockname()[1])
    attempt("too long", lambda: client.sendto(bytes(65528), server.getsockname()))
    attempt("empty", lambda: server.recv(10))
    print("itself", server.sendto(b"me", server.getsockname()), server.recvfrom(10) == (b"me", server.getsockname()))
    for i in range(40):
        client.sendto(b"%d" % i, server.getsockname())
    print("in order", [int(server.recv(10)) for _ in range(40)] == list(range(40)))
    port = server.getsockname()
    client.connect(port)
    print("connected", client.getsockname()[0] == me)
    server.close()
    client.setblocking(False)
    print("to nobody", client.send(b"x"))
    attempt("to nobody", lambda: client.send(b"x"))
    attempt("to nobody", lambda: client.recv(1))
    attempt("to nobody", lambda: client.recv(1))

def stream(family, me, size):
    listener = socket.socket(family)
    listener.bind((me, 0))
    listener.listen()
    data = os.urandom(1 << 20)
    got = []
    def serve():
        sock, _ = listener.accept()
        total = 0
        while part := sock.recv(1 << 18):
            start = total % len(data)
            want = (data + data)[start : start + len(part)]
            if part != want:
                got.append("broken")
            total += len(part)
        got.append(total)
        sock.close()
    thread = threading.Thread(target=serve)
    thread.start()
    client = socket.socket(family)
    client.connect(listener.getsockname())
    for _ in range(size >> 20):
        client.sendall(data)
    client.shutdown(socket.SHUT_WR)
    thread.join(60)
    print(family.name, "stream", got, client.recv(1))

def one_thread(me):
    """A single thread fills a connection to itself until neither end can go on, then drains it."""
    listener = socket.create_server((me, 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    client.setblocking(False)
    server.setblocking(False)
    sent = 0
    while True:
        try:
            sent += client.send(bytes(100000))
        except BlockingIOError:
            break
    received = 0
    while received < sent:
        try:
            received += len(server.recv(1 << 20))
        except BlockingIOError:
            select.select([server], [], [], 5)
    print("filled", sent > 100000, sent == received, select.select([], [client], [], 5)[1] == [client])

def backlog(me):
    """Clients wait in the accept queue of a listener in the same thread."""
    listener = socket.create_server((me, 0), backlog=2)
    clients = []
    for _ in range(2):
        clients.append(socket.create_connection(listener.getsockname(), 5))
    for client in clients:
        server, _ = listener.accept()
        server.sendall(b"hi")
        print("queued", client.recv(10))

def fork(me):
    listener = socket.create_server((me, 0))
    if os.fork() == 0:
        sock = socket.create_connection(listener.getsockname(), 5)
        sock.sendall(b"child")
        sock.recv(10)
        os._exit(0)
    server, _ = listener.accept()
    print("child", server.recv(10))
    server.sendall(b"x")
    print("child", os.wait()[1])

me, me6 = os.environ["ME"], os.environ["ME6"]
for family, own, anywhere in ((socket.AF_INET, me, "0.0.0.0"), (socket.AF_INET6, me6, "::")):
    tcp(family, own, own)
    tcp(family, own, anywhere)
    refused(family, own)
    itself(family, own)
    udp(family, own)
    stream(family, own, 32 << 20)
nonblocking(me)
one_thread(me)
backlog(me)
fork(me)
