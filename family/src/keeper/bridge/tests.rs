use stack::Endpoint;
use sys::OwnedFd;

use super::*;
use crate::clock;
use crate::records::Member;
use crate::testing::{PORT, connect, open, settle, two_families};

/// Two families with a connection: of the client's a keeper copies to and from `program`.
struct Bridged {
    client: Family,
    server: Family,
    accepted: FileId,
    bridge: Bridge,
    program: Option<OwnedFd>,
}

impl Bridged {
    fn new() -> Self {
        let (client, server) = two_families();
        let (_, listener) = open(&server, stack::SockKind::Stream);
        let listening = server.enter(|state, now| {
            let any = Endpoint::new(stack::Addr::v4([0, 0, 0, 0]), PORT);
            let bound = state.stack.bind(now, listener, any);
            bound.and_then(|()| state.stack.listen(now, listener, 8))
        });
        assert_eq!(listening, Ok(Ok(())));
        let (file, _) = connect(&client);
        settle(&client, &server);
        let member: Member = server.member();
        let accepted = server.enter(|state, now| {
            let sock = state.stack.accept(now, listener).expect("it has come");
            let file = state.files.open(sock, member, 0).expect("there is room");
            state.stack.set_tag(sock, file.to_bits());
            file
        });
        let (program, end) = sys::socketpair().expect("there are descriptors");
        Self {
            client,
            server,
            accepted: accepted.expect("it lives"),
            bridge: Bridge::new(file, end),
            program: Some(program),
        }
    }

    /// The keeper's looks, until nothing happens any more.
    fn copy(&mut self) -> Copied {
        loop {
            let mut fds = [self.bridge.poll_fd()];
            sys::ppoll(&mut fds, Some(Duration::ZERO), None).expect("poll");
            self.bridge.note_ready(clock::now(), fds[0].revents);
            let copied = self.bridge.copy(&self.client, clock::now(), None);
            settle(&self.client, &self.server);
            if copied != Copied::Some {
                return copied;
            }
        }
    }

    fn program(&self) -> i32 {
        self.program.as_ref().expect("it is open").as_raw()
    }

    /// What the program reads at once.
    fn program_reads(&self, most: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; most];
        let got = sys::receive(self.program(), &mut bytes)?;
        bytes.truncate(got);
        Ok(bytes)
    }

    fn peer_sends(&self, bytes: &[u8]) -> usize {
        let sent = on_socket(&self.server, self.accepted, None, |state, now, sock| {
            let span = state.stack.send_reserve(sock, bytes.len())?;
            let len = state.stack.fill(&span, bytes);
            state
                .stack
                .send_commit(now, sock, span, len, SendFlags::empty())
        });
        settle(&self.client, &self.server);
        sent.unwrap_or(0)
    }

    fn peer_reads(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; 1 << 20];
        on_socket(&self.server, self.accepted, None, |state, now, sock| {
            let span = state
                .stack
                .recv_reserve(sock, bytes.len(), RecvFlags::empty(), 0)?;
            let len = state.stack.take(&span, &mut bytes);
            bytes.truncate(len);
            state.stack.recv_commit(now, sock, span, len)
        })?;
        settle(&self.client, &self.server);
        Ok(bytes)
    }

    fn peer_ends(&self) {
        let ended = on_socket(&self.server, self.accepted, None, |state, now, sock| {
            state.stack.shutdown(now, sock, Shutdown::Write)
        });
        assert_eq!(ended, Ok(()));
        settle(&self.client, &self.server);
    }
}

#[test]
fn bytes_go_both_ways_and_each_way_has_its_end() {
    let mut bridged = Bridged::new();
    assert_eq!(bridged.peer_sends(b"to the program"), 14);
    assert_eq!(bridged.copy(), Copied::All);
    assert_eq!(bridged.program_reads(99), Ok(b"to the program".into()));
    sys::send(bridged.program(), b"to the peer").expect("there is room");
    assert_eq!(bridged.copy(), Copied::All);
    assert_eq!(bridged.peer_reads(), Ok(b"to the peer".into()));
    bridged.peer_ends();
    assert_eq!(bridged.copy(), Copied::All);
    assert_eq!(bridged.program_reads(99), Ok(vec![]));
    sys::send(bridged.program(), b"the other way").expect("it is open");
    assert_eq!(bridged.copy(), Copied::All);
    assert_eq!(bridged.peer_reads(), Ok(b"the other way".into()));
    sys::shutdown(bridged.program(), libc::SHUT_WR).expect("it is open");
    assert_eq!(bridged.copy(), Copied::Over);
    assert_eq!(bridged.peer_reads(), Ok(vec![]));
}

