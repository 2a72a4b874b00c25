//! Turns plugins into components: for Rust, cargo for `wasm32-unknown-unknown`, then `wit-component`; for other languages
//! the command their `plugin.toml` names, then the same.
//!
//! Used by build scripts (`plugins/bundle`, `tests`) through [`for_build_script`], and by authors through `bellwether plugin
//! build` and the command `cargo run -p bellwether-guest-build -- <plugin folder>`, which are [`build_plugin`].
//!
//! Why `wasm32-unknown-unknown` and not a WASI target: on it the standard library imports nothing, so a component's
//! imports are exactly the host functions its author calls. The nested cargo has a target folder of its own (a shared one
//! would wait for the outer cargo's lock for ever) and none of the outer build's settings, which are meant for other code.
mod lines;
pub mod edge;
mod world;
pub mod component;
pub mod compiler;
pub mod cargo;
pub mod project;
pub mod script;

pub use component::componentize;
pub use edge::Edge;
pub use project::{Built, PluginFile, build_plugin};
pub use script::for_build_script;
