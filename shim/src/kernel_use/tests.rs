//! The table, and docs/kernel.md, which is made from it.

use expect_test::expect_file;

use super::*;

/// The test that shows this way from end to end.
const fn test_of(way: KernelUse) -> &'static str {
    match way {
        KernelUse::Rule => "a_bypass_rule_sends_a_connection_by_the_kernel_without_a_word",
        KernelUse::Loopback => "loopback_goes_by_the_kernel_without_a_word",
        KernelUse::NameLookup => "a_name_look_up_goes_by_the_kernel_without_a_word",
        KernelUse::NoGateway => "a_peer_behind_no_gateway_is_named_or_refused",
        KernelUse::LaterPeer => "a_later_peer_is_named_or_refused",
        KernelUse::NoAddressOfFamily => "a_peer_of_a_family_without_an_address_is_named_or_refused",
        KernelUse::HostAddress => "an_address_of_the_machine_is_named_or_refused",
        KernelUse::ManyPeers => "a_multicast_peer_is_named_or_refused",
        KernelUse::OtherAddress => "a_bind_to_an_address_of_the_machine_is_named_or_refused",
        KernelUse::OtherInterface => "a_socket_on_another_interface_is_named_or_refused",
        KernelUse::OtherProtocol => "a_socket_of_another_protocol_is_named_or_refused",
        KernelUse::Inherited => "an_inherited_socket_is_named_or_ends_the_program",
        KernelUse::NoMember => "a_socket_of_a_process_that_is_no_member_is_named_or_refused",
    }
}

#[test]
fn the_table_has_each_way_at_its_number() {
    for (at, way) in KernelUse::ALL.into_iter().enumerate() {
        assert_eq!(way as usize, at, "{way:?}");
    }
}

#[test]
fn who_is_refused_is_told_what_to_do() {
    for way in KernelUse::ALL {
        let row = way.row();
        assert_eq!(row.cure.is_empty(), row.wish == Wish::Asked, "{way:?}");
    }
}

#[test]
fn the_committed_document_is_what_scripts_docs_writes() {
    expect_file!["../../../docs/kernel.md"].assert_eq(&document());
}

fn document() -> String {
    let rows = |wish: Wish| -> String {
        let ways = KernelUse::ALL.into_iter();
        ways.filter(|way| way.row().wish == wish)
            .map(line)
            .collect()
    };
    format!(
        "{HEAD}
## Asked for

These go by the kernel's stack without a word. `NSTK_LOG=info` shows each of them.

| way | why | test |
|---|---|---|
{}
## Not asked for

The first socket of each process that takes such a way is named on stderr, with what you can do. With `NSTK_FAIL=exit` it is
refused: `connect` and `sendto` fail with `ENETUNREACH`, `bind` and `listen` with `EADDRNOTAVAIL`, `socket` with `EPROTONOSUPPORT` or `ENETDOWN`.
A program that was started with such a socket ends.

Children beyond the 4,096 processes of a family are named once for all of them.

A socket stays where its first peer sent it. So a UDP socket that went to the kernel with a datagram to loopback or to a name server is looked at again for
each later peer.

| way | why | what you can do | test |
|---|---|---|---|
{}
{TAIL}",
        rows(Wish::Asked),
        rows(Wish::Unasked)
    )
}

fn line(way: KernelUse) -> String {
    let row = way.row();
    let test = test_of(way);
    match row.wish {
        Wish::Asked => format!("| {} | {} | `{test}` |\n", row.name, row.why),
        Wish::Unasked => format!("| {} | {} | {} | `{test}` |\n", row.name, row.why, row.cure),
    }
}

const HEAD: &str = "\
<!-- scripts/docs writes this file from shim/src/kernel_use/. Change that, not this. -->
# Which sockets the kernel has

You compare two stacks, so you must know which one you measured. This page lists every way in which a socket of a program under the library comes to use
the kernel's stack. `nstk run -v` tells at the program's end how many sockets took which way.

`NSTK_FAIL=exit` (`nstk run --fail exit`, its default) means: the stack or nothing.
";

const TAIL: &str = "\
## No stack at all

If the stack cannot be started, one line says why and what happens next. The program then goes on with the kernel's stack, or ends with status 69
(`EX_UNAVAILABLE`) under `NSTK_FAIL=exit`. There are these reasons:

- settings that cannot be obeyed;
- a device that cannot be opened, or that a program has with which this one cannot share it;
- an address of the kernel's own;
- limits that leave too little memory or too few descriptors.

Every one of them goes through one function, `give_up`
in `shim/src/start.rs`. Tests: `a_bad_address_is_named`, `an_interface_that_is_not_there_is_named`, `a_tap_that_a_stranger_holds_is_named`.

## Programs without the library

A program that another program starts is named when the library will not be in it:

- it is statically linked;
- it is made for another processor or another libc;
- its file or its process has privileges that the user has not;
- its environment has no `LD_PRELOAD`;
- it cannot open the library: it runs as another user, in a `chroot`, or in another directory than a short path is meant for.

A process and those that it forks name each file once for each output. Such a program is never refused, since nobody knows whether it makes sockets at all. `nstk run` itself
refuses such a program under `--fail exit`. Tests: `a_program_without_the_library_is_named`, `a_program_that_is_started_without_the_preload_is_named`,
`a_program_that_is_started_often_is_named_once_for_each_output`.

## What nobody sees

- What peers send to a UDP server on a wildcard after the kernel has got it, with a datagram to loopback. They learn that nobody listens at the stack's
  address. The server's answers to them are judged.
- Inherited sockets at other numbers than 0 and those of `LISTEN_FDS`.
- libc's functions when a plugin calls them past the library (`RTLD_DEEPBIND`, `dlsym` on libc's handle).
- System calls that a program makes without libc: Go programs, io_uring, inline assembly. `nstk doctor PROGRAM` names Go programs.
- Look-ups that libc itself makes: `getaddrinfo` asks name servers through the kernel.
- A kernel socket that another process passes on (`SCM_RIGHTS`).
";
