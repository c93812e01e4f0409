//! stdio on sockets: the kernel's answers on the kernel's loopback, the same on the stack's.

use std::process::Command;

use nstk_tests::{CProgram, Lab, Outcome};

fn lab() -> Lab {
    let lab = Lab::new();
    lab.run("ip link set lo up");
    lab
}

fn on_the_stack(lab: &Lab, program: impl AsRef<std::path::Path>) -> Command {
    let mut command = lab.nstk(program);
    command.env("NSTK_LOOPBACK", "stack");
    command
}

#[test]
fn streams_over_sockets_are_the_kernels() {
    let lab = lab();
    let program = CProgram::compile("stdio");
    let kernel = Outcome::of(&mut lab.kernel(program.path()));
    let nstk = Outcome::of(&mut on_the_stack(&lab, program.path()));
    Outcome::assert_same(&kernel, &nstk);
    assert!(kernel.success().contains("another program served: request"));
}

#[test]
fn a_shell_reaches_a_server_by_its_dev_tcp() {
    const SCRIPT: &str = "
python3 -c '
import socket
listener = socket.create_server((\"127.0.0.1\", 7000))
for _ in range(2):
    sock, _ = listener.accept()
    sock.sendall(sock.makefile().readline().upper().encode())
    sock.close()
' &
until exec 3<>/dev/tcp/127.0.0.1/7000; do sleep 0.05; done 2>/dev/null
echo first line >&3
cat <&3
exec 3<>/dev/tcp/127.0.0.1/7000
printf '%s\\n' second >&3
read -r answer <&3
echo \"read $answer\"
wait";
    let lab = lab();
    let run = |mut bash: Command| Outcome::of(bash.args(["-c", SCRIPT]));
    let kernel = run(lab.kernel("bash"));
    Outcome::assert_same(&kernel, &run(on_the_stack(&lab, "bash")));
    assert_eq!(kernel.success(), "FIRST LINE\nread SECOND\n");
}
