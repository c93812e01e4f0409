//! IPv6 extension headers (RFC 8200 section 4): skipped on the way to the transport header, as far as they may be.

use super::ipv6::{FRAGMENT, FRAGMENT_HEADER, Fragment, HEADER};

/// What comes after the extension headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Upper {
    /// The transport protocol; [`NO_NEXT_HEADER`]: nothing follows.
    pub(crate) protocol: u8,
    /// Where it begins.
    pub(crate) at: usize,
    /// Where the byte is that says so.
    pub(crate) named_at: usize,
    /// A fragment header: `at` is where its data begins, whatever that is.
    pub(crate) fragment: Option<Fragment>,
}

/// Why there is no way to the transport header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The packet is to be dropped without a word.
    Silently,
    /// The sender is to be told.
    With(Problem),
}

/// A parameter problem (RFC 4443 section 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: u8,
    /// Where in the packet.
    pub(crate) at: usize,
}

impl Problem {
    /// A first fragment without all headers (RFC 7112 section 5).
    pub(crate) const INCOMPLETE: Self = Self { code: 3, at: 0 };

    /// A header field that makes no sense.
    const fn field(at: usize) -> Refused {
        Refused::With(Self { code: 0, at })
    }

    /// A next header that is not known.
    pub(crate) const fn next_header(at: usize) -> Self {
        Self { code: 1, at }
    }

    /// An option that is not known.
    const fn option(at: usize) -> Refused {
        Refused::With(Self { code: 2, at })
    }
}

/// Walks the headers of a packet from `from` on, as far as the first fragment header. `bytes`: the beginning of the
/// packet; a chain of headers that is longer is refused silently (RFC 7112 lets us).
pub(crate) fn walk(bytes: &[u8], from: Upper) -> Result<Upper, Refused> {
    let mut here = from;
    for _ in 0..HEADERS_MAX {
        let rest = bytes.get(here.at..).ok_or(Refused::Silently)?;
        match here.protocol {
            HOP_BY_HOP if here.at != HEADER => {
                return Err(Refused::With(Problem::next_header(here.named_at)));
            }
            HOP_BY_HOP | DESTINATION_OPTIONS => check_options(rest, here.at)?,
            // Who is left to be visited is nobody's business here: routers along the way are not hosts.
            ROUTING if rest.get(3).is_some_and(|&left| left != 0) => {
                return Err(Problem::field(here.at.saturating_add(2)));
            }
            ROUTING => {}
            FRAGMENT => {
                let fragment = Fragment::parse(rest).ok_or(Refused::Silently)?;
                return Ok(Upper {
                    protocol: fragment.next,
                    at: here.at.saturating_add(FRAGMENT_HEADER),
                    named_at: here.at,
                    fragment: Some(fragment),
                });
            }
            _ => return Ok(here),
        }
        let (&[next, _], len) = (
            rest.first_chunk().ok_or(Refused::Silently)?,
            len_of(rest).ok_or(Refused::Silently)?,
        );
        here = Upper {
            protocol: next,
            at: here.at.saturating_add(len),
            named_at: here.at,
            fragment: None,
        };
    }
    Err(Refused::Silently)
}

/// Looks through the options of a header at `at` (RFC 8200 section 4.2). None of them means anything here; those that must
/// not be skipped are refused.
fn check_options(header: &[u8], at: usize) -> Result<(), Refused> {
    let len = len_of(header).ok_or(Refused::Silently)?;
    let header = header.get(..len).ok_or(Refused::Silently)?;
    let mut offset = 2;
    while let Some(&kind) = header.get(offset) {
        if kind == PAD1 {
            offset += 1;
            continue;
        }
        let data = *header
            .get(offset.saturating_add(1))
            .ok_or(Refused::Silently)?;
        match kind >> 6 {
            0 => {}
            1 => return Err(Refused::Silently),
            _ => return Err(Problem::option(at.saturating_add(offset))),
        }
        offset = offset.saturating_add(2).saturating_add(usize::from(data));
    }
    // An option that runs over the end of its header.
    if offset == len {
        Ok(())
    } else {
        Err(Refused::Silently)
    }
}

