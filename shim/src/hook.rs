//! Defining hooks: an exported function of ours, and libc's real one behind it.

/// Defines an exported function that replaces libc's for the program.
///
/// `hook! { /// doc  fn name(arg: Type, ..) -> Ret { body } }` exports `name` and makes
/// `real!(name(..))` call what the rest of the program's libraries call `name`. The ABI is
/// `C-unwind`: a thread that is cancelled inside the real function unwinds through us.
///
/// The real function is looked up at its first use, by `dlsym(RTLD_NEXT)`, and its address is kept in a cell. Before
/// that the cell holds the address of a function that looks it up, so that a call needs no check. No thread waits:
/// two may both look, and find the same. If libc has no such function the call answers `ENOSYS`.
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
                    $crate::symbols::resolve(&CELL, concat!(stringify!($name), "\0"), missing as Function as *mut ());
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
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[cfg_attr(test, allow(dead_code, non_snake_case, reason = "unit tests run on libc's own functions"))]
        pub(crate) unsafe extern "C-unwind" fn $name($($arg: $type),*) $(-> $ret)? $body
    };
}

/// Defines an exported function that passes a system call on to the kernel, and not to libc's function: that would be one
/// more address for the loader to set in each program. `passed` is what the kernel has answered.
macro_rules! passing_hook {
    (
        $(#[$meta:meta])*
        fn $name:ident($($arg:ident: $type:ty),*) = $number:ident, |$passed:ident| $then:expr
    ) => {
        $(#[$meta])*
        ///
        /// # Safety
        /// As the call's page in section 2.
        #[cfg_attr(not(test), unsafe(no_mangle))]
        #[cfg_attr(test, allow(dead_code, reason = "see `hook!`"))]
        pub(crate) unsafe extern "C" fn $name($($arg: $type),*) -> core::ffi::c_int {
            let mut words = [0; 6];
            for (to, word) in words.iter_mut().zip([$($arg as usize),*]) {
                *to = word;
            }
            // SAFETY: the program's own call.
            let $passed = unsafe { sys::pass_on(libc::$number, words) };
            $then;
            $passed.map_or_else($crate::errno::fail, |answer| answer as core::ffi::c_int)
        }
    };
}

/// Defines a hook of a function whose first argument is a descriptor. One look at a table tells whose the descriptor
/// is. For the kernel's the hook calls the real function. For one of our sockets it evaluates the expression, which
/// gets the socket's file. If that answers `None` the hook calls the real function, too.
///
/// The part for our sockets is a function of its own. So a call on a kernel descriptor needs no stack frame.
///
/// `unless refused` is for calls that name a peer: the expression says whether the kernel may have the call. It is asked
/// for sockets that went to the kernel for an earlier peer ([`crate::route::admit`]).
macro_rules! socket_hook {
    (
        $(#[$meta:meta])*
        fn $name:ident($fd:ident: c_int $(, $arg:ident: $type:ty)* $(,)?) -> $ret:ty = |$file:ident| $ours:expr
    ) => {
        $crate::hook::socket_hook! {
            @ is_kernel, None::<$ret>, $(#[$meta])* fn $name($fd $(, $arg: $type)*) -> $ret = |$file| $ours
        }
    };
    (
        $(#[$meta:meta])*
        fn $name:ident($fd:ident: c_int $(, $arg:ident: $type:ty)* $(,)?) -> $ret:ty = |$file:ident| $ours:expr,
        unless refused = $admitted:expr
    ) => {
        $crate::hook::socket_hook! {
            @ is_plain,
            $crate::guard::guarded(move || $admitted.err().map($crate::errno::fail::<$ret>)),
            $(#[$meta])* fn $name($fd $(, $arg: $type)*) -> $ret = |$file| $ours
        }
    };
    (
        @ $is_none_of_ours:ident, $refused:expr,
        $(#[$meta:meta])*
        fn $name:ident($fd:ident $(, $arg:ident: $type:ty)*) -> $ret:ty = |$file:ident| $ours:expr
    ) => {
        $crate::hook::hook! {
            $(#[$meta])*
            fn $name($fd: c_int $(, $arg: $type)*) -> $ret {
                #[inline(never)]
                #[allow(clippy::too_many_arguments, reason = "as many as the call has")]
                fn look($fd: c_int $(, $arg: $type)*) -> $ret {
                    let Some($file) = $crate::descriptors::owned($fd) else {
                        return $refused.unwrap_or_else(|| $crate::hook::real!($name($fd $(, $arg)*)));
                    };
                    let answer: Option<$ret> =
                        $crate::guard::guarded(move || $crate::answer::Ours::answer($ours));
                    answer.unwrap_or_else(|| $crate::hook::real!($name($fd $(, $arg)*)))
                }
                if $crate::descriptors::$is_none_of_ours($fd) {
                    return $crate::hook::real!($name($fd $(, $arg)*));
                }
                look($fd $(, $arg)*)
            }
        }
    };
}

/// Calls libc's function behind a hook: `real!(read(fd, buf, len))`.
macro_rules! real {
    ($($name:ident)::+ ($($arg:expr),* $(,)?)) => {{
        let function = $($name)::+::real();
        // SAFETY: the arguments are the program's own, or ones that the real function takes. It checks them itself.
        unsafe { function($($arg),*) }
    }};
}

pub(crate) use {hook, passing_hook, real, socket_hook};
