//! The scripts of `nstk completion`, loaded and tried in the shells that they are for.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is typed before the Tab key, and the line after it.
const CASES: [(&str, &str); 10] = [
    ("nstk docto", "nstk doctor "),
    ("nstk run --inh", "nstk run --inherit "),
    ("nstk run --cc bb", "nstk run --cc bbr "),
    ("nstk run --cc=bb", "nstk run --cc=bbr "),
    (
        "nstk run --if tap:t0 --fail ex",
        "nstk run --if tap:t0 --fail exit ",
    ),
    (
        "nstk sysctl net.ipv4.tcp_wm",
        "nstk sysctl net.ipv4.tcp_wmem ",
    ),
    (
        "nstk run --sysctl net.core.som",
        "nstk run --sysctl net.core.somaxconn=",
    ),
    ("nstk man sysc", "nstk man sysctl "),
    (
        "nstk run --sysctl 'net.ipv4.tcp_sack=0' -- nstk_prog",
        "nstk run --sysctl 'net.ipv4.tcp_sack=0' -- nstk_program ",
    ),
    ("nstk lab nstk_prog", "nstk lab nstk_program "),
];

#[test]
fn bash_completes_commands_options_values_and_programs() {
    let start = r#"source <(nstk completion bash)
show() { printf '%s' "$READLINE_LINE" >"$HOME/line"; exit; }
bind -x '"\C-x": show'"#;
    tried_in("bash", "bash --rcfile ~/start -i", "start", start);
}

#[test]
fn zsh_completes_commands_options_values_and_programs() {
    let start = r#"autoload -Uz compinit
compinit -u -D
source <(nstk completion zsh)
show() { print -rn -- "$BUFFER" >~/line; exit }
zle -N show
bindkey '^X' show
bindkey '^I' expand-or-complete"#;
    tried_in("zsh", "zsh -i", ".zshrc", start);
}

#[test]
fn fish_completes_commands_options_values_and_programs() {
    let start = r"nstk completion fish | source
bind \cx 'commandline >~/line; exit'";
    tried_in(
        "fish",
        "fish --no-config -i -C 'source ~/start'",
        "start",
        start,
    );
}

/// Types each case into a shell that has a terminal and begins with `start`, and compares the line that the Tab key makes.
fn tried_in(shell: &str, command: &str, start_name: &str, start: &str) {
    if Command::new(shell).args(["-c", "true"]).status().is_err() {
        assert!(std::env::var_os("CI").is_none(), "{shell} is missing");
        println!("SKIPPED: {shell} is missing");
        return;
    }
    let home = home(shell);
    fs::write(home.join(start_name), start).expect("the folder is ours");
    for (typed, expected) in CASES {
        let _ = fs::remove_file(home.join("line"));
        let said = type_into(command, &home, typed);
        let line = fs::read_to_string(home.join("line")).unwrap_or_default();
        assert_eq!(line.trim_end_matches('\n'), expected, "{shell}: {said}");
    }
}

/// What the terminal shows. The shell ends by a key, or else because its terminal does.
fn type_into(command: &str, home: &Path, typed: &str) -> String {
    const TAB: char = '\t';
    const CONTROL_X: char = '\x18';
    let nstk = Path::new(env!("CARGO_BIN_EXE_nstk"))
        .parent()
        .expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{}:{path}", nstk.display(), home.display());
    let mut terminal = Command::new("timeout")
        .args(["60", "script", "-qec", command, "/dev/null"])
        .env("PATH", path)
        .env("TERM", "dumb")
        .env("HOME", home)
        .env("ZDOTDIR", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("util-linux is installed");
    let mut keys = terminal.stdin.take().expect("piped");
    write!(keys, "{typed}{TAB}{CONTROL_X}").expect("the terminal waits");
    drop(keys);
    let output = terminal
        .wait_with_output()
        .expect("a child can be waited for");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder with a program in it, for one shell.
fn home(shell: &str) -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("home-{shell}"));
    fs::create_dir_all(&home).expect("the folder is ours");
    let program = home.join("nstk_program");
    fs::write(&program, "#!/bin/sh\n").expect("the folder is ours");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    home
}
