//! The table of ways to the kernel's stack.

use super::{KernelUse, Wish};

pub(super) struct Row {
    pub(super) wish: Wish,
    /// A few words for the count at a program's end.
    pub(super) name: &'static str,
    pub(super) why: &'static str,
    /// What the user may do about it; empty where the way is asked for.
    pub(super) cure: &'static str,
}

impl KernelUse {
    pub(super) const ALL: [Self; 13] = [
        Self::Rule,
        Self::Loopback,
        Self::NameLookup,
        Self::NoGateway,
        Self::LaterPeer,
        Self::NoAddressOfFamily,
        Self::HostAddress,
        Self::ManyPeers,
        Self::OtherAddress,
        Self::OtherInterface,
        Self::OtherProtocol,
        Self::Inherited,
        Self::NoMember,
    ];

    pub(super) const fn row(self) -> Row {
        match self {
            Self::Rule => asked("a rule", "NSTK_BYPASS says so"),
            Self::Loopback => asked(
                "loopback",
                "loopback addresses are the kernel's, unless NSTK_LOOPBACK=stack",
            ),
            Self::NameLookup => asked(
                "name look-ups",
                "name servers outside NSTK_ADDR's networks are asked by the kernel",
            ),
            Self::NoGateway => unasked(
                "no gateway",
                "it is outside NSTK_ADDR's networks, and there is no NSTK_GATEWAY",
                "set NSTK_GATEWAY=ROUTER (nstk run --gateway ROUTER)",
            ),
            Self::LaterPeer => unasked(
                "later peer",
                "its socket went to the kernel for an earlier peer, and stays there",
                "let the program use a socket for each peer or bind the stack's address, or allow it with the rule NSTK_BYPASS=\"kernel connect ADDRESS\"",
            ),
            Self::NoAddressOfFamily => unasked(
                "no address of the family",
                "NSTK_ADDR has no address of this family",
                "add one, as in NSTK_ADDR=10.0.0.2/24,fd00::2/64",
            ),
            Self::HostAddress => unasked(
                "this machine's own address",
                "it is the kernel's own address on this machine, outside NSTK_ADDR's networks",
                "if NSTK_IF leads to it, give NSTK_ADDR an address of its network, such as 10.0.0.2/24 or fd00::2/64; or allow it with the rule NSTK_BYPASS=\"kernel connect ADDRESS\"",
            ),
            Self::ManyPeers => unasked(
                "multicast or broadcast",
                "the stack has no multicast and no broadcast",
                "allow it with the rule NSTK_BYPASS=\"kernel connect ADDRESS\"",
            ),
            Self::OtherAddress => unasked(
                "another local address",
                "it is no address of NSTK_ADDR",
                "bind the stack's own address or a wildcard, or allow it with the rule NSTK_BYPASS=\"kernel listen ADDRESS\"",
            ),
            Self::OtherInterface => unasked(
                "another interface",
                "its scope id is not that of NSTK_IF's interface",
                "write the address with it, as in fe80::1%tap0",
            ),
            Self::OtherProtocol => unasked(
                "another protocol",
                "the stack has TCP and UDP only",
                "run programs that need others on the kernel's stack",
            ),
            Self::Inherited => unasked(
                "inherited",
                "it is a socket that another program has made in the kernel's stack (inetd, systemd's LISTEN_FDS)",
                "let the program make its sockets itself",
            ),
            Self::NoMember => unasked(
                "no member of the family",
                "this process cannot use its parent's stack",
                "make the first socket in the process that uses it, or start fewer processes",
            ),
        }
    }
}

const fn asked(name: &'static str, why: &'static str) -> Row {
    Row {
        wish: Wish::Asked,
        name,
        why,
        cure: "",
    }
}

const fn unasked(name: &'static str, why: &'static str, cure: &'static str) -> Row {
    Row {
        wish: Wish::Unasked,
        name,
        why,
        cure,
    }
}
