//! Gives a panic its message. On WebAssembly a panic is a bare `unreachable`: the host would only know that it happened.
use std::sync::Once;

/// Sends the message of a panic to the host's log before the trap.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| crate::log::error(&info.to_string())));
    });
}
