//! I/O failures as errors of the house: a full disk and missing rights are `Unavailable` with the fix, the rest is `Internal`.
//!
//! The libraries underneath wrap `std::io::Error` in their own errors; `caused_by` digs it out, so that a full disk is told
//! apart whichever of them noticed it.

use std::error::Error as StdError;
use std::io::{self, ErrorKind};
use std::path::Path;

use bellwether_domain::Error;

/// What `action` (a verb with its object, as in `write bars`) on `path` failed with.
pub(crate) fn io(action: &str, path: &Path, error: &io::Error) -> Error {
    let place = path.display();
    let kind = error.kind();
    if kind == ErrorKind::StorageFull || kind == ErrorKind::QuotaExceeded {
        Error::Unavailable(format!("the disk is full: cannot {action} in {place}; free space there and try again"))
    } else if kind == ErrorKind::PermissionDenied || kind == ErrorKind::ReadOnlyFilesystem {
        Error::Unavailable(format!("cannot {action} in {place}: {error}; give the user of this host write access to it"))
    } else {
        Error::Internal(format!("cannot {action} in {place}: {error}"))
    }
}

/// The same for an error that may have an I/O error among its causes.
pub(crate) fn caused_by(action: &str, path: &Path, error: &(dyn StdError + 'static)) -> Error {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref::<io::Error>() {
            // An io::Error may itself carry another error that carries the real one.
            match found.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>()) {
                Some(inner) => return io(action, path, inner),
                None => return io(action, path, found),
            }
        }
        cause = current.source();
    }
    Error::Internal(format!("cannot {action} in {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer")
        }
    }
    impl StdError for Outer {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_full_disk_is_unavailable_however_deep() {
        let full = || io::Error::from_raw_os_error(28);
        let check = |error: Error, code: &str, part: &str| {
            assert_eq!(error.code(), code, "{error}");
            assert!(error.to_string().contains(part), "{error}");
        };
        let at = Path::new("/data");
        check(io("write bars", at, &full()), "unavailable", "the disk is full: cannot write bars in /data");
        check(caused_by("keep a blob", at, &Outer(full())), "unavailable", "free space there");
        check(caused_by("keep a blob", at, &Outer(io::Error::other(full()))), "unavailable", "the disk is full");
        check(io("read", at, &io::Error::from_raw_os_error(13)), "unavailable", "write access");
        check(io("read", at, &io::Error::from_raw_os_error(5)), "internal", "cannot read in /data");
    }
}
