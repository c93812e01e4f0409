//! What other processes say, in shared memory and in messages. Nothing of it is believed, whatever it is.

mod capture;
mod knock;
mod link;
mod pools;

use arbitrary::Unstructured;

/// Hears what `bytes` describe; the first says of whom.
///
/// # Panics
/// Something was believed.
pub fn hear(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    // Bytes run out somewhere: what was done until then counts.
    let _ = match bytes.arbitrary::<u8>().unwrap_or(0) % 8 {
        0..=2 => link::hostile(&mut bytes),
        3..=4 => link::round_trip(&mut bytes),
        5..=6 => capture::scribbled(&mut bytes),
        _ => knock::knock(&mut bytes),
    };
}
