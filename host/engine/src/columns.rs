//! Feature columns kept on disk by their content: what one job computed, the next one on the same bars reads.
//!
//! A column's name is a digest of all it depends on: the bars, the interval, the feature, and the source text of the code
//! that computes features, so that nobody has to remember to count a version up. A wrong column is therefore never found; a
//! damaged one is told by its checksum, removed and computed again.
//!
//! Most features take less time to compute than to read. Only a column whose computing took several times as long as its
//! reading would is kept. Values are the same either way.
//!
//! Any number of workers may use one folder: a file appears whole, by rename, and one that somebody reads may be removed.
//! There is no sync: a column that a power cut tears fails its checksum. Files unused longest go first when there are more
//! bytes than allowed.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use bellwether_domain::bars::Bars;
use bellwether_domain::feature::Feature;
use bellwether_domain::time::Interval;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::features;

/// The code that computes features.
const SOURCES: [&str; 3] = [include_str!("features.rs"), include_str!("features/recursive.rs"), include_str!("features/rolling.rs")];

const MAGIC: &[u8; 8] = b"BWCOL01\n";
const HEADER: usize = MAGIC.len() + 32;
const ENDING: &str = "column";

/// Bytes a second at which a kept column is read and checked, cautiously; and what opening a file costs.
const READ_SPEED: f64 = 0.8e9;
const OPEN_COST: Duration = Duration::from_micros(50);
/// How many times longer than reading it the computing of a column must take, for its keeping to pay.
const PAYS: f64 = 3.0;
/// Share of the allowed bytes that is left after files were removed, so that not every new one removes another.
const LEFT: f64 = 0.9;

/// Where columns are kept, and how many bytes of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnPlace {
    /// The folder; made when the first column is kept.
    pub folder: PathBuf,
    /// Most bytes.
    pub bytes: u64,
}

/// How columns were come by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reuse {
    /// Read from the folder.
    pub read: usize,
    /// Computed.
    pub computed: usize,
    /// Of those, found damaged.
    pub damaged: usize,
    /// Of those, kept for the next job.
    pub kept: usize,
}

/// The columns of `features`, as [`features::compute`] gives them; from the folder where it has them.
/// `bars_digest` is that of `bars`. Trouble with the folder costs time, never the job.
pub fn columns(
    place: Option<&ColumnPlace>,
    bars_digest: &str,
    bars: &Bars,
    interval: Interval,
    wanted: &[Feature],
) -> (Vec<Vec<f64>>, Reuse) {
    let mut reuse = Reuse::default();
    let Some(place) = place else {
        reuse.computed = wanted.len();
        return (features::compute(bars, interval, wanted), reuse);
    };
    let code = code_digest();
    let columns = wanted.iter().map(|feature| {
        let path = place.folder.join(name(&code, bars_digest, interval, feature));
        match read(&path, bars.len()) {
            Found::Whole(column) => {
                reuse.read += 1;
                touch(&path);
                return column;
            }
            Found::Damaged => {
                reuse.damaged += 1;
                fs::remove_file(&path).ok();
            }
            Found::Nothing => {}
        }
        let began = Instant::now();
        let column = features::compute(bars, interval, std::slice::from_ref(feature)).pop().unwrap_or_default();
        reuse.computed += 1;
        if pays(began.elapsed(), column.len()) && write(&path, &column).is_ok() {
            reuse.kept += 1;
        }
        column
    });
    let columns = columns.collect();
    if reuse.kept > 0 {
        make_room(place);
    }
    (columns, reuse)
}

fn pays(computing: Duration, rows: usize) -> bool {
    let reading = OPEN_COST.as_secs_f64() + (rows * size_of::<f64>()) as f64 / READ_SPEED;
    computing.as_secs_f64() > PAYS * reading
}

fn code_digest() -> [u8; 32] {
    let mut hasher = Sha256::new();
    SOURCES.iter().for_each(|source| hasher.update(source));
    hasher.finalize().into()
}

