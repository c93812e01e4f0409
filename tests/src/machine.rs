//! A machine with a network card, and the internet.

use std::path::Path;
use std::process::Command;

use crate::namespace::Namespace;
use crate::outcome::Running;
use crate::process::{self, eventually};

/// The machine's address, as docs/network.md has it.
pub const MACHINE_ADDRESS: &str = "192.168.1.10";
/// A remote host, behind the router.
pub const REMOTE_ADDRESS: &str = "203.0.113.80";

/// Two network namespaces. One plays the machine, with the card `eth0` and a default route; the other its router and a remote host behind it, which
/// serves web pages. Whatever runs in them ends with the value.
pub struct Machine {
    machine: Namespace,
    internet: Namespace,
    servers: Vec<Running>,
}

impl Machine {
    /// Makes them. Needs Python.
    ///
    /// # Panics
    /// Without the permission to make network namespaces.
    #[expect(
        clippy::new_without_default,
        reason = "making one has effects outside the process"
    )]
    #[must_use]
    pub fn new() -> Machine {
        let (machine, internet) = (Namespace::new(), Namespace::new());
        machine.run(&format!(
            "ip link add eth0 type veth peer name lan0 netns {}",
            internet.id()
        ));
        machine.run(&format!("ip address add {MACHINE_ADDRESS}/24 dev eth0"));
        machine.run("ip link set eth0 up");
        internet.run("ip address add 192.168.1.1/24 dev lan0");
        internet.run(&format!("ip address add {REMOTE_ADDRESS}/32 dev lo"));
        internet.run("ip link set lan0 up");
        // It refuses what it cannot pass on, so that nobody waits for a name server.
        internet.run("sysctl --quiet -w net.ipv4.ip_forward=1");
        machine.run("ip route add default via 192.168.1.1");
        let mut made = Machine {
            machine,
            internet,
            servers: Vec::new(),
        };
        // Its log is about visitors.
        made.serve(&format!(
            "exec python3 -u -m http.server --bind {REMOTE_ADDRESS} 80 2>&1"
        ));
        made.servers[0].has_said("Serving");
        made
    }

    /// A command that runs on the machine.
    #[must_use]
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        self.machine.command(program)
    }

    /// Starts a server at the remote host, a line of shell.
    pub fn serve(&mut self, line: &str) {
        let mut shell = self.internet.command("sh");
        self.servers.push(Running::start(shell.args(["-c", line])));
    }

    /// Where the remote host saw its visitors come from, in their order.
    #[must_use]
    pub fn visitors(&self) -> Vec<String> {
        let log = self.servers[0].said();
        let visits = log.lines().filter(|line| line.contains("GET"));
        let addresses = visits.filter_map(|line| line.split_whitespace().next());
        addresses.map(str::to_owned).collect()
    }

    /// What is set up on the machine: interfaces, addresses, routes, which of them forward, and the packet filter. Needs nft.
    #[must_use]
    pub fn state(&self) -> String {
        let show = "ip -4 -brief address; ip route; nft list ruleset; \
                    grep -H . /proc/sys/net/ipv4/conf/*/forwarding";
        let output = self.command("sh").args(["-c", show]).output();
        let output = output.expect("nsenter runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until the machine is as it was.
    ///
    /// # Panics
    /// When something is left after 20 seconds.
    pub fn becomes(&self, state: &str) {
        eventually("the machine is as it was before", || self.state() == state);
    }

    /// Whether the machine gets an answer from an address.
    #[must_use]
    pub fn reaches(&self, address: &str) -> bool {
        pings(&self.machine, address)
    }

    /// Whether a host of the machine's network does, with the machine as its router.
    #[must_use]
    pub fn leads_to(&self, address: &str) -> bool {
        self.internet
            .run(&format!("ip route replace {address} via {MACHINE_ADDRESS}"));
        pings(&self.internet, address)
    }

    /// The ids of the processes in the machine's network whose name is `name`.
    #[must_use]
    pub fn processes(&self, name: &str) -> Vec<u32> {
        let mut members = self.machine.members();
        members.retain(|&id| process::name(id).as_deref() == Some(name));
        members
    }
}

fn pings(from: &Namespace, address: &str) -> bool {
    let mut ping = from.command("ping");
    ping.args(["-c", "3", "-i", "0.1", "-w", "1", address]);
    let output = ping.output().expect("nsenter runs");
    output.status.success()
}