/// Bytes of a header of options or a routing header.
fn len_of(header: &[u8]) -> Option<usize> {
    header.get(1).map(|&eights| (usize::from(eights) + 1) * 8)
}

/// Nothing follows (RFC 8200 section 4.7).
pub(crate) const NO_NEXT_HEADER: u8 = 59;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const DESTINATION_OPTIONS: u8 = 60;
const PAD1: u8 = 0;
/// More headers than any honest packet has.
const HEADERS_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn from(protocol: u8) -> Upper {
        Upper {
            protocol,
            at: HEADER,
            named_at: 6,
            fragment: None,
        }
    }

    /// The walk over `headers`, of which `first` is the first.
    fn walked(first: u8, headers: &[u8]) -> Result<Upper, Refused> {
        walk(&[&[0; HEADER], headers].concat(), from(first))
    }

    #[test]
    fn options_and_finished_routes_are_skipped() {
        let router_alert = [60, 0, 5, 2, 0, 0, 1, 0];
        let unknown_but_harmless = [43, 0, 0x1e, 4, 9, 9, 9, 9];
        let finished_route = [6, 0, 0, 0, 0, 0, 0, 0];
        let headers = [router_alert, unknown_but_harmless, finished_route].concat();
        let upper = walked(0, &headers).expect("nothing stands in the way");
        assert_eq!((upper.protocol, upper.at, upper.named_at), (6, 64, 56));
    }

    #[test]
    fn what_must_not_be_skipped_is_refused() {
        let option = |kind| walked(60, &[6, 0, 1, 0, kind, 0, 1, 0]);
        assert_eq!(option(0x40), Err(Refused::Silently));
        for kind in [0x80, 0xc2] {
            assert_eq!(
                option(kind),
                Err(Refused::With(Problem { code: 2, at: 44 }))
            );
        }
        let route_ahead = walked(43, &[6, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(route_ahead, Err(Refused::With(Problem { code: 0, at: 42 })));
        let late_hop_by_hop = walked(60, &[0, 0, 1, 4, 0, 0, 0, 0]);
        assert_eq!(
            late_hop_by_hop,
            Err(Refused::With(Problem { code: 1, at: 40 }))
        );
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        for headers in [
            &[6, 1, 1, 4, 0, 0, 0, 0][..],
            &[6, 0, 1, 5, 0, 0, 0, 0],
            &[6, 0, 1],
            &[6],
        ] {
            assert_eq!(walked(60, headers), Err(Refused::Silently));
        }
        let endless: Vec<u8> = [60, 0, 1, 4, 0, 0, 0, 0].repeat(20);
        assert_eq!(walked(60, &endless), Err(Refused::Silently));
    }

    #[test]
    fn a_fragment_header_ends_the_walk() {
        let fragment = Fragment {
            next: 17,
            at: 1448,
            more: true,
            ident: 7,
        };
        let upper =
            walked(44, zerocopy::IntoBytes::as_bytes(&fragment.emit())).expect("a fragment");
        assert_eq!((upper.protocol, upper.at), (17, 48));
        assert_eq!(upper.fragment, Some(fragment));
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_or_refused(first: u8, bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            if let Ok(upper) = walked(first, &bytes) {
                prop_assert!(upper.at <= HEADER + bytes.len());
            }
        }

        #[test]
        fn any_chain_of_extension_headers_is_walked_or_refused(
            kinds in proptest::collection::vec(prop_oneof![Just(0u8), Just(43), Just(44), Just(60), Just(6)], 1..12),
            rest in proptest::collection::vec(any::<u8>(), 96)
        ) {
            let mut bytes = rest;
            for (header, kind) in bytes.chunks_mut(8).zip(&kinds) {
                header[..2].copy_from_slice(&[*kind, 0]);
            }
            let _ = walked(kinds[0], &bytes);
        }
    }
}
