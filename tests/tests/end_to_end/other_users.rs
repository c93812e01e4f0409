//! What other users of the machine can do to a program under libnstk.so: nothing. These tests change users, so they need root.

use std::path::Path;
use std::process::{Command, Stdio};

use nstk_tests::{
    CProgram, Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Peer, Running, Scratch, eventually,
    nstk_command,
};

use crate::PEER;

/// Users without rights.
const NOBODY: &str = "65534";
const STRANGER: &str = "65533";

const KEEPER: &str = "nstk-keeper";

/// Lets a command run its program as another user: `setpriv`, then the program.
fn by(mut setpriv: Command, user: &str, program: impl AsRef<Path>) -> Command {
    setpriv.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    setpriv.arg(program.as_ref());
    setpriv
}

/// Somebody who has taken all names that a program of `victim` could look for.
struct Squatter {
    running: Option<Running>,
    // The executable goes with it.
    _program: CProgram,
}

impl Squatter {
    fn start(lab: &Lab, user: &str, victim: &str, device: &str) -> Self {
        let program = CProgram::compile("squatting");
        let mut command = by(lab.kernel("setpriv"), user, program.path());
        command.args([victim, device]).stdin(Stdio::piped());
        let running = Running::start(&mut command);
        running.has_said("ready");
        Self {
            running: Some(running),
            _program: program,
        }
    }

    /// What it says in the end: how many came to it.
    fn finish(mut self) -> String {
        let running = self.running.take().expect("it is there until now");
        running.finish().success()
    }
}

impl Drop for Squatter {
    fn drop(&mut self) {
        // Not killed: it removes what it has made.
        if let Some(running) = self.running.take() {
            let _ = running.finish();
        }
    }
}

#[test]
fn names_taken_by_another_user_keep_no_program_from_its_tap_nor_from_its_keeper() {
    let lab = Lab::new();
    let squatter = Squatter::start(&lab, NOBODY, "0", "tap:nstk0");
    let peer = Peer::start(&lab, PEER, "discard");
    let program = CProgram::compile("leaving");
    let mut keepers = Vec::new();
    for _ in 0..3 {
        let mut command = lab.nstk(program.path());
        command.args([PEER_ADDRESS, &peer.port.to_string(), "exit"]);
        let outcome = Outcome::of(command.env("NSTK_FAIL", "exit"));
        assert_eq!(outcome.stderr, "");
        assert_eq!(peer.next_line(), "1048576 intact fin");
        keepers.extend(lab.processes(KEEPER));
    }
    keepers.dedup();
    assert_eq!(keepers.len(), 1, "all met the same keeper");
    assert_eq!(squatter.finish(), "ready\n0 came\n");
}

/// Two programs of `user` meet on a link whose names `squatter` has taken.
fn link_meets(user: &str, squatter: &str) {
    let lab = Lab::new();
    let squatter = Squatter::start(&lab, squatter, user, "link:test");
    let at = |address: &str, script: &str| {
        let mut command = by(lab.nstk("setpriv"), user, "/usr/bin/env");
        command.args(["python3", "-c", script]);
        command
            .env("NSTK_IF", "link:test")
            .env("NSTK_ADDR", format!("{address}/24"))
            .env("NSTK_FAIL", "exit")
            .env("PATH", "/usr/bin:/bin");
        command
    };
    let serve = "import socket; s = socket.create_server(('10.88.0.1', 8000)); print('listens', flush=True); s.accept()[0].sendall(b'hello')";
    let server = Running::start(&mut at("10.88.0.1", serve));
    server.has_said("listens");
    let call = "import socket; print(socket.create_connection(('10.88.0.1', 8000)).recv(5))";
    let client = Outcome::of(&mut at("10.88.0.2", call));
    assert_eq!(
        (client.stdout.as_str(), client.stderr.as_str()),
        ("b'hello'\n", "")
    );
    server.finish().success();
    eventually("the wire and the keepers have gone", || {
        lab.processes(KEEPER).is_empty()
    });
    assert_eq!(squatter.finish(), "ready\n0 came\n");
}

#[test]
fn names_taken_by_another_user_keep_no_two_programs_from_their_link() {
    link_meets(NOBODY, STRANGER);
}

#[test]
fn not_even_root_is_in_the_way_of_another_user_s_link() {
    link_meets(NOBODY, "0");
}

#[test]
fn another_user_cannot_connect_to_a_keeper_or_a_link_broker() {
    let lab = Lab::new();
    let server = "import socket, sys; s = socket.create_server(('10.88.0.1', 8000)); print('listens', flush=True); s.accept()";
    let mut command = lab.nstk("python3");
    command
        .args(["-c", server])
        .env("NSTK_IF", "link:test")
        .env("NSTK_ADDR", "10.88.0.1/24");
    let server = Running::start(&mut command);
    server.has_said("listens");
    eventually("keeper and wire are there", || {
        lab.processes(KEEPER).len() == 2
    });
    // Only what is of this namespace.
    let find = "find /run /dev/shm /tmp -maxdepth 2 -type s -name \
                $(printf %x $(stat -Lc %i /proc/self/ns/net))-link:test*";
    let names = || Outcome::of(lab.kernel("sh").args(["-fc", find])).success();
    eventually("both have their names", || names().lines().count() == 2);
    let found = names();
    let connect = "import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect(sys.argv[1])";
    for path in found.lines() {
        let mut stranger = by(lab.kernel("setpriv"), NOBODY, "/usr/bin/env");
        stranger.args(["python3", "-c", connect, path]);
        let outcome = Outcome::of(stranger.env("PATH", "/usr/bin:/bin"));
        assert!(
            outcome.stderr.contains("PermissionError"),
            "{}",
            outcome.stderr
        );
    }
}

