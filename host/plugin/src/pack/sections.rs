//! Custom sections at the end of a component: put there, and taken out again bit for bit.

use std::collections::BTreeMap;

/// Names of sections that are ours begin so.
const OURS: &str = "bellwether:";

/// Magic number, version and layer.
const HEAD: usize = 8;

/// Adds a custom section behind everything else.
pub(super) fn append(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut content = Vec::new();
    write_length(&mut content, name.len());
    content.extend(name.as_bytes());
    content.extend(data);
    component.push(0);
    write_length(component, content.len());
    component.extend(content);
}

/// Our sections by name.
pub(super) type Sections = BTreeMap<String, Vec<u8>>;

/// The component without our sections, and those. The error says where it is damaged.
pub(super) fn split(bytes: &[u8]) -> Result<(Vec<u8>, Sections), String> {
    let mut kept = bytes.get(..HEAD).ok_or("it is truncated: it ends within its first 8 bytes")?.to_vec();
    let mut ours = Sections::new();
    let mut rest = &bytes[HEAD..];
    while let Some((id, after)) = rest.split_first() {
        let place = bytes.len() - rest.len();
        let cut = || format!("it is damaged or truncated at byte {place}");
        let (length, content) = read_length(after).ok_or_else(cut)?;
        let (content, next) = content.split_at_checked(length).ok_or_else(cut)?;
        match own(*id, content) {
            Some((name, data)) => drop(ours.insert(name, data)),
            None => kept.extend(&rest[..rest.len() - next.len()]),
        }
        rest = next;
    }
    Ok((kept, ours))
}

/// Name and data of a section of ours.
fn own(id: u8, content: &[u8]) -> Option<(String, Vec<u8>)> {
    if id != 0 {
        return None;
    }
    let (length, rest) = read_length(content)?;
    let (name, data) = rest.split_at_checked(length)?;
    let name = std::str::from_utf8(name).ok().filter(|name| name.starts_with(OURS))?;
    Some((name.to_owned(), data.to_vec()))
}

/// An unsigned number in LEB128.
fn write_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

/// A number of at most 32 bits in LEB128, and what follows.
fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0_u64;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(length).ok().filter(|_| length <= u64::from(u32::MAX))?, &bytes[place + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_written() {
        for length in [0, 1, 127, 128, 300, 16_384, 70_000_000] {
            let mut bytes = Vec::new();
            write_length(&mut bytes, length);
            bytes.push(9);
            assert_eq!(read_length(&bytes), Some((length, &[9][..])), "{length}");
        }
        assert_eq!(read_length(&[0x80; 6]), None);
        assert_eq!(read_length(&[0x80]), None);
    }

    #[test]
    fn sections_come_out_and_the_rest_stays() {
        let component = wat::parse_str("(component (core module))").expect("component");
        let mut packed = component.clone();
        append(&mut packed, "bellwether:a", b"one");
        append(&mut packed, "others:b", b"two");
        let mut expected = component.clone();
        append(&mut expected, "others:b", b"two");
        let (kept, ours) = split(&packed).expect("whole");
        assert_eq!((kept, ours), (expected, BTreeMap::from([("bellwether:a".to_owned(), b"one".to_vec())])));
        assert!(split(&packed[..packed.len() - 1]).expect_err("cut").contains("damaged or truncated at byte"));
        assert!(split(b"\0asm").is_err());
    }
}
