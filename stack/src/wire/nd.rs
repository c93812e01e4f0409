//! Neighbour discovery: solicitations and advertisements (RFC 4861 sections 4.3, 4.4).

use crate::addr::Addr;
use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// What one neighbour says to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Who has `target`?
    Solicitation {
        target: Addr,
        /// The asker's Ethernet address, if it says so.
        source: Option<[u8; 6]>,
    },
    /// `target` is mine.
    Advertisement {
        target: Addr,
        /// The speaker's Ethernet address, if it says so.
        station: Option<[u8; 6]>,
        /// In answer to a solicitation.
        solicited: bool,
        /// What was known of it before is out of date.
        overrides: bool,
    },
}

/// As on the wire, with the one option that is ever sent.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Wire {
    fixed: Fixed,
    option: LinkAddress,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct Fixed {
    kind: u8,
    code: u8,
    checksum: U16,
    flags: u8,
    reserved: [u8; 3],
    target: [u8; 16],
}

/// Source or target link-layer address (RFC 4861 section 4.6.1).
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct LinkAddress {
    kind: u8,
    eights: u8,
    mac: [u8; 6],
}

impl Message {
    /// The message in `bytes`, an ICMPv6 packet. `None`: another kind, or one that is not valid (RFC 4861 sections 7.1.1
    /// and 7.1.2; what the IP header has to say is the caller's matter).
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (fixed, options) = Fixed::read_from_prefix(bytes).ok()?;
        let target = Addr::v6(fixed.target);
        if fixed.code != 0 || target.is_multicast() || target.is_v4() {
            return None;
        }
        match fixed.kind {
            SOLICITATION => Some(Self::Solicitation {
                target,
                source: link_address(options, SOURCE)?,
            }),
            ADVERTISEMENT => Some(Self::Advertisement {
                target,
                station: link_address(options, TARGET)?,
                solicited: fixed.flags & SOLICITED != 0,
                overrides: fixed.flags & OVERRIDE != 0,
            }),
            _ => None,
        }
    }

    /// As on the wire, with a zero checksum. The option names `own` whatever the message says.
    pub(crate) fn emit(&self, own: [u8; 6]) -> Wire {
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let (kind, target, flags, option) = match *self {
            Self::Solicitation { target, .. } => (SOLICITATION, target, 0, SOURCE),
            Self::Advertisement {
                target,
                solicited,
                overrides,
                ..
            } => {
                let flags = flag(solicited, SOLICITED) | flag(overrides, OVERRIDE);
                (ADVERTISEMENT, target, flags, TARGET)
            }
        };
        Wire {
            fixed: Fixed {
                kind,
                code: 0,
                checksum: U16::ZERO,
                flags,
                reserved: [0; 3],
                target: target.octets(),
            },
            option: LinkAddress {
                kind: option,
                eights: 1,
                mac: own,
            },
        }
    }
}

/// The Ethernet address in the option `kind`, if there is one that a single station can have. `None`: an option has no
/// length, or runs over the end.
fn link_address(mut options: &[u8], kind: u8) -> Option<Option<[u8; 6]>> {
    let mut found = None;
    while let [this, eights, ..] = *options {
        let len = usize::from(eights) * 8;
        if len == 0 {
            return None;
        }
        let (option, rest) = options.split_at_checked(len)?;
        if this == kind
            && let Ok((LinkAddress { mac, .. }, _)) = LinkAddress::read_from_prefix(option)
        {
            found = Some(mac).filter(|mac| !super::ethernet::is_group(*mac));
        }
        options = rest;
    }
    Some(found)
}

const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;
const SOURCE: u8 = 1;
const TARGET: u8 = 2;
const _: () = assert!(size_of::<Wire>() == 32);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];
    const TARGET_IP: Addr = Addr::v6([0xfd; 16]);

    #[test]
    fn what_is_emitted_is_parsed_back() {
        let solicitation = Message::Solicitation {
            target: TARGET_IP,
            source: Some(MAC),
        };
        let advertisement = |solicited, overrides| Message::Advertisement {
            target: TARGET_IP,
            station: Some(MAC),
            solicited,
            overrides,
        };
        for message in [
            solicitation,
            advertisement(true, false),
            advertisement(false, true),
        ] {
            assert_eq!(Message::parse(message.emit(MAC).as_bytes()), Some(message));
        }
    }

    #[test]
    fn options_without_length_and_groups_are_refused() {
        let wire = Message::Solicitation {
            target: TARGET_IP,
            source: None,
        }
        .emit(MAC);
        let mut bytes = wire.as_bytes().to_vec();
        assert!(
            Message::parse(&bytes[..24]).is_some(),
            "options may be missing"
        );
        assert_eq!(Message::parse(&bytes[..31]), None);
        bytes[25] = 0;
        assert_eq!(Message::parse(&bytes), None);
        bytes[25] = 1;
        bytes[26] = 0x33;
        let nobody = Message::Solicitation {
            target: TARGET_IP,
            source: None,
        };
        assert_eq!(Message::parse(&bytes), Some(nobody));
        bytes[8] = 0xff;
        assert_eq!(Message::parse(&bytes), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(
            kind in prop_oneof![Just(135u8), Just(136), any::<u8>()],
            bytes in proptest::collection::vec(any::<u8>(), 0..80)
        ) {
            let _ = Message::parse(&[&[kind, 0][..], &bytes].concat());
        }
    }
}
