#![allow(missing_docs, unused, clippy::todo, clippy::new_ret_no_self)]
use crate::*;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
pub struct Region(PhantomData<u64>);
impl Region {
    pub fn create(max_bytes: usize) -> Result<Region, RegionError> {
        todo!()
    }
    pub fn attach(fd: impl Into<OwnedFd>) -> Result<Region, RegionError> {
        todo!()
    }
    pub fn attach_read_only(fd: impl Into<OwnedFd>) -> Result<Reader, RegionError> {
        todo!()
    }
    pub fn on_heap(max_bytes: usize) -> Region {
        todo!()
    }
    pub fn fd(&self) -> Option<RawFd> {
        todo!()
    }
    pub fn replace_fd(&self, fd: impl Into<OwnedFd>) -> Result<(), RegionError> {
        todo!()
    }
    pub fn words(&self) -> &Words {
        todo!()
    }
    pub fn table<T: Record>(&self, index: u16, max_slots: u32) -> Result<Table<T>, RegionError> {
        todo!()
    }
    pub fn array<T: Record>(&self, index: u16, len: u32) -> Result<Array<T>, RegionError> {
        todo!()
    }
    pub fn buffers(&self, index: u16, size: u32, max_count: u32) -> Result<Buffers, RegionError> {
        todo!()
    }
}
pub struct Reader(PhantomData<u64>);
impl Reader {
    pub fn words(&self) -> &Words {
        todo!()
    }
    pub fn table<T: Record>(&self, index: u16) -> Result<TableReader<T>, RegionError> {
        todo!()
    }
}
pub struct TableReader<T>(PhantomData<T>);
impl<T: Record> TableReader<T> {
    pub fn slots(&self) -> u32 {
        todo!()
    }
    pub fn snapshot(&self, slot: u32) -> Option<(Id<T>, T)> {
        todo!()
    }
}
pub struct Table<T>(PhantomData<T>);
pub struct Entry<'a, T>(&'a mut T);
impl<T> Deref for Entry<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0
    }
}
impl<T> DerefMut for Entry<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0
    }
}
impl<T> Drop for Entry<'_, T> {
    fn drop(&mut self) {}
}
impl<T: Record> Table<T> {
    pub fn insert(&mut self, record: T) -> Option<Id<T>> {
        todo!()
    }
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        todo!()
    }
    pub fn get_mut(&mut self, id: Id<T>) -> Option<Entry<'_, T>> {
        todo!()
    }
    pub fn remove(&mut self, id: Id<T>) -> Option<T> {
        todo!()
    }
    pub fn len(&self) -> u32 {
        todo!()
    }
    pub fn is_empty(&self) -> bool {
        todo!()
    }
    pub fn max_slots(&self) -> u32 {
        todo!()
    }
    pub fn iter(&self) -> impl Iterator<Item = (Id<T>, &T)> {
        core::iter::empty()
    }
}
pub struct Array<T>(PhantomData<T>);
impl<T: Record> Array<T> {
    pub fn len(&self) -> u32 {
        todo!()
    }
    pub fn is_empty(&self) -> bool {
        todo!()
    }
    pub fn get(&self, i: u32) -> Option<&T> {
        todo!()
    }
    pub fn get_mut(&mut self, i: u32) -> Option<&mut T> {
        todo!()
    }
}
pub struct Buffer(());
pub type BufId = Id<Buffer>;
pub struct Buffers(PhantomData<u64>);
impl Buffers {
    pub fn alloc(&mut self) -> Option<BufId> {
        todo!()
    }
    pub fn retain(&mut self, id: BufId) -> bool {
        todo!()
    }
    pub fn release(&mut self, id: BufId) {
        todo!()
    }
    pub fn size(&self) -> u32 {
        todo!()
    }
    pub fn in_use(&self) -> u32 {
        todo!()
    }
    pub fn max_count(&self) -> u32 {
        todo!()
    }
    pub fn write(&mut self, id: BufId, at: u32, bytes: &[u8]) -> bool {
        todo!()
    }
    pub fn read(&self, id: BufId, at: u32, out: &mut [u8]) -> bool {
        todo!()
    }
    pub fn checksum(&self, id: BufId, at: u32, len: u32, seed: u32) -> Option<u32> {
        todo!()
    }
    pub fn copy(&mut self, from: BufId, from_at: u32, to: BufId, to_at: u32, len: u32) -> bool {
        todo!()
    }
    pub fn piece(&self, id: BufId, at: u32, len: u32) -> Option<Piece> {
        todo!()
    }
}
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    addr: *mut u8,
    len: usize,
}
impl Piece {
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    pub fn as_ptr(&self) -> *mut u8 {
        self.addr
    }
    /// # Safety
    /// x
    pub unsafe fn copy_from(&self, at: usize, src: *const u8, len: usize) {
        todo!()
    }
    /// # Safety
    /// x
    pub unsafe fn copy_to(&self, at: usize, dst: *mut u8, len: usize) {
        todo!()
    }
}
// SAFETY: an address and a length.
unsafe impl Send for Piece {}
pub struct Shared<S> {
    s: core::cell::UnsafeCell<S>,
    region: Region,
}
// SAFETY: the lock.
unsafe impl<S: Send> Sync for Shared<S> {}
pub struct Guard<'a, S>(&'a mut S);
impl<S> Deref for Guard<'_, S> {
    type Target = S;
    fn deref(&self) -> &S {
        self.0
    }
}
impl<S> DerefMut for Guard<'_, S> {
    fn deref_mut(&mut self) -> &mut S {
        self.0
    }
}
impl<S> Drop for Guard<'_, S> {
    fn drop(&mut self) {}
}
impl<S> Shared<S> {
    pub fn new(region: Region, state: S) -> Self {
        todo!()
    }
    pub fn lock(&self) -> Result<Guard<'_, S>, LockError> {
        todo!()
    }
    pub fn try_lock(&self) -> Result<Option<Guard<'_, S>>, LockError> {
        todo!()
    }
    pub fn region(&self) -> &Region {
        todo!()
    }
}
pub mod fork_guard {
    pub fn mark() -> Result<(), crate::RegionError> {
        todo!()
    }
    pub fn is_marked() -> bool {
        todo!()
    }
}
