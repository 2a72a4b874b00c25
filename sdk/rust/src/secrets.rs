//! Secrets the operator mapped to this plugin by name (`wants.secrets`). They cannot be listed; never log one.

/// The value of a granted secret; none when it was not granted or is not set. Natively what `testing::set_secret` set.
pub fn get(name: &str) -> Option<String> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::shared::bellwether::host::secrets::get(name);
    #[cfg(not(target_family = "wasm"))]
    return crate::testing::secret(name);
}
