//! State and baselines as bytes: a tag and a version in front, little-endian numbers behind.
//!
//! What comes back from the host may be another plugin's, an older version's or damaged. [`Reader`] checks every length
//! before it allocates and answers [`Error::InvalidInput`] where a careless reader would panic.
//!
//! ```
//! use bellwether_sdk::state::{Reader, Writer};
//!
//! let mut writer = Writer::new("my-test", 1);
//! writer.u64(3);
//! writer.numbers(&[0.5, 1.5]);
//! let bytes = writer.finish();
//!
//! let mut reader = Reader::open(&bytes, "my-test", 1)?;
//! assert_eq!(reader.u64()?, 3);
//! assert_eq!(reader.numbers()?, [0.5, 1.5]);
//! reader.finish()?;
//! # Ok::<(), bellwether_sdk::Error>(())
//! ```
use crate::{Error, Result};

/// Writes a state.
#[derive(Debug, Clone)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins a state of this kind and layout. Raise `version` whenever the layout changes.
    pub fn new(tag: &str, version: u32) -> Writer {
        let mut writer = Writer(Vec::new());
        writer.text(tag);
        writer.0.extend(version.to_le_bytes());
        writer
    }

    /// A whole number.
    pub fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    /// A real number, bit for bit.
    pub fn number(&mut self, value: f64) {
        self.0.extend(value.to_le_bytes());
    }

    /// Real numbers with their count.
    pub fn numbers(&mut self, values: &[f64]) {
        self.u64(values.len() as u64);
        values.iter().for_each(|value| self.number(*value));
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Bytes with their count: a part with a layout of its own.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// Texts with their count.
    pub fn texts(&mut self, texts: &[String]) {
        self.u64(texts.len() as u64);
        texts.iter().for_each(|text| self.text(text));
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads a state, in the order it was written.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    tag: &'a str,
}

impl<'a> Reader<'a> {
    /// Opens a state. Errors: [`Error::InvalidInput`] for one of another kind or version.
    pub fn open(bytes: &'a [u8], tag: &'a str, version: u32) -> Result<Reader<'a>> {
        let mut reader = Reader { rest: bytes, tag };
        if reader.text().ok().as_deref() != Some(tag) {
            return Err(Error::invalid_input(format!("these {} bytes are not a `{tag}` state", bytes.len())));
        }
        let found = u32::from_le_bytes(reader.take()?);
        if found != version {
            return Err(Error::invalid_input(format!(
                "`{tag}` state of version {found}, this plugin reads version {version}: make it again"
            )));
        }
        Ok(reader)
    }

    /// A whole number.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    /// A real number.
    pub fn number(&mut self) -> Result<f64> {
        Ok(f64::from_le_bytes(self.take()?))
    }

    /// Real numbers with their count.
    pub fn numbers(&mut self) -> Result<Vec<f64>> {
        let bytes = self.counted(8)?;
        let number = |part: &[u8]| f64::from_le_bytes(part.try_into().expect("chunks_exact gives eight bytes"));
        Ok(bytes.chunks_exact(8).map(number).collect())
    }

    /// A text.
    pub fn text(&mut self) -> Result<String> {
        let bytes = self.counted(1)?.to_vec();
        String::from_utf8(bytes).map_err(|_| self.damaged())
    }

    /// Bytes, as many as were written.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        self.counted(1)
    }

    /// Texts with their count.
    pub fn texts(&mut self) -> Result<Vec<String>> {
        let count = self.u64()?;
        // Each text takes at least its eight bytes of length, so a false count fails before it costs memory.
        if count > (self.rest.len() / 8) as u64 {
            return Err(self.damaged());
        }
        (0..count).map(|_| self.text()).collect()
    }

    /// Nothing may be left. Errors: [`Error::InvalidInput`] when something is.
    pub fn finish(self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.damaged()) }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk().ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(*head)
    }

    fn counted(&mut self, width: usize) -> Result<&'a [u8]> {
        let count = self.u64()?;
        let length = usize::try_from(count).ok().and_then(|count| count.checked_mul(width));
        let (head, rest) = length.and_then(|length| self.rest.split_at_checked(length)).ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(head)
    }

    fn damaged(&self) -> Error {
        Error::invalid_input(format!("the `{}` state is damaged: its lengths do not fit its bytes", self.tag))
    }
}

#[cfg(test)]
mod tests {
    use super::{Reader, Writer};

    fn sample() -> Vec<u8> {
        let mut writer = Writer::new("tag", 2);
        writer.texts(&["a".to_owned(), "é".to_owned()]);
        writer.numbers(&[1.0, f64::NAN]);
        writer.number(-0.0);
        writer.finish()
    }

    fn read(bytes: &[u8]) -> crate::Result<(Vec<String>, Vec<f64>, f64)> {
        let mut reader = Reader::open(bytes, "tag", 2)?;
        let all = (reader.texts()?, reader.numbers()?, reader.number()?);
        reader.finish()?;
        Ok(all)
    }

    #[test]
    fn what_was_written_is_read() {
        let (texts, numbers, number) = read(&sample()).unwrap();
        assert_eq!(texts, ["a", "é"]);
        assert!(numbers[0] == 1.0 && numbers[1].is_nan() && number.is_sign_negative());
    }

    #[test]
    fn foreign_old_and_damaged_states_are_refused() {
        let check = |bytes: &[u8], expected: &str| {
            let message = read(bytes).unwrap_err().message().to_owned();
            assert!(message.contains(expected), "{message}");
        };
        check(b"", "not a `tag` state");
        check(&Writer::new("other", 2).finish(), "not a `tag` state");
        check(&Writer::new("tag", 1).finish(), "version 1");
        let whole = sample();
        for length in 15..whole.len() {
            check(&whole[..length], "damaged");
        }
        check(&[whole.clone(), vec![0]].concat(), "damaged");
        let mut lying = Writer::new("tag", 2);
        lying.u64(u64::MAX);
        check(&lying.finish(), "damaged");
    }
}