#[test]
fn a_program_that_ends_its_way_first_still_reads() {
    let mut bridged = Bridged::new();
    sys::send(bridged.program(), b"all").expect("there is room");
    sys::shutdown(bridged.program(), libc::SHUT_WR).expect("it is open");
    assert_eq!(bridged.copy(), Copied::All);
    assert_eq!(bridged.peer_reads(), Ok(b"all".into()));
    assert_eq!(bridged.peer_reads(), Ok(vec![]));
    bridged.peer_sends(b"later");
    assert_eq!(bridged.copy(), Copied::All);
    assert_eq!(bridged.program_reads(99), Ok(b"later".into()));
    bridged.program = None;
    assert_eq!(bridged.copy(), Copied::Over);
}

#[test]
fn a_program_that_does_not_read_is_waited_for() {
    let mut bridged = Bridged::new();
    let chunk: Vec<u8> = (0..40_000).map(|at| (at % 251) as u8).collect();
    let mut sent = 0;
    loop {
        let more = bridged.peer_sends(&chunk[sent % chunk.len()..]);
        sent += more;
        bridged.copy();
        if more == 0 {
            break;
        }
    }
    let is_waited_for = |bridge: &Bridge| bridge.poll_fd().events & POLLOUT != 0;
    assert!(is_waited_for(&bridged.bridge));
    bridged.peer_ends();
    let mut got = 0;
    loop {
        match bridged.program_reads(30_000) {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => {
                let right = bytes
                    .iter()
                    .enumerate()
                    .all(|(at, byte)| *byte == chunk[(got + at) % chunk.len()]);
                assert!(right, "at {got}");
                got += bytes.len();
            }
            Err(_) => drop(bridged.copy()),
        }
    }
    assert_eq!(got, sent);
    assert!(!is_waited_for(&bridged.bridge));
}

#[test]
fn the_last_bytes_of_a_program_wait_for_room_and_not_for_ever() {
    let mut bridged = Bridged::new();
    let chunk = [7; 40_000];
    let mut sent = 0;
    while let Ok(more) = sys::send(bridged.program(), &chunk) {
        sent += more;
        bridged.copy();
    }
    bridged.program = None;
    assert_eq!(bridged.copy(), Copied::All);
    // Nobody looks at the end until the stack has room.
    assert!(bridged.bridge.poll_fd().fd < 0);
    let until = bridged.bridge.until().expect("it does not wait for ever");
    assert_eq!(
        bridged.bridge.copy(&bridged.client, until, None),
        Copied::Over
    );
    let mut got = 0;
    while got < sent {
        match bridged.peer_reads() {
            Ok(bytes) => got += bytes.len(),
            Err(_) => drop(bridged.copy()),
        }
    }
    assert_eq!(bridged.copy(), Copied::Over);
    assert_eq!(bridged.peer_reads(), Ok(vec![]));
}

#[test]
fn a_reset_ends_both_ways_for_the_program() {
    let mut bridged = Bridged::new();
    bridged.peer_sends(b"lost");
    sys::send(bridged.program(), b"unread").expect("there is room");
    bridged.copy();
    let (server, accepted) = (&bridged.server, bridged.accepted);
    let member = server.member();
    // Unread bytes make it a reset.
    let closed = server.enter(|state, now| state.release(now, accepted, member));
    assert_eq!(closed, Ok(true));
    settle(&bridged.client, &bridged.server);
    bridged.copy();
    assert_eq!(bridged.copy(), Copied::Over);
    assert_eq!(bridged.program_reads(99), Ok(b"lost".into()));
    assert_eq!(bridged.program_reads(99), Ok(vec![]));
    assert_eq!(sys::send(bridged.program(), b"x"), Err(Errno(libc::EPIPE)));
}

#[test]
fn a_program_that_closes_with_bytes_unread_ends_the_connection() {
    let mut bridged = Bridged::new();
    bridged.peer_sends(b"unread");
    bridged.copy();
    bridged.program = None;
    assert_eq!(bridged.copy(), Copied::Over);
}
