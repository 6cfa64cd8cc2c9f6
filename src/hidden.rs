//! Types that hold what clients sent: their `Debug` names the type and nothing in it, so that no log line, no error and no panic
//! can say more.

/// Implements `Debug` for types that hold payload.
macro_rules! hidden {
    ($($name:ident $(<$generic:tt>)?),+ $(,)?) => {
        $(impl $(<$generic>)? std::fmt::Debug for $name $(<$generic>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}

pub(crate) use hidden;
