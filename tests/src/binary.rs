//! Where things are: the binary under test, the repository.

use std::path::{Path, PathBuf};

/// The binary that `cargo build --workspace` puts beside this test's own folder.
///
/// # Panics
/// When it is not there.
pub fn binary() -> PathBuf {
    built("bellwether")
}

/// A binary of the workspace by name, of the profile these tests were built with.
///
/// # Panics
/// When it is not there.
pub fn built(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a running test has a file");
    // <target>/<profile>/deps/it-0123 is the test; binaries lie in <target>/<profile>.
    let path = own.ancestors().skip(1).map(|folder| folder.join(name)).find(|path| path.is_file());
    path.unwrap_or_else(|| panic!("no binary `{name}` above {}: run `make test`, which builds it before the tests", own.display()))
}

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository")
}