/// Root's program, and one that root has started and that has become another user before its first socket.
#[test]
fn root_takes_a_tap_over_from_another_users_keeper_but_not_from_its_programs() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let talk = |before: &str, after: &str| {
        let script = format!(
            "import encodings.idna, os, socket, sys
{before}
s = socket.create_connection(('{PEER_ADDRESS}', {port}))
s.sendall(b'hello')
print(s.recv(5).decode(), s.getsockname()[0], flush=True)
{after}",
            port = peer.port
        );
        let mut command = lab.nstk("python3");
        command.args(["-c", &script]).stdin(Stdio::piped());
        command
    };
    let drop = format!("os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})");
    let by_tap = format!("hello {NSTK_ADDRESS}");
    for before in [&*drop, ""] {
        let outcome = Outcome::of(&mut talk(before, ""));
        assert_eq!((outcome.stdout.trim(), &*outcome.stderr), (&*by_tap, ""));
    }
    eventually("root's keeper ends", || lab.processes(KEEPER).is_empty());
    // While the other user's program lives, its stack stays.
    let other = Running::start(&mut talk(
        &drop,
        "sys.stdin.read(); s.sendall(b'still'); print(s.recv(5).decode())",
    ));
    other.has_said(&by_tap);
    let roots = Outcome::of(&mut talk("", ""));
    assert_eq!(roots.stdout.trim(), format!("hello {PEER_ADDRESS}"));
    assert!(roots.stderr.contains("is held by"), "{}", roots.stderr);
    assert_eq!(other.finish().stdout.lines().last(), Some("still"));
}

#[test]
fn a_capture_does_not_go_into_another_user_s_file() {
    let lab = Lab::new();
    let scratch = Scratch::new();
    let file = scratch.path().join("capture");
    std::fs::write(&file, "theirs").expect("it can be written");
    std::os::unix::fs::chown(&file, Some(65534), Some(65534)).expect("root may");
    let peer = Peer::start(&lab, PEER, "discard");
    let program = CProgram::compile("leaving");
    let mut command = lab.nstk(program.path());
    command.args([PEER_ADDRESS, &peer.port.to_string(), "exit"]);
    let outcome = Outcome::of(command.env("NSTK_PCAP", &file));
    assert!(
        outcome.stderr.contains("belongs to another user"),
        "{}",
        outcome.stderr
    );
    assert_eq!(peer.next_line(), "1048576 intact fin");
    let left = std::fs::read_to_string(&file).expect("it is there");
    assert_eq!(left, "theirs");
}

#[test]
fn ps_says_that_it_does_not_list_what_others_run() {
    let lab = Lab::new();
    let server = "import socket, time; s = socket.create_server(('', 7000)); print('up', flush=True); time.sleep(60)";
    let mut program = lab.nstk("python3");
    let running = Running::start(program.args(["-c", server]));
    running.has_said("up");
    let program = format!("python3 ({})", running.id());
    let nstk = nstk_command();
    let list = |mut command: Command| Outcome::of(command.arg("ps"));
    let own = list(lab.kernel(nstk.get_program()));
    assert_eq!(own.stderr, "");
    assert!(own.stdout.contains(&program), "{}", own.stdout);
    let strangers = list(by(lab.kernel("setpriv"), STRANGER, nstk.get_program()));
    assert!(!strangers.stdout.contains(&program), "{}", strangers.stdout);
    assert_eq!(
        strangers.stderr,
        "nstk: the programs of other users are not listed, as you may not look into them; list them with: sudo nstk ps\n"
    );
}

#[test]
fn a_ticket_that_another_user_has_made_leads_to_no_socket() {
    const VICTIM: &str = "import array, socket
a = socket.create_connection(('PEER', PORT))
one, other = socket.socketpair()
socket.send_fds(one, [b'x'], [a.fileno()])
listener = socket.socket(socket.AF_UNIX)
listener.bind('\\0nstk-victim')
listener.listen()
print('up', flush=True)
for _ in range(2):
    carrier, _ = listener.accept()
    came = socket.recv_fds(carrier, 1, 1)[1]
    print(socket.socket(fileno=came[0]).family.name, flush=True)
    carrier.close()";
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let script = VICTIM
        .replace("PEER", PEER_ADDRESS)
        .replace("PORT", &peer.port.to_string());
    let victim = Running::start(lab.nstk("python3").args(["-c", &script]));
    victim.has_said("up");
    let forger = CProgram::compile("forging");
    // Root's forgery is as good as a ticket of its own: this shows that a forgery would be.
    for user in ["0", NOBODY] {
        let mut forging = by(lab.kernel("setpriv"), user, forger.path());
        Outcome::of(forging.arg("nstk-victim")).success();
    }
    let outcome = victim.finish();
    assert_eq!(outcome.success(), "up\nAF_INET\nAF_UNIX\n");
}
