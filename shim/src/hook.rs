//! What a hook is made of: the exported function, the real one behind it, and the guard round what
//! we do ourselves.

use core::ffi::c_int;
use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::panic::{self, AssertUnwindSafe};

use once_cell::race::OnceNonZeroUsize;

use crate::errno::{Errno, Failed, fail};
use crate::route::Way;
use crate::{panics, roomy, start, thread};

/// Defines an exported function that stands in front of libc's.
///
/// `hook! { /// doc  fn name(arg: Type, ..) -> Ret { body } }` exports `name` and makes
/// `real!(name(..))` call what the rest of the program's libraries call `name`. The ABI is
/// `C-unwind`: a thread that is cancelled inside the real function unwinds through us.
///
/// Real functions are found at their first use, by `dlsym(RTLD_NEXT)`. The cell that remembers one
/// leads to a function that looks for it until then, so that the way past needs no question. Nobody
/// waits: two threads may both look, both find the same. A function that libc does not have answers
/// `ENOSYS`.
macro_rules! hook {
    ($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        #[allow(non_camel_case_types, reason = "named after the function, in the namespace of types")]
        pub(crate) struct $name {}

        impl $name {
            /// The real function.
            #[inline(always)]
            pub(crate) fn real() -> unsafe extern "C-unwind" fn($($type),*) $(-> $ret)? {
                type Function = unsafe extern "C-unwind" fn($($type),*) $(-> $ret)?;
                static CELL: AtomicPtr<()> = AtomicPtr::new(first as Function as *mut ());
                #[cold]
                #[allow(clippy::too_many_arguments, reason = "as many as the call has")]
                unsafe extern "C-unwind" fn first($($arg: $type),*) $(-> $ret)? {
                    $crate::hook::resolve(&CELL, concat!(stringify!($name), "\0"), missing as Function as *mut ());
                    $crate::hook::real!($name($($arg),*))
                }
                #[cold]
                #[allow(clippy::too_many_arguments, reason = "as many as the call has")]
                unsafe extern "C-unwind" fn missing($(_: $type),*) $(-> $ret)? {
                    $crate::errno::fail(libc::ENOSYS)
                }
                use core::sync::atomic::{AtomicPtr, Ordering};
                // Relaxed: the pointer leads to code, which was there before any thread was.
                let address = CELL.load(Ordering::Relaxed);
                // SAFETY: the address is that of the C function of this name, whose type the hook
                // declares, or of one of the two above.
                unsafe { core::mem::transmute::<*mut (), Function>(address) }
            }
        }

        $(#[$meta])*
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C-unwind" fn $name($($arg: $type),*) $(-> $ret)? $body
    };
}

/// Defines a hook of a function whose first argument is a descriptor: `hook!` for the kernel's
/// descriptors, at the price of one look at a table, and for a socket of ours the expression, given
/// the socket's file. Where that says that the kernel is to answer (`None`) the real function is
/// called after all.
///
/// What is done for a socket of ours lies in a function of its own, so that the way past it needs
/// no stack frame.
macro_rules! socket_hook {
    (
        $(#[$meta:meta])*
        fn $name:ident($fd:ident: c_int $(, $arg:ident: $type:ty)* $(,)?) -> $ret:ty = |$file:ident| $ours:expr
    ) => {
        $crate::hook::hook! {
            $(#[$meta])*
            fn $name($fd: c_int $(, $arg: $type)*) -> $ret {
                #[inline(never)]
                #[allow(clippy::too_many_arguments, reason = "as many as the call has")]
                fn look($fd: c_int $(, $arg: $type)*) -> $ret {
                    let Some($file) = $crate::descriptors::owned($fd) else {
                        return $crate::hook::real!($name($fd $(, $arg)*));
                    };
                    let answer: Option<$ret> =
                        $crate::hook::guarded(move || $crate::hook::Ours::answer($ours));
                    answer.unwrap_or_else(|| $crate::hook::real!($name($fd $(, $arg)*)))
                }
                if $crate::descriptors::is_kernel($fd) {
                    return $crate::hook::real!($name($fd $(, $arg)*));
                }
                look($fd $(, $arg)*)
            }
        }
    };
}

/// Calls the function that a hook stands in front of: `real!(read(fd, buf, len))`.
macro_rules! real {
    ($($name:ident)::+ ($($arg:expr),* $(,)?)) => {{
        let function = $($name)::+::real();
        // SAFETY: the arguments are the program's own, or ones that the real function takes; it
        // judges them itself.
        unsafe { function($($arg),*) }
    }};
}

pub(crate) use {hook, real, socket_hook};

/// Finds the function that the rest of the program's libraries know by `symbol` (which ends in a zero
/// byte), or leaves `missing` in the cell where libc has none.
#[inline(never)]
pub(crate) fn resolve(cell: &AtomicPtr<()>, symbol: &'static str, missing: *mut ()) {
    cell.store(find(symbol).unwrap_or(missing), Ordering::Relaxed);
}

fn find(symbol: &'static str) -> Option<*mut ()> {
    panics::install();
    // redhook panics where the symbol is missing.
    // SAFETY: the string ends in a zero byte, see `hook!`.
    let found = panic::catch_unwind(|| unsafe { redhook::ld_preload::dlsym_next(symbol) });
    found.ok().map(|address| address.cast_mut().cast())
}

/// Remembers where a function of libc is that has no hook, or another signature than its hook.
pub(crate) struct Cell(OnceNonZeroUsize);

impl Cell {
    pub(crate) const fn new() -> Self {
        Self(OnceNonZeroUsize::new())
    }

    /// Address of `symbol` (which ends in a zero byte), or `missing` where libc has no such
    /// function.
    pub(crate) fn get(&self, symbol: &'static str, missing: *mut ()) -> *mut () {
        let address = self.0.get_or_init(|| {
            let address = find(symbol).unwrap_or(missing);
            NonZeroUsize::new(address as usize).unwrap_or(NonZeroUsize::MIN)
        });
        address.get() as *mut ()
    }
}

/// Runs what a hook does for a descriptor of ours. No panic leaves it: the stack is marked as
/// failed and the call answers `ENETDOWN`, as do all later ones. Nothing is tried again on the
/// kernel.
#[inline]
pub(crate) fn guarded<R: Failed>(call: impl FnOnce() -> R) -> R {
    // Handlers wait until the call rests or ends: one that never comes back (longjmp) must leave
    // nothing half done.
    let (_inside, roomy) = thread::inside_with_room(roomy::pointer());
    if roomy { caught(call) } else { with_room(call) }
}

#[cold]
#[inline(never)]
fn with_room<R: Failed>(call: impl FnOnce() -> R) -> R {
    let (mut call, mut result) = (Some(call), None);
    roomy::call(&mut || result = call.take().map(caught));
    result.unwrap_or_else(|| fail(libc::ENOMEM))
}

#[inline]
fn caught<R: Failed>(call: impl FnOnce() -> R) -> R {
    panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        // Dropping it could panic once more.
        core::mem::forget(payload);
        start::mark_failed();
        fail(libc::ENETDOWN)
    })
}

/// Result of a call that answers with a number or -1.
#[inline]
pub(crate) fn answer<R: Failed + TryFrom<usize>>(result: Result<usize, Errno>) -> R {
    match result {
        // Lengths were cut to what the type can tell before anything was done.
        Ok(number) => R::try_from(number).unwrap_or(R::FAILED),
        Err(errno) => fail(errno),
    }
}

/// Result of a call that answers with 0 or -1.
#[inline]
pub(crate) fn done(result: Result<(), Errno>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(errno) => fail(errno),
    }
}

/// Result of a call that may route its socket. `None`: the socket is the kernel's now, and the real
/// function has to be called.
#[inline]
pub(crate) fn unless_kernel<R, N>(result: Result<Way<N>, Errno>) -> Option<R>
where
    R: Failed + TryFrom<usize>,
    N: Number,
{
    match result {
        Ok(Way::Stack(number)) => Some(answer(Ok(number.number()))),
        Ok(Way::Kernel) => None,
        Err(errno) => Some(fail(errno)),
    }
}

/// What a successful call returns.
pub(crate) trait Number {
    fn number(self) -> usize;
}

impl Number for () {
    fn number(self) -> usize {
        0
    }
}

impl Number for usize {
    fn number(self) -> usize {
        self
    }
}

/// What a hook has to say about a socket of ours: the call's value, or `None` for "ask the kernel".
pub(crate) trait Ours<R> {
    fn answer(self) -> Option<R>;
}

impl<R> Ours<R> for R {
    fn answer(self) -> Option<R> {
        Some(self)
    }
}

impl<R> Ours<R> for Option<R> {
    fn answer(self) -> Self {
        self
    }
}