fn name(code: &[u8], bars_digest: &str, interval: Interval, feature: &Feature) -> String {
    let key = format!("{bars_digest}\n{interval}\n{feature}\n{}", std::env::consts::ARCH);
    let digest = Sha256::new_with_prefix(code).chain_update(key).finalize();
    format!("{}.{ENDING}", hex::encode(&digest[..20]))
}

enum Found {
    Whole(Vec<f64>),
    Damaged,
    Nothing,
}

fn read(path: &Path, rows: usize) -> Found {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Found::Nothing,
        Err(_) => return Found::Damaged,
    };
    let Some((header, values)) = bytes.split_at_checked(HEADER) else { return Found::Damaged };
    let (magic, checksum) = header.split_at(MAGIC.len());
    if magic != MAGIC || values.len() != rows * size_of::<f64>() || checksum != Sha256::digest(values).as_slice() {
        return Found::Damaged;
    }
    Found::Whole(values.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

/// Writes beside the place under a name of this process's own, then renames.
fn write(path: &Path, column: &[f64]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("{}.partial", std::process::id()));
    let mut values = Vec::with_capacity(size_of_val(column));
    column.iter().for_each(|value| values.extend(value.to_le_bytes()));
    let whole = || {
        let mut file = File::create(&beside)?;
        file.write_all(MAGIC)?;
        file.write_all(&Sha256::digest(&values))?;
        file.write_all(&values)?;
        fs::rename(&beside, path)
    };
    whole().inspect_err(|_| drop(fs::remove_file(&beside)))
}

/// Notes that a column was used.
fn touch(path: &Path) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(crate::clock::system_ms().max(0) as u64);
    // A column that somebody removed meanwhile was still read.
    File::options().append(true).open(path).and_then(|file| file.set_modified(now)).ok();
}

