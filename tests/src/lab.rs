//! A network of a test's own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::device::Device;
use crate::namespace::Namespace;
use crate::outcome::{Outcome, Running};
use crate::process;

/// The kernel's address on the tap, where peers listen.
pub const PEER_ADDRESS: &str = "10.77.1.1";
/// The stack's address on the tap.
pub const NSTK_ADDRESS: &str = "10.77.1.2";

/// A program under libnstk.so and a peer on the kernel's stack, with the tap `nstk0` between them, in a network namespace of their own. Whatever
/// runs in it ends with the value.
pub struct Lab {
    /// Where programs run under libnstk.so.
    near: Namespace,
    /// Where the kernel's stack is, if a wire leads there.
    far: Option<Namespace>,
    wire: Option<Running>,
    device: Device,
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
        let near = Namespace::new();
        let device = Device::chosen();
        near.run(match device {
            Device::Tap => "ip tuntap add dev nstk0 mode tap vnet_hdr",
            Device::Packet => "ip link add nstk0 type veth peer name nstk1",
        });
        near.run(&format!("ip address add {PEER_ADDRESS}/24 dev nstk0"));
        near.run("ip link set nstk0 up");
        if device == Device::Packet {
            near.run("ip link set nstk1 up");
        }
        Lab {
            near,
            far: None,
            wire: None,
            device,
        }
    }

    /// Makes two namespaces: a bridge leads from the tap to a wire, and the wire to the other namespace, where the kernel's stack is. `program`
    /// is the test's `env!("CARGO_BIN_EXE_wire")`, `faults` what its source says.
    ///
    /// # Panics
    /// As [`Lab::new`].
    #[must_use]
    pub fn with_wire(program: &str, faults: &[&str]) -> Lab {
        let (near, far) = (Namespace::new(), Namespace::new());
        let mut command = near.command(program);
        command.args(["wire0", "wire1"]).args(faults);
        let wire = Running::start(command.stdin(Stdio::piped()));
        wire.has_said("ready");
        near.run(&format!("ip link set wire1 netns {}", far.id()));
        near.run("ip tuntap add dev nstk0 mode tap vnet_hdr");
        near.run("ip link add bridge0 type bridge");
        // What a stack sends at once waits for the wire, however many frames it is cut into.
        near.run("ip link set wire0 txqueuelen 10000");
        for port in ["nstk0", "wire0"] {
            near.run(&format!("ip link set {port} master bridge0 up"));
        }
        near.run("ip link set bridge0 up");
        far.run(&format!("ip address add {PEER_ADDRESS}/24 dev wire1"));
        far.run("ip link set wire1 txqueuelen 10000 up");
        Lab {
            near,
            far: Some(far),
            wire: Some(wire),
            device: Device::Tap,
        }
    }

    /// What the wire did with the frames, a line for each direction: out of the tap, into it.
    ///
    /// # Panics
    /// In a lab without a wire, and the second time.
    pub fn end_wire(&mut self) -> String {
        let wire = self.wire.take().expect("there is a wire");
        wire.finish().success()
    }

    /// A command that runs in the lab on the kernel's stack. The child's process is the program itself.
    #[must_use]
    pub fn kernel(&self, program: impl AsRef<Path>) -> Command {
        self.far.as_ref().unwrap_or(&self.near).command(program)
    }

    /// A command that runs in the lab under libnstk.so, with [`NSTK_ADDRESS`] on the tap unless `env` says otherwise.
    #[must_use]
    pub fn nstk(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.near.command(preload());
        command
            .arg(program.as_ref())
            .env("NSTK_IF", self.device.name())
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
        let devices = std::fs::read_to_string(format!("/proc/{}/net/dev", self.near.id()))
            .expect("the holder lives");
        devices
            .lines()
            .find_map(|line| line.trim().strip_prefix("nstk0:"))
            .and_then(|counters| counters.split_whitespace().nth(1)?.parse().ok())
            .expect("the tap is there")
    }

    /// The ids of the processes in the lab, on this side of a wire, whose name is `name`.
    #[must_use]
    pub fn processes(&self, name: &str) -> Vec<u32> {
        self.near
            .members()
            .into_iter()
            .filter(|&id| process::name(id).as_deref() == Some(name))
            .collect()
    }

    /// Runs a command of plain words where [`Lab::kernel`] does.
    ///
    /// # Panics
    /// When the command fails.
    pub fn run(&self, line: &str) {
        self.far.as_ref().unwrap_or(&self.near).run(line);
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
