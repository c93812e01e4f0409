use stack::Instant;

use super::{earlier, now};

#[test]
fn the_earlier_of_two_times_is_the_one_that_ever_comes() {
    let (soon, late) = (Instant::from_millis(1), Instant::from_millis(2));
    assert_eq!(earlier(Some(soon), Some(late)), Some(soon));
    assert_eq!(earlier(Some(late), Some(soon)), Some(soon));
    assert_eq!(earlier(Some(late), None), Some(late));
    assert_eq!(earlier(None, Some(late)), Some(late));
    assert_eq!(earlier(None, None), None);
}

#[test]
fn time_passes() {
    let before = now();
    let pause = core::time::Duration::from_millis(2);
    std::thread::sleep(pause);
    assert!(now().saturating_since(before) >= pause);
}
