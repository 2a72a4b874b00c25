//! Reading lines from the end of a file, block by block, and the newest entries of the log with it.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use bellwether_domain::Result;

use super::PredictionEntry;
use super::segment::Segments;
use crate::failure;

const BLOCK: u64 = 64 << 10;
/// Lines that are read past the last one needed, because neighbours may be out of order.
const SLACK: usize = 256;

/// The lines of the first `length` bytes of a file, last first, each with its offset and without its newline.
pub(super) struct Backwards<'a> {
    file: &'a File,
    /// File bytes from `start` on that were read and not yet given.
    start: u64,
    pending: Vec<u8>,
    done: bool,
}

impl<'a> Backwards<'a> {
    pub(super) fn new(file: &'a File, length: u64) -> Backwards<'a> {
        Backwards { file, start: length, pending: Vec::new(), done: length == 0 }
    }

    fn read_block(&mut self) -> io::Result<()> {
        // Blocks grow with the line, so that a very long one is not copied again and again.
        let size = BLOCK.max(self.pending.len() as u64).min(self.start);
        let mut block = vec![0; size as usize];
        self.file.read_exact_at(&mut block, self.start - size)?;
        block.append(&mut self.pending);
        self.pending = block;
        self.start -= size;
        Ok(())
    }

    fn take_line(&mut self) -> io::Result<(u64, Vec<u8>)> {
        if self.pending.is_empty() {
            self.read_block()?;
        }
        if self.pending.last() == Some(&b'\n') {
            self.pending.pop();
        }
        loop {
            if let Some(newline) = self.pending.iter().rposition(|byte| *byte == b'\n') {
                let line = self.pending.split_off(newline + 1);
                return Ok((self.start + newline as u64 + 1, line));
            }
            if self.start == 0 {
                self.done = true;
                return Ok((0, std::mem::take(&mut self.pending)));
            }
            self.read_block()?;
        }
    }
}

impl Iterator for Backwards<'_> {
    type Item = io::Result<(u64, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let line = self.take_line();
        self.done |= line.is_err();
        Some(line)
    }
}

/// The newest entries that fit, newest first.
pub(super) fn recent(segments: &Segments, model_id: Option<&str>, before: Option<&str>, limit: usize) -> Result<Vec<PredictionEntry>> {
    let mut found: Vec<PredictionEntry> = Vec::new();
    let mut past_limit = 0;
    if limit == 0 {
        return Ok(found);
    }
    'all: for (number, length) in segments.snapshot().into_iter().rev() {
        let path = segments.path(number);
        let failed = |error: io::Error| failure::io("read the prediction log", &path, &error);
        let file = match File::open(&path) {
            // Dropped as the oldest since the snapshot: there is nothing older either.
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            opened => opened.map_err(failed)?,
        };
        for line in Backwards::new(&file, length) {
            let (offset, line) = line.map_err(failed)?;
            if found.len() >= limit {
                past_limit += 1;
                if past_limit > SLACK {
                    break 'all;
                }
            }
            if !may_fit(&line, model_id, before) {
                continue;
            }
            match serde_json::from_slice::<PredictionEntry>(&line) {
                Ok(entry) if fits(&entry, model_id, before) => found.push(entry),
                Ok(_) => {}
                Err(error) => tracing::warn!(file = %path.display(), offset, %error, "skipped a damaged line of the prediction log"),
            }
        }
    }
    // Stable, so that entries of one id (a caller's mistake) keep their order.
    found.sort_by(|one, other| other.prediction_id.cmp(&one.prediction_id));
    found.truncate(limit);
    Ok(found)
}

fn fits(entry: &PredictionEntry, model_id: Option<&str>, before: Option<&str>) -> bool {
    model_id.is_none_or(|wanted| entry.model_id == wanted) && before.is_none_or(|before| entry.prediction_id.as_str() < before)
}

/// A look at the text that spares parsing most lines that do not fit; true when in doubt.
fn may_fit(line: &[u8], model_id: Option<&str>, before: Option<&str>) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return true };
    let id = text.strip_prefix(r#"{"prediction_id":""#).and_then(|rest| rest.split('"').next()).filter(|id| !id.contains('\\'));
    let old_enough = match (id, before) {
        (Some(id), Some(before)) => id < before,
        _ => true,
    };
    let plain = |wanted: &str| wanted.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter));
    old_enough && model_id.is_none_or(|wanted| !plain(wanted) || text.contains(wanted))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn lines_come_last_first_whatever_the_blocks() {
        let check = |text: &str| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let lines: Vec<_> = Backwards::new(&file, text.len() as u64).map(|line| line.unwrap()).collect();
            let mut expected: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
            expected.reverse();
            if text.is_empty() {
                expected.clear();
            }
            assert_eq!(lines.iter().map(|(_, line)| String::from_utf8(line.clone()).unwrap()).collect::<Vec<_>>(), expected);
            for (offset, line) in &lines {
                assert_eq!(&text.as_bytes()[*offset as usize..*offset as usize + line.len()], line.as_slice());
            }
        };
        check("");
        check("\n");
        check("one");
        check("one\ntwo\n\nthree\n");
        check(&format!("{}\n{}\nend", "a".repeat(BLOCK as usize), "b".repeat(3 * BLOCK as usize + 1)));
        check(&"0123456789\n".repeat(20_000));
        check(&format!("{}\n", "x".repeat(BLOCK as usize - 1)));
    }
}
