//! A network namespace of a test's own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::outcome::Outcome;
use crate::process::{self, eventually};

/// The kernel's address on the tap, where peers listen.
pub const PEER_ADDRESS: &str = "10.77.1.1";
/// The stack's address on the tap.
pub const NSTK_ADDRESS: &str = "10.77.1.2";

/// A network namespace with the tap `nstk0`. Whatever runs in it ends with the value.
pub struct Lab {
    // A `cat` that reads from us: should the test be killed, its input ends, and with it the namespace.
    holder: Child,
}

impl Lab {
    /// Makes the namespace and its tap, the kernel's side configured and up.
    ///
    /// # Panics
    /// Without the permission to make network namespaces and taps.
    #[expect(
        clippy::new_without_default,
        reason = "making one has effects outside the process"
    )]
    #[must_use]
    pub fn new() -> Lab {
        let holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("unshare runs");
        let lab = Lab { holder };
        let ours = process::namespace("self");
        eventually("the namespace is there", || {
            let theirs = process::namespace(&lab.holder.id().to_string());
            theirs.is_some() && theirs != ours
        });
        lab.run("ip link set lo up");
        lab.run("ip tuntap add dev nstk0 mode tap vnet_hdr");
        lab.run(&format!("ip address add {PEER_ADDRESS}/24 dev nstk0"));
        lab.run("ip link set nstk0 up");
        lab
    }

    /// A command that runs in the namespace on the kernel's stack. The child's process is the program itself.
    #[must_use]
    pub fn kernel(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/proc/{}/ns/net", self.holder.id()))
            .args(["--", "env"])
            .arg(program.as_ref())
            .stdin(Stdio::null());
        command
    }

    /// A command that runs in the namespace under libnstk.so, with [`NSTK_ADDRESS`] on the tap unless `env` says otherwise.
    #[must_use]
    pub fn nstk(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.kernel(preload());
        command
            .arg(program.as_ref())
            .env("NSTK_IF", "tap:nstk0")
            .env("NSTK_ADDR", format!("{NSTK_ADDRESS}/24"));
        command
    }

    /// Runs a program on the kernel's stack and then under libnstk.so, as `run` says, which is told the program's own address: it must leave
    /// the same, and have used the tap.
    ///
    /// # Panics
    /// When it differs, or its connections went by the kernel.
    pub fn same(&self, program: impl AsRef<Path>, run: impl Fn(Command, &str) -> Outcome) {
        let kernel = run(self.kernel(&program), PEER_ADDRESS);
        let nstk = self.through_tap(|| run(self.nstk(&program), NSTK_ADDRESS));
        Outcome::assert_same(&kernel, &nstk);
    }

    /// What `work` answers, which has to send by the tap.
    ///
    /// # Panics
    /// When so few frames come by the tap meanwhile that the connections must have gone by the kernel.
    pub fn through_tap<R>(&self, work: impl FnOnce() -> R) -> R {
        // The stack announces its address, whether or not anything is sent.
        const ANNOUNCEMENTS_MAX: u64 = 2;
        let before = self.tap_frames();
        let result = work();
        let frames = self.tap_frames() - before;
        assert!(
            frames > ANNOUNCEMENTS_MAX,
            "only {frames} frames came by the tap"
        );
        result
    }

    /// Makes the tap a slow link both ways, 50 Mbit/s with room for some 20 packets: a stream of any length loses some.
    pub fn narrow(&self) {
        const SHAPE: &str = "root tbf rate 50mbit burst 16kb limit 30000";
        self.run(&format!("tc qdisc add dev nstk0 {SHAPE}"));
        self.run("ip link add narrow0 type ifb");
        self.run("ip link set narrow0 up");
        self.run(&format!("tc qdisc add dev narrow0 {SHAPE}"));
        self.run("tc qdisc add dev nstk0 handle ffff: ingress");
        self.run("tc filter add dev nstk0 parent ffff: protocol ip u32 match u32 0 0 action mirred egress redirect dev narrow0");
    }

    /// Whether a connection from the kernel's stack to this address and port succeeds.
    #[must_use]
    pub fn accepts(&self, address: &str, port: u16) -> bool {
        let mut connect = self.kernel("timeout");
        connect.args([
            "1",
            "bash",
            "-c",
            &format!("exec 3<>/dev/tcp/{address}/{port}"),
        ]);
        connect
            .stderr(Stdio::null())
            .status()
            .expect("nsenter runs")
            .success()
    }

    /// Frames that have come into the kernel through the tap so far.
    #[must_use]
    pub fn tap_frames(&self) -> u64 {
        let devices = std::fs::read_to_string(format!("/proc/{}/net/dev", self.holder.id()))
            .expect("the holder lives");
        devices
            .lines()
            .find_map(|line| line.trim().strip_prefix("nstk0:"))
            .and_then(|counters| counters.split_whitespace().nth(1)?.parse().ok())
            .expect("the tap is there")
    }

    /// The ids of the processes in the namespace whose name is `name`.
    #[must_use]
    pub fn processes(&self, name: &str) -> Vec<u32> {
        self.members()
            .into_iter()
            .filter(|&id| process::name(id).as_deref() == Some(name))
            .collect()
    }

    fn members(&self) -> Vec<u32> {
        let holder = self.holder.id();
        let namespace = process::namespace(&holder.to_string());
        process::all()
            .into_iter()
            .filter(|&id| {
                id != holder
                    && namespace.is_some()
                    && process::namespace(&id.to_string()) == namespace
            })
            .collect()
    }

    /// Runs a command of plain words in the namespace.
    ///
    /// # Panics
    /// When the command fails.
    pub fn run(&self, line: &str) {
        let mut words = line.split_whitespace();
        let program = words.next().expect("a command");
        let output = self
            .kernel(program)
            .args(words)
            .output()
            .expect("nsenter runs");
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for id in self.members() {
            process::kill(id, "KILL");
        }
        drop(self.holder.stdin.take());
        // Nothing is left to be done about a failure, and a panic while a test unwinds would hide the test's own.
        let _ = self.holder.wait();
    }
}

/// The word that makes `env` load libnstk.so.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn preload() -> OsString {
    let mut word = OsString::from("LD_PRELOAD=");
    word.push(built("libnstk.so"));
    word
}

/// The command `nstk`.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn nstk_command() -> Command {
    let mut command = Command::new(built("nstk"));
    command.stdin(Stdio::null());
    command
}

/// A file that `scripts/build` makes. They all lie in one directory; `NSTK_LIBRARY` names the library in another one.
fn built(name: &str) -> PathBuf {
    let library = std::env::var_os("NSTK_LIBRARY").map_or_else(
        || target_directory().join("release/libnstk.so"),
        PathBuf::from,
    );
    let file = library.with_file_name(name);
    assert!(
        file.exists(),
        "{} is missing: run scripts/build",
        file.display()
    );
    file
}

fn target_directory() -> PathBuf {
    // target/<profile>/deps/<test>
    let test = std::env::current_exe().expect("a test has a path");
    test.ancestors()
        .nth(3)
        .expect("a test lies three levels below target")
        .to_path_buf()
}
