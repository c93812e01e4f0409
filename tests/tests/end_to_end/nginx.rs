//! nginx: several workers, and a master that replaces itself while clients come.

use std::process::Command;
use std::thread;
use std::time::Duration;

use nstk_tests::{Lab, NSTK_ADDRESS, Outcome, Scratch, eventually};

/// A server whose replies name the process that sends them.
struct Nginx {
    files: Scratch,
}

impl Nginx {
    fn start(lab: &Lab, workers: u32) -> Self {
        let files = Scratch::new();
        let path = files.path().display();
        let configuration = format!(
            "worker_processes {workers}; pid {path}/pid; error_log {path}/errors info;
             events {{}}
             http {{
                 access_log off; client_body_temp_path {path}/b; proxy_temp_path {path}/p; fastcgi_temp_path {path}/f;
                 uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;
                 server {{ listen 7000; location / {{ return 200 \"served by $pid\\n\"; }} }}
             }}"
        );
        std::fs::write(files.path().join("conf"), configuration).expect("it can be written");
        let mut command = lab.nstk(program());
        command.arg("-c").arg(files.path().join("conf"));
        // It goes on in the background: only there its master may replace itself.
        let started = Outcome::of(command.env("NSTK_FAIL", "exit"));
        assert_eq!((started.stdout.as_str(), started.stderr.as_str()), ("", ""));
        let server = Self { files };
        eventually("it serves", || lab.accepts(NSTK_ADDRESS, 7000));
        server
    }

    /// The master's process.
    fn master(&self) -> u32 {
        self.read("pid").trim().parse().expect("a process id")
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.files.path().join(name)).unwrap_or_default()
    }

    /// Asks it to end when its clients have gone, and waits for that.
    fn end(self, lab: &Lab) {
        signal(lab, "QUIT", self.master());
        eventually("it has ended", || lab.processes("nginx").is_empty());
    }
}

/// nginx looks its own program up by its first argument when it replaces itself.
fn program() -> String {
    let found = Outcome::of(Command::new("sh").args(["-c", "command -v nginx"]));
    found.success().trim().to_owned()
}

fn signal(lab: &Lab, name: &str, pid: u32) {
    lab.run(&format!("kill -{name} {pid}"));
}

/// Asks again and again until it is told to stop: how many requests failed, and how many were made.
fn ask(lab: &Lab, times: u32) -> String {
    let line = format!(
        "failed=0; for i in $(seq {times}); do curl -sf --max-time 10 http://{NSTK_ADDRESS}:7000/ >/dev/null || failed=$((failed + 1)); done; echo $failed"
    );
    Outcome::of(lab.kernel("sh").args(["-c", &line])).success()
}

#[test]
fn a_master_replaces_itself_and_no_request_fails() {
    let lab = Lab::new();
    let server = Nginx::start(&lab, 2);
    let old = server.master();
    thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&lab, 300));
        thread::sleep(Duration::from_millis(100));
        signal(&lab, "USR2", old);
        eventually("the new master is there", || {
            let new = server.read("pid").trim().parse::<u32>();
            new.is_ok_and(|new| new != old)
        });
        thread::sleep(Duration::from_millis(300));
        signal(&lab, "WINCH", old);
        signal(&lab, "QUIT", old);
        assert_eq!(
            asking.join().expect("no panic"),
            "0\n",
            "{}",
            server.read("errors")
        );
    });
    assert_eq!(
        ask(&lab, 20),
        "0\n",
        "the new one serves alone: {}",
        server.read("errors")
    );
    signal(&lab, "HUP", server.master());
    assert_eq!(
        ask(&lab, 20),
        "0\n",
        "it takes new settings: {}",
        server.read("errors")
    );
    let errors = server.read("errors");
    assert!(
        !errors.contains("[alert]") && !errors.contains("[emerg]"),
        "{errors}"
    );
    server.end(&lab);
}
