//! nstk is a TCP/IP stack that an unmodified program loads. This page is where the documentation of its code begins:
//! `cargo doc --open` opens it, as it is the first by name. It has no code.
//!
//! ARCHITECTURE.md, at the top of the repository, has what no single crate can say: the way of a byte, the rules that hold
//! everywhere, the words, and what is still open. Read it first.
//!
//! # The crates
//!
//! They stand in the order in which they build on each other.
//!
//! | crate | what it does | begin with |
//! |---|---|---|
//! | [sys](../nstk_sys/index.html) | system calls without libc | its page |
//! | [region](../nstk_region/index.html) | memory that a family of processes shares | [`Region`](../nstk_region/struct.Region.html) |
//! | [stack](../nstk_stack/index.html) | the TCP/IP stack, without I/O | [`Stack`](../nstk_stack/struct.Stack.html) |
//! | [nicio](../nstk_nicio/index.html) | devices | [`Nic`](../nstk_nicio/trait.Nic.html) |
//! | [env](../nstk_env/index.html) | settings | [`Settings`](../nstk_env/struct.Settings.html) |
//! | [family](../nstk_family/index.html) | one stack run by several processes | [`Family`](../nstk_family/struct.Family.html) |
//! | [shim](../nstk/index.html) | `libnstk.so`, which the program loads | its page |
//! | [keeper](../nstk_keeper/index.html) | the program that stands in when a family is gone | its page |
//! | [sim](../nstk_sim/index.html) | stacks on simulated links | [`Scenario`](../nstk_sim/struct.Scenario.html) |
//! | cli | the command `nstk`; each command has a module in `cli/src/commands/` | `cli/src/main.rs` |
//! | [tests](../nstk_tests/index.html) | end-to-end tests with real programs | [`Lab`](../nstk_tests/struct.Lab.html) |
//!
//! # Three ways through the code
//!
//! - **A call of the program**: a hook of [shim](../nstk/index.html), then [`Family`](../nstk_family/struct.Family.html), then a
//!   socket call of [`Stack`](../nstk_stack/struct.Stack.html).
//! - **A frame**: [`Nic`](../nstk_nicio/trait.Nic.html), then `Stack::handle_frames`; the way out is `Stack::poll_transmit`.
//! - **A setting**: a row of `env/src/variable.rs` or `env/src/sysctl/table.rs`, then
//!   [`Settings`](../nstk_env/struct.Settings.html), then `stack::Config`.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

    /// The folders of the workspace's members.
    fn members() -> Vec<String> {
        let manifest =
            fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).expect("it builds this");
        let line = manifest
            .lines()
            .find_map(|line| line.strip_prefix("members = ["))
            .expect("a list");
        let members = line.trim_end_matches(']').split(", ");
        members
            .map(|member| member.trim_matches('"').to_owned())
            .collect()
    }

    fn package(member: &str) -> String {
        let manifest = fs::read_to_string(Path::new(ROOT).join(member).join("Cargo.toml"));
        let manifest = manifest.expect("a member has a manifest");
        let name = manifest
            .lines()
            .find_map(|line| line.strip_prefix("name = "));
        name.expect("a package has a name")
            .trim_matches('"')
            .to_owned()
    }

    #[test]
    fn every_crate_has_a_row() {
        let page = include_str!("lib.rs");
        let members = members();
        assert!(members.len() > 10, "{members:?}");
        for member in members.iter().filter(|member| *member != "architecture") {
            let is_row = |line: &str| {
                line.starts_with(&format!("//! | [{member}]("))
                    || line.starts_with(&format!("//! | {member} |"))
            };
            assert!(page.lines().any(is_row), "{member}");
        }
    }

    /// Cargo opens the page of the first package.
    #[test]
    fn this_is_the_first_by_name() {
        let mut names: Vec<String> = members().iter().map(|member| package(member)).collect();
        names.sort_unstable();
        assert_eq!(names[0], env!("CARGO_PKG_NAME"));
    }
}
