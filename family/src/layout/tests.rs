use std::collections::BTreeSet;

use super::{DEVICE_OWNER, EPOLLS, FILE_HOLDS, FILES, SET_HOLDS};
use crate::epoll::Epolls;

#[test]
fn no_two_tables_have_one_place() {
    let tables: Vec<u16> = [FILES, FILE_HOLDS, SET_HOLDS, DEVICE_OWNER]
        .into_iter()
        .chain(EPOLLS..EPOLLS + Epolls::TABLES)
        .collect();
    let places: BTreeSet<u16> = tables.iter().copied().collect();
    assert_eq!(places.len(), tables.len(), "{tables:?}");
    assert!(places.iter().all(|place| *place >= stack::TABLES_END));
    assert!(places.iter().all(|place| *place < region::TABLES_MAX));
}
