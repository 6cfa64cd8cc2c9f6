//! Panics on purpose, for the drill and the tests: to see that one in any layer ends one exchange, fails closed and is counted.
//!
//! Nothing that is configured, sent or set in the environment reaches this: only code that starts a proxy can arm it, and what serves
//! holds [`Faults::none`], which is one comparison with nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a panic on purpose says. It must be found in no output, as it stands for what a real one would quote.
pub const WORDS: &str = "a panic on purpose: mario.rossi@example.com";

macro_rules! layers {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Where a panic can be caused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Layer { $($(#[$doc])* $name,)* }

        impl Layer {
            /// Every layer, in the order of its discriminant.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

layers! {
    /// At the door of a listener, in the loop that accepts for everybody.
    Accept,
    /// In the parser of a first request head.
    Head,
    /// Before a name is resolved.
    Resolve,
    /// Before an address is connected to.
    Dial,
    /// In the check of a tunnel's first bytes.
    Hello,
    /// In a relay, while its tunnel stands.
    Relay,
    /// While an interception certificate is made, under the lock of all of them.
    Mint,
    /// In the inspector.
    Inspect,
    /// In what cuts the messages of a gRPC call out of its stream: on a connection to the cloud that others share.
    Frames,
    /// Before a judged request is sent.
    Send,
    /// Before an answer is handed to the client.
    Answer,
    /// While the body of an answer passes.
    Body,
    /// When a record is logged.
    Log,
    /// When a record is handed to the audit.
    Record,
    /// In the thread that writes the audit.
    Writer,
    /// While an admin is answered.
    Admin,
    /// While a configuration is read again.
    Reload,
    /// While what stands is held against a new configuration.
    Hold,
}

/// How often each layer still panics.
#[derive(Debug, Default)]
struct Armed([AtomicU32; Layer::ALL.len()]);

/// Whether a layer shall panic.
#[derive(Debug, Clone, Default)]
pub struct Faults(Option<Arc<Armed>>);

impl Faults {
    /// Those of a proxy that serves: there are none, and there never will be.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Those of a drill, of which none is armed yet. Clones are armed together.
    #[must_use]
    pub fn armable() -> Self {
        Self(Some(Arc::default()))
    }

    /// Has the next that passes the layer panic, and nobody after it.
    pub fn arm(&self, layer: Layer) {
        if let Some(left) = self.left(layer) {
            left.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Whether a layer that was armed has not panicked yet.
    #[must_use]
    pub fn is_armed(&self, layer: Layer) -> bool {
        self.left(layer).is_some_and(|left| left.load(Ordering::SeqCst) > 0)
    }

    /// Panics if the layer is armed.
    #[inline]
    pub fn strike(&self, layer: Layer) {
        if self.0.is_some() {
            self.struck(layer);
        }
    }

    #[cold]
    fn struck(&self, layer: Layer) {
        let Some(left) = self.left(layer) else { return };
        let is_due = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        assert!(!is_due, "{WORDS}");
    }

    fn left(&self, layer: Layer) -> Option<&AtomicU32> {
        self.0.as_ref()?.0.get(layer as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    #[test]
    fn only_what_is_armed_panics_and_only_once() {
        let faults = Faults::armable();
        faults.strike(Layer::Dial);
        faults.clone().arm(Layer::Dial);
        faults.strike(Layer::Resolve);
        assert!(faults.is_armed(Layer::Dial) && !faults.is_armed(Layer::Resolve));
        let panicked = catch_unwind(|| faults.strike(Layer::Dial)).expect_err("it panics");
        assert_eq!(panicked.downcast_ref::<String>().map(String::as_str), Some(WORDS));
        assert!(!faults.is_armed(Layer::Dial));
        faults.strike(Layer::Dial);
    }

    #[test]
    fn none_cannot_be_armed() {
        for faults in [Faults::none(), Faults::default()] {
            for layer in Layer::ALL {
                faults.arm(*layer);
                assert!(!faults.is_armed(*layer));
                faults.strike(*layer);
            }
        }
    }
}
