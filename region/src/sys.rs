use core::ffi::c_int;
pub(crate) unsafe fn close(_fd: c_int) {}