/// Removes what was not used for longest until no more than [`LEFT`] of the allowed bytes are left, if there are too many;
/// also what writers that died left half written.
fn make_room(place: &ColumnPlace) {
    let Ok(entries) = fs::read_dir(&place.folder) else { return };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in entries.flatten() {
        let (path, Ok(about)) = (entry.path(), entry.metadata()) else { continue };
        files.push((about.modified().unwrap_or(SystemTime::UNIX_EPOCH), about.len(), path));
    }
    let mut sum: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    if sum <= place.bytes {
        return;
    }
    let enough = (place.bytes as f64 * LEFT) as u64;
    files.sort_unstable();
    for (_, bytes, path) in files {
        if sum <= enough {
            break;
        }
        if fs::remove_file(&path).is_ok() {
            sum -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(rows: usize) -> Bars {
        let mut bars = Bars::default();
        for row in 0..rows {
            let close = 100.0 + (row as f64 / 7.0).sin() * 3.0;
            bars.timestamp.push(row as i64 * 3_600_000);
            [&mut bars.open, &mut bars.close].into_iter().for_each(|column| column.push(close));
            bars.high.push(close + 1.0);
            bars.low.push(close - 1.0);
            bars.volume.push(1.0);
        }
        bars
    }

    fn place(folder: &tempfile::TempDir, bytes: u64) -> ColumnPlace {
        ColumnPlace { folder: folder.path().join("columns"), bytes }
    }

    fn feature(text: &str) -> Feature {
        text.parse().expect("a feature")
    }

    #[test]
    fn every_file_of_the_code_is_in_the_digest() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/features");
        let files = fs::read_dir(&folder).expect("the folder").flatten().count();
        assert_eq!(files + 1, SOURCES.len(), "a file of src/features is not in SOURCES: kept columns would outlive its changes");
    }

    #[test]
    fn a_column_is_found_under_its_own_key_only() {
        let code = code_digest();
        let base = name(&code, "a", Interval::HOUR, &feature("rsi(14)"));
        assert_eq!(base, name(&code, "a", Interval::HOUR, &feature("rsi")));
        for other in [
            name(&code, "b", Interval::HOUR, &feature("rsi(14)")),
            name(&code, "a", "4h".parse().expect("an interval"), &feature("rsi(14)")),
            name(&code, "a", Interval::HOUR, &feature("rsi(15)")),
            name(&[0; 32], "a", Interval::HOUR, &feature("rsi(14)")),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn what_is_kept_comes_back_bit_by_bit_and_damage_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(&folder, 1 << 20);
        let bars = bars(300);
        let wanted = [feature("realized-volatility(24)"), feature("close")];
        let expected = features::compute(&bars, Interval::HOUR, &wanted);
        let path = place.folder.join(name(&code_digest(), "digest", Interval::HOUR, &wanted[0]));
        write(&path, &expected[0]).expect("write");

        let same = |columns: &[Vec<f64>]| {
            columns.iter().flatten().map(|value| value.to_bits()).eq(expected.iter().flatten().map(|value| value.to_bits()))
        };
        let (found, reuse) = columns(Some(&place), "digest", &bars, Interval::HOUR, &wanted);
        assert!(same(&found));
        assert_eq!((reuse.read, reuse.computed, reuse.damaged), (1, 1, 0));

        let good = fs::read(&path).expect("a file");
        let damages: [Vec<u8>; 4] = [
            good[..good.len() - 1].to_vec(),
            good[..5].to_vec(),
            good.iter().enumerate().map(|(place, byte)| if place == 100 { byte ^ 1 } else { *byte }).collect(),
            [good.clone(), vec![0; 8]].concat(),
        ];
        for damaged in damages {
            fs::write(&path, damaged).expect("damage");
            let (found, reuse) = columns(Some(&place), "digest", &bars, Interval::HOUR, &wanted);
            assert!(same(&found));
            assert_eq!((reuse.read, reuse.computed, reuse.damaged), (0, 2, 1));
            assert!(reuse.kept > 0 || !path.exists(), "a damaged column is removed");
        }
    }

    #[test]
    fn what_was_unused_longest_goes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(&folder, 4 * (HEADER as u64 + 800));
        let path = |number: usize| place.folder.join(format!("{number}.{ENDING}"));
        for number in 0..5 {
            write(&path(number), &[0.5; 100]).expect("write");
            let used = SystemTime::UNIX_EPOCH + Duration::from_secs(1000 + number as u64);
            File::options().append(true).open(path(number)).and_then(|file| file.set_modified(used)).expect("a time");
        }
        touch(&path(0));
        make_room(&place);
        let left: Vec<usize> = (0..5).filter(|number| path(*number).exists()).collect();
        assert_eq!(left, [0, 3, 4], "the one used just now and the newest ones are left, below nine tenths of the limit");
    }

    #[test]
    fn a_folder_that_cannot_be_used_costs_nothing_but_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, b"not a folder").expect("a file");
        let bars = bars(50);
        let wanted = [feature("close")];
        let (found, reuse) = columns(Some(&ColumnPlace { folder: file, bytes: 1 << 20 }), "digest", &bars, Interval::HOUR, &wanted);
        assert_eq!((found, reuse.computed), (features::compute(&bars, Interval::HOUR, &wanted), 1));
    }

    #[test]
    fn workers_beside_each_other_see_whole_columns() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(&folder, 1 << 20);
        let path = place.folder.join("shared.column");
        let column: Vec<f64> = (0..2000).map(f64::from).collect();
        write(&path, &column).expect("write");
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..200).for_each(|_| write_as_another(&path, &column)));
                scope.spawn(|| {
                    for _ in 0..200 {
                        assert!(matches!(read(&path, column.len()), Found::Whole(found) if found == column));
                    }
                });
            }
        });
    }

    /// As a worker with a process id of its own.
    fn write_as_another(path: &Path, column: &[f64]) {
        let own = path.with_file_name(format!("own-{:?}.column", std::thread::current().id()));
        write(&own, column).and_then(|()| fs::rename(&own, path)).expect("write");
    }
}
