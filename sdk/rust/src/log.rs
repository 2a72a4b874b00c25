//! Log lines under the plugin's name in the host's own log. Rate-limited; a line past 4 KiB is cut.
//!
//! Natively lines go to standard error.

/// For following code step by step.
pub fn trace(message: &str) {
    write(Level::Trace, message);
}

/// For finding mistakes.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// What happened.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// What should be looked at.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// What went wrong.
pub fn error(message: &str) {
    write(Level::Error, message);
}

use crate::bindings::shared::bellwether::host::log::Level;

#[cfg(target_family = "wasm")]
use crate::bindings::shared::bellwether::host::log::write;

#[cfg(not(target_family = "wasm"))]
fn write(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}
