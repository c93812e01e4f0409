//! NSTK_PCAP: captures, as tshark sees them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use nstk_tests::{CProgram, Lab, NSTK_ADDRESS, Outcome, PEER_ADDRESS, Peer, Running, eventually};

use crate::PEER;

/// What every process of a capture's writer is called.
const WRITER: &str = "nstk-capture";

/// A capture's file in a directory of its own, which is removed with the value.
struct Capture(PathBuf);

impl Capture {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("nstk-pcap-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory");
        Self(directory)
    }

    fn directory(&self) -> &Path {
        &self.0
    }

    fn path(&self) -> PathBuf {
        self.0.join("frames.pcapng")
    }

    /// What tshark prints about the file, which it must read to its end; checksums are verified.
    fn tshark(&self, arguments: &[&str]) -> String {
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(self.path());
        for protocol in ["ip", "tcp", "udp"] {
            tshark.args(["-o", &format!("{protocol}.check_checksum:TRUE")]);
        }
        Outcome::of(tshark.args(arguments)).success()
    }

    /// Bytes of TCP streams from the stack, and to it. What was sent twice counts once.
    fn payload(&self) -> (u64, u64) {
        (self.stream_bytes("src"), self.stream_bytes("dst"))
    }

    fn stream_bytes(&self, way: &str) -> u64 {
        let filter = format!("ip.{way} == {NSTK_ADDRESS} && tcp.len > 0");
        let fields = ["tcp.stream", "tcp.seq", "tcp.len"].map(|field| ["-e", field]);
        let options = ["-Y", &filter, "-T", "fields"];
        let lines = self.tshark(&[&options, fields.as_flattened()].concat());
        let mut segments: Vec<[u64; 3]> = lines
            .lines()
            .map(|line| {
                let numbers: Result<Vec<u64>, _> = line.split('\t').map(str::parse).collect();
                let numbers = numbers.expect("numbers");
                numbers.try_into().expect("three of them")
            })
            .collect();
        segments.sort_unstable();
        let mut bytes = 0;
        let mut behind = (0, 0);
        for [stream, start, len] in segments {
            let from = if behind.0 == stream { behind.1 } else { 0 };
            let new_from = start.max(from);
            let end = (start + len).max(new_from);
            bytes += end - new_from;
            behind = (stream, end);
        }
        bytes
    }

    /// Checks that tshark finds nothing wrong: every frame is there, whole, with right checksums.
    fn is_clean(&self) {
        let expert = self.tshark(&["-q", "-z", "expert,warn"]);
        for complaint in ["checksum", "alformed", "captured", "out-of-order", "bogus"] {
            assert!(!expert.contains(complaint), "{expert}");
        }
        // Both ways are marked as such.
        let flags = self.tshark(&[
            "-T",
            "fields",
            "-e",
            "frame.packet_flags_direction",
            "-e",
            "ip.src",
        ]);
        for line in flags.lines().filter(|line| line.contains('.')) {
            let outbound = line.ends_with(NSTK_ADDRESS);
            let marked = line.starts_with("0x00000002") || line.starts_with('2');
            assert_eq!(outbound, marked, "{line}");
        }
    }
}

impl Capture {
    /// The file whose appearance ends [`Self::busy`].
    fn go(&self) -> PathBuf {
        self.0.join("go")
    }

    /// A Python program that moves data until it is told to end, so that it is there when its capture ends. Its
    /// complaints come by its standard output.
    fn busy(&self) -> String {
        format!(
            "import time
os.dup2(1, 2)
echo(3_000_000)
while not os.path.exists('{}'):
    echo(1000); time.sleep(0.01)
echo(1000)",
            self.go().display()
        )
    }

    /// Tells it to end when it has said that its capture has ended: what it has said.
    fn end_busy(&self, running: Running) -> String {
        running.has_said("no more frames are captured");
        fs::write(self.go(), "").expect("it can be written");
        running.finish().success()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Waits until the program's keeper and with it the capture has ended.
fn writer_ends(lab: &Lab) {
    eventually("the capture is finished", || {
        lab.processes(WRITER).is_empty()
    });
}

/// A Python program under nstk that knows `echo(size)`: a new connection to the peer, `size` bytes there and back.
fn python(lab: &Lab, peer: &Peer, program: &str) -> Command {
    let start = format!(
        "import os, socket, threading
def echo(size):
    s = socket.create_connection(('{PEER_ADDRESS}', {}))
    t = threading.Thread(target=s.sendall, args=(bytes(size),)); t.start()
    while size > 0: size -= len(s.recv(1 << 20))
    t.join(); s.close()
{program}
",
        peer.port
    );
    let mut python = lab.nstk("python3");
    python.args(["-c", &start]);
    python
}

#[test]
fn every_byte_of_both_ways_is_there_and_nothing_is_wrong() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let capture = Capture::new();
    // Datagrams too: some are cut by the tap's kernel, some by nobody.
    let program = format!(
        "echo(6_000_000)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.connect(('{PEER_ADDRESS}', {}))
for size in 1, 1000, 5000: u.send(bytes(size)); assert len(u.recv(9000)) == size",
        peer.port
    );
    let mut python = python(&lab, &peer, &program);
    let outcome = Outcome::of(python.env("NSTK_PCAP", capture.path()));
    assert_eq!(outcome.stderr, "");
    outcome.success();
    writer_ends(&lab);
    capture.is_clean();
    assert_eq!(capture.payload(), (6_000_000, 6_000_000));
    let datagrams = capture.tshark(&["-Y", "udp", "-T", "fields", "-e", "udp.length"]);
    assert_eq!(datagrams.lines().count(), 6, "{datagrams}");
    let info = Outcome::of(Command::new("capinfos").arg(capture.path())).success();
    for words in ["nanoseconds", "nstk 0.", "Name = tap:nstk0"] {
        assert!(info.contains(words), "{info}");
    }
}

#[test]
fn processes_that_were_forked_are_captured_in_the_same_file() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let capture = Capture::new();
    let program = "echo(1000)
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        for _ in range(5): echo(300_000)
        os._exit(0)
    children.append(child)
for _ in range(5): echo(300_000)
for child in children: assert os.waitpid(child, 0)[1] == 0";
    let mut python = python(&lab, &peer, program);
    Outcome::of(python.env("NSTK_PCAP", capture.path())).success();
    writer_ends(&lab);
    capture.is_clean();
    assert_eq!(capture.payload(), (6_001_000, 6_001_000));
}

