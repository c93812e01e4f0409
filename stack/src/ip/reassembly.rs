//! Putting fragments together (RFC 791 section 3.2, RFC 815, RFC 8200 section 4.5) within bounds: of memory for each family
//! (`net.ipv4.ipfrag_high_thresh`, `net.ipv6.ip6frag_high_thresh`), of datagrams in all and for each sender. Where Linux
//! refuses new fragments when its memory is used up, here the sender with most half datagrams loses its oldest: a datagram
//! of somebody else is complete long before it is the oldest of most.

mod assembly;
mod fragment;
mod sources;

pub(crate) use self::fragment::Fragment;

use self::assembly::{Assembly, Progress};
use self::sources::Sources;
use crate::context::Context;
use crate::frame::BufRange;
use crate::layout;
use crate::packet::Chain;
use crate::time::Instant;
use core::time::Duration;
use region::{Id, Region, RegionError, Table};

/// All half-assembled datagrams.
pub(crate) struct Reassembly {
    datagrams: Table<Assembly>,
    sources: Sources,
}

impl Reassembly {
    pub(crate) fn open(region: &Region) -> Result<Self, RegionError> {
        Ok(Self {
            datagrams: region.table(layout::REASSEMBLY, 2 * DATAGRAMS)?,
            sources: Sources::open(region)?,
        })
    }

    /// Takes one fragment. Gives the IP payload when it completes it; its buffers then belong to the caller.
    pub(crate) fn add(
        &mut self,
        cx: &mut Context<'_>,
        fragment: &Fragment,
        bytes: impl Iterator<Item = BufRange>,
    ) -> Option<Chain> {
        cx.global.mib.ip_reasm_reqds += 1;
        let id = self.find_or_start(cx, fragment)?;
        let is_v4 = fragment.src.is_v4();
        let missing = self.datagrams.get(id)?.missing(fragment);
        if !self.make_room(cx, is_v4, missing) {
            self.give_up(cx, id);
            return None;
        }
        // It may have made room itself.
        let mut assembly = self.datagrams.get_mut(id)?;
        let before = assembly.held();
        let progress = assembly.take(cx, fragment, bytes);
        let more = assembly.held().saturating_sub(before);
        drop(assembly);
        *held(cx, is_v4) += more;
        match progress {
            Progress::Waiting => None,
            Progress::Complete(chain) => {
                self.remove(cx, id)?;
                cx.global.mib.ip_reasm_oks += 1;
                Some(chain)
            }
            Progress::Broken => {
                self.give_up(cx, id);
                None
            }
        }
    }

    /// Gives up what has waited too long.
    pub(crate) fn expire(&mut self, cx: &mut Context<'_>) {
        if cx.now < cx.global.reassembly_due {
            return;
        }
        let mut next = Instant::FAR;
        for place in self.sources.places() {
            while let Some(source) = self.sources.get(place).filter(|list| list.datagrams > 0) {
                if source.deadline > cx.now {
                    next = next.min(source.deadline);
                    break;
                }
                self.give_up(cx, source.oldest);
            }
        }
        cx.global.reassembly_due = next;
    }

    /// Forgets all, in a repair. The buffers are counted anew.
    pub(super) fn forget(&mut self) {
        self.datagrams.unmark_all();
        self.datagrams.sweep();
        self.sources.forget();
    }

    /// The datagram of a fragment.
    fn find_or_start(&mut self, cx: &mut Context<'_>, fragment: &Fragment) -> Option<Id<Assembly>> {
        let place = Sources::place(cx, fragment.src);
        let source = self.sources.get_mut(place)?;
        source.seen = source.seen.wrapping_add(1);
        let (seen, oldest, datagrams) = (source.seen, source.oldest, source.datagrams);
        if let Some(id) = self.find(oldest, fragment) {
            let mut found = self.datagrams.get_mut(id)?;
            let distance = seen.wrapping_sub(core::mem::replace(&mut found.seen, seen));
            drop(found);
            let max = cx.global.config.ipfrag_max_dist;
            if !fragment.src.is_v4() || max == 0 || distance <= max {
                return Some(id);
            }
            // Linux: ip_frag_too_far. The sender's identifications have come round, or soon will have.
            self.give_up(cx, id);
        } else if datagrams >= SHARE {
            self.give_up(cx, oldest);
        }
        self.start(cx, fragment, place, seen)
    }

    fn find(&self, oldest: Id<Assembly>, fragment: &Fragment) -> Option<Id<Assembly>> {
        let mut next = oldest;
        for _ in 0..SHARE {
            let assembly = self.datagrams.get(next)?;
            if assembly.matches(fragment) {
                return Some(next);
            }
            next = assembly.newer;
        }
        None
    }

    fn start(
        &mut self,
        cx: &mut Context<'_>,
        fragment: &Fragment,
        place: u32,
        seen: u32,
    ) -> Option<Id<Assembly>> {
        let config = &cx.global.config;
        let patience = if fragment.src.is_v4() {
            config.ipfrag_time_s
        } else {
            config.ip6frag_time_s
        };
        let deadline = cx.now + Duration::from_secs(patience.into());
        let mut assembly = Assembly::new(fragment, place, deadline);
        (assembly.seen, assembly.number) = (seen, cx.global.mib.ip_reasm_reqds);
        let is_v4 = fragment.src.is_v4();
        if self.datagrams.len() >= DATAGRAMS
            && self.sources.datagrams(is_v4) >= DATAGRAMS
            && let Some(other) = self.sources.most(is_v4)
        {
            self.give_up(cx, other);
        }
        let id = self.datagrams.insert(assembly)?;
        self.sources.append(&mut self.datagrams, id);
        cx.global.reassembly_due = cx.global.reassembly_due.min(deadline);
        Some(id)
    }

    /// Sees to it that `more` buffers can be held. False: they cannot.
    fn make_room(&mut self, cx: &mut Context<'_>, is_v4: bool, more: u32) -> bool {
        let config = &cx.global.config;
        let bytes = if is_v4 {
            config.ipfrag_high_thresh
        } else {
            config.ip6frag_high_thresh
        };
        let max = bytes / u64::from(layout::RECEIVE_BUFFER);
        let max = u32::try_from(max).unwrap_or(u32::MAX);
        if more > max {
            return false;
        }
        while *held(cx, is_v4) > max - more {
            let Some(id) = self.sources.most(is_v4) else {
                return false;
            };
            self.give_up(cx, id);
        }
        true
    }

    fn give_up(&mut self, cx: &mut Context<'_>, id: Id<Assembly>) {
        if let Some(gone) = self.remove(cx, id) {
            gone.release(cx);
            cx.global.mib.ip_reasm_fails += 1;
        }
    }

    /// Takes a datagram out. Its buffers are the caller's.
    fn remove(&mut self, cx: &mut Context<'_>, id: Id<Assembly>) -> Option<Assembly> {
        let gone = self.datagrams.remove(id)?;
        self.sources.withdraw(&mut self.datagrams, &gone);
        let held = held(cx, gone.is_v4());
        *held = held.saturating_sub(gone.held());
        Some(gone)
    }
}

/// Buffers that the fragments of a family hold.
fn held<'c>(cx: &'c mut Context<'_>, is_v4: bool) -> &'c mut u32 {
    let [v4, v6] = &mut cx.global.fragment_buffers;
    if is_v4 { v4 } else { v6 }
}

/// Most half datagrams of a family.
const DATAGRAMS: u32 = 1024;
/// Most half datagrams of the senders that share a list.
const SHARE: u32 = 64;
