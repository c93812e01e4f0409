//! Where the library is known to differ from the kernel: docs/deviations.md lists it.

use nstk_tests::{CProgram, Lab, Outcome, PEER_ADDRESS, Peer};

use crate::PEER;

/// Call, the kernel's answer, nstk's. Whoever makes one of them the kernel's strikes it here and in the document.
const DEVIATIONS: [(&str, &str, &str); 6] = [
    ("fcntl(s, F_SETOWN", "0", "EINVAL"),
    (
        "setsockopt(datagrams, IPPROTO_IP, IP_ADD_MEMBERSHIP",
        "0",
        "ENOPROTOOPT",
    ),
    ("setsockopt(s, IPPROTO_TCP, 200", "EINVAL", "ENOPROTOOPT"),
    (
        "setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN_CONNECT",
        "EINVAL",
        "ENOPROTOOPT",
    ),
    ("send(s", "1", "EOPNOTSUPP"),
    ("connect", "0", "EAFNOSUPPORT"),
];

#[test]
fn calls_that_differ_from_the_kernels_do_so_as_the_list_says() {
    let lab = Lab::new();
    let program = CProgram::compile("deviations");
    let peer = Peer::start(&lab, PEER, "echo");
    let answers = |mut command: std::process::Command| {
        command.args([PEER_ADDRESS, &peer.port.to_string()]);
        Outcome::of(&mut command).success()
    };
    let kernel = answers(lab.kernel(program.path()));
    let nstk = lab.through_tap(|| answers(lab.nstk(program.path())));
    assert_eq!(nstk.lines().count(), DEVIATIONS.len(), "{nstk}");
    for (line, (call, of_kernel, of_nstk)) in kernel.lines().zip(nstk.lines()).zip(DEVIATIONS) {
        let answer = |line: &str| {
            assert!(line.starts_with(call), "{line} is not {call}");
            line.rsplit(": ").next().map(str::to_owned)
        };
        assert_eq!(
            answer(line.0).as_deref(),
            Some(of_kernel),
            "{call} on the kernel"
        );
        assert_eq!(answer(line.1).as_deref(), Some(of_nstk), "{call} on nstk");
    }
}
