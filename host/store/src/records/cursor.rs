//! Cursors: where a page ended, as opaque text that only fits the listing it came from.

use bellwether_domain::{Error, Result};

/// Text for the last key of a page of `listing` (collection, index, prefix and direction in any fixed form).
pub(super) fn write(listing: &str, last_key: &str) -> String {
    let mut bytes = seal(listing, last_key).to_vec();
    bytes.extend(last_key.as_bytes());
    hex::encode(bytes)
}

/// The last key of the page before. Errors: `Invalid`, field `cursor`.
pub(super) fn read(listing: &str, cursor: &str) -> Result<String> {
    let wrong = || Error::invalid("cursor", "it is not a cursor of this listing; pass `next` of the page before as it is, or leave it out");
    let bytes = hex::decode(cursor).map_err(|_| wrong())?;
    let (sum, key) = bytes.split_at_checked(4).ok_or_else(wrong)?;
    let key = std::str::from_utf8(key).map_err(|_| wrong())?;
    if sum == seal(listing, key) { Ok(key.to_owned()) } else { Err(wrong()) }
}

fn seal(listing: &str, key: &str) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(listing.as_bytes());
    hasher.update(b"\0");
    hasher.update(key.as_bytes());
    hasher.finalize().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_fits_only_its_listing() {
        let cursor = write("jobs up", "j/ü");
        assert_eq!(read("jobs up", &cursor).as_deref(), Ok("j/ü"));
        for (listing, cursor) in
            [("jobs down", cursor.as_str()), ("jobs up", ""), ("jobs up", "zz"), ("jobs up", "00000000"), ("jobs up", &cursor[2..])]
        {
            let error = read(listing, cursor).expect_err(cursor);
            assert!(error.to_string().starts_with("cursor: "), "{error}");
        }
    }
}