/// A program that sends a megabyte and ends in this way.
fn leave(lab: &Lab, peer: &Peer, capture: Option<&Capture>, mode: &str) -> Outcome {
    let program = CProgram::compile("leaving");
    let mut command = lab.nstk(program.path());
    command.args([PEER_ADDRESS, &peer.port.to_string(), mode]);
    if let Some(capture) = capture {
        command.env("NSTK_PCAP", capture.path());
    }
    let outcome = Outcome::of(&mut command);
    assert_eq!(peer.next_line(), "1048576 intact fin", "{}", outcome.stderr);
    outcome
}

#[test]
fn a_killed_program_loses_nothing_of_its_capture() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let capture = Capture::new();
    let outcome = leave(&lab, &peer, Some(&capture), "kill");
    assert!(!outcome.status.success());
    writer_ends(&lab);
    capture.is_clean();
    assert_eq!(
        capture.payload(),
        (1 << 20, 0),
        "the keeper's part included"
    );
}

#[test]
fn each_program_that_asks_for_it_begins_the_file_anew() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let capture = Capture::new();
    leave(&lab, &peer, Some(&capture), "exit").success();
    leave(&lab, &peer, Some(&capture), "exit").success();
    leave(&lab, &peer, None, "exit").success();
    writer_ends(&lab);
    capture.is_clean();
    let (out, _) = capture.payload();
    assert_eq!(out, 1 << 20, "of the second alone; the third has not asked");
}

#[test]
fn the_file_keeps_its_limit_and_the_program_goes_on() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let capture = Capture::new();
    let mut python = python(&lab, &peer, &capture.busy());
    python.env("NSTK_PCAP", capture.path());
    let running = Running::start(python.env("NSTK_PCAP_LIMIT", "1M"));
    let said = capture.end_busy(running);
    let line = format!(
        "nstk: NSTK_PCAP={}: the file has its 1048576 bytes, no more frames are captured; \
         NSTK_PCAP_LIMIT sets another limit\n",
        capture.path().display()
    );
    assert_eq!(said, line);
    writer_ends(&lab);
    let bytes = fs::metadata(capture.path()).expect("it is there").len();
    assert!((900_000..=1 << 20).contains(&bytes), "{bytes}");
    capture.is_clean();
}

#[test]
fn a_full_disk_ends_the_capture_and_nothing_else() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let capture = Capture::new();
    // A small file system in a mount namespace of its own; what came into the file is taken out in the end.
    let inner = python(&lab, &peer, &capture.busy());
    let program = inner.get_args().last().expect("the program").to_owned();
    let mut shell = lab.nstk("unshare");
    shell.args([
        "--mount",
        "sh",
        "-c",
        "mkdir $0/small && mount -t tmpfs -o size=1m small $0/small || exit 3
         NSTK_PCAP=$0/small/frames python3 -c \"$1\" || exit 4
         cp $0/small/frames $0/frames.pcapng",
    ]);
    let running = Running::start(shell.arg(capture.directory()).arg(program));
    let said = capture.end_busy(running);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    capture.is_clean();
}

#[test]
fn a_limit_of_file_sizes_ends_the_capture_and_nothing_else() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "echo");
    let capture = Capture::new();
    let program = format!("echo(1000)\nprint('ready', flush=True)\n{}", capture.busy());
    let mut python = python(&lab, &peer, &program);
    let running = Running::start(python.env("NSTK_PCAP", capture.path()));
    running.has_said("ready");
    eventually("the writer has its name", || {
        lab.processes(WRITER).len() == 1
    });
    let pid = format!("--pid={}", lab.processes(WRITER)[0]);
    Outcome::of(Command::new("prlimit").args([&pid, "--fsize=1000000"])).success();
    let said = capture.end_busy(running);
    assert!(said.contains("File too large"), "{said}");
    writer_ends(&lab);
    capture.is_clean();
}

#[test]
fn a_file_that_cannot_be_had_is_said_in_one_line() {
    let lab = Lab::new();
    let peer = Peer::start(&lab, PEER, "discard");
    let program = CProgram::compile("leaving");
    let run = |fail: &str| {
        let mut command = lab.nstk(program.path());
        command.args([PEER_ADDRESS, &peer.port.to_string(), "exit"]);
        command.env("NSTK_PCAP", "/no/such/frames");
        Outcome::of(command.env("NSTK_FAIL", fail))
    };
    let why = "NSTK_PCAP=/no/such/frames: cannot open the file: No such file or directory (ENOENT)";
    let outcome = run("kernel");
    assert_eq!(
        outcome.stderr,
        format!("nstk: {why}; going on without a capture\n")
    );
    outcome.success();
    assert_eq!(peer.next_line(), "1048576 intact fin");
    let outcome = run("exit");
    assert_eq!(outcome.status.code(), Some(69));
    assert_eq!(outcome.stderr.lines().count(), 1);
    assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
}
