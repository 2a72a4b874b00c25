//! One month of bars as one Parquet file: `timestamp` (INT64, milliseconds UTC) and five DOUBLE columns, snappy.
//!
//! The footer names symbol and interval, and has a CRC-32 of the bars, because a flipped bit in a page of doubles is
//! just another double. A month is written beside its place and renamed, so a reader never meets half a file.

use std::fs::{self, File};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use bellwether_domain::bars::Bars;
use bellwether_domain::{Error, Result};
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::{DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type};
use tokio_util::bytes::Bytes;

use super::place::{Month, Series};
use crate::failure;

const COLUMNS: [&str; 5] = ["open", "high", "low", "close", "volume"];
const CHECKSUM: &str = "bellwether.crc32";
const TEMPORARY: &str = ".temp";

/// A schema of constants, built once.
static SCHEMA: LazyLock<Arc<Type>> = LazyLock::new(|| {
    let column = |name: &str, physical: Physical, logical: Option<LogicalType>| {
        let built = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED).with_logical_type(logical).build();
        Arc::new(built.expect("the types are compatible"))
    };
    let milliseconds = LogicalType::timestamp(true, TimeUnit::MILLIS);
    let mut fields = vec![column("timestamp", Physical::INT64, Some(milliseconds))];
    fields.extend(COLUMNS.map(|name| column(name, Physical::DOUBLE, None)));
    Arc::new(Type::group_type_builder("bars").with_fields(fields).build().expect("the names differ"))
});

/// True for the name of an unfinished month.
pub(super) fn is_leftover(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(TEMPORARY)
}

/// A month written and synced beside its place; `put` makes it the one that is read.
#[derive(Debug)]
pub(super) struct Written {
    temporary: PathBuf,
    path: PathBuf,
}

impl Written {
    /// Puts it in its place. The folder has to be synced afterwards.
    pub(super) fn put(self) -> Result<()> {
        fs::rename(&self.temporary, &self.path).map_err(|error| failure::io("keep bars", &self.path, &error))
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // Gone already when it was put.
        drop(fs::remove_file(&self.temporary));
    }
}

/// Writes a month beside its place; on disk when this returns.
pub(super) fn write(series: &Series, month: Month, bars: &Bars) -> Result<Written> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let temporary = series.folder.join(format!(".{}.{}-{number}{TEMPORARY}", month.name(), std::process::id()));
    let written = Written { temporary, path: series.path(month) };
    let file = File::create(&written.temporary).map_err(|error| failure::io("keep bars", &series.folder, &error))?;
    write_columns(series, &file, bars).map_err(|error| failure::caused_by("keep bars", &series.folder, &error))?;
    file.sync_all().map_err(|error| failure::io("keep bars", &series.folder, &error))?;
    Ok(written)
}

fn write_columns(series: &Series, file: &File, bars: &Bars) -> Result<(), ParquetError> {
    let note = |key: &str, value: String| KeyValue { key: key.to_owned(), value: Some(value) };
    let properties = WriterProperties::builder()
        .set_created_by("bellwether".to_owned())
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_encoding(ColumnPath::from("timestamp"), Encoding::DELTA_BINARY_PACKED)
        .set_key_value_metadata(Some(vec![
            note("bellwether.symbol", series.symbol.to_string()),
            note("bellwether.interval", series.interval.to_string()),
            note(CHECKSUM, format!("{:08x}", checksum(bars, 0))),
        ]))
        .build();
    let mut writer = SerializedFileWriter::new(file, SCHEMA.clone(), Arc::new(properties))?;
    let mut rows = writer.next_row_group()?;
    write_column::<Int64Type>(&mut rows, &bars.timestamp)?;
    for values in columns(bars) {
        write_column::<DoubleType>(&mut rows, values)?;
    }
    rows.close()?;
    writer.close().map(drop)
}

fn write_column<T: DataType>(rows: &mut SerializedRowGroupWriter<'_, &File>, values: &[T::T]) -> Result<(), ParquetError> {
    let mut column = rows.next_column()?.ok_or_else(|| ParquetError::General("the schema has no more columns".to_owned()))?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

/// The bars of a month. Errors: `Internal` naming the file when it is damaged.
pub(super) fn read(series: &Series, month: Month) -> Result<Bars> {
    let mut bars = Bars::default();
    read_behind(series, month, &mut bars)?;
    Ok(bars)
}

/// Reads the bars of a month straight behind those that are there; the columns are no longer than before after an error.
/// Errors: `Internal` naming the file when it is damaged.
pub(super) fn read_behind(series: &Series, month: Month, bars: &mut Bars) -> Result<()> {
    let path = series.path(month);
    // Read whole: the library would seek and read some fifty times, which a month of hours takes no longer than.
    let file = fs::read(&path).map_err(|error| failure::io("read bars", &path, &error))?;
    let first = bars.len();
    // The library panics on some damage; that must not look like a defect of the host. Half a month is cut off below.
    let reading = AssertUnwindSafe(|| read_columns(Bytes::from(file), bars, first));
    let read = std::panic::catch_unwind(reading).unwrap_or_else(|_| Err("it cannot be decoded".to_owned()));
    let checked = read.and_then(|()| check(&bars.timestamp[first..], series, month));
    checked.map_err(|why| {
        cut(bars, first);
        damaged(&path, &why)
    })
}

fn cut(bars: &mut Bars, rows: usize) {
    bars.timestamp.truncate(rows);
    for column in columns_mut(bars) {
        column.truncate(rows);
    }
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::Internal(format!("the bars in {} are damaged: {why}; remove the file and send that month again", path.display()))
}

/// Appends the columns of a file to bars of `first` rows.
fn read_columns(file: Bytes, bars: &mut Bars, first: usize) -> Result<(), String> {
    let text = |error: ParquetError| error.to_string();
    let reader = SerializedFileReader::new(file).map_err(text)?;
    let about = reader.metadata().file_metadata();
    let names: Vec<&str> = about.schema().get_fields().iter().map(|field| field.name()).collect();
    if names[..] != ["timestamp", "open", "high", "low", "close", "volume"] {
        return Err(format!("it has the columns {names:?}"));
    }
    let noted = about.key_value_metadata().into_iter().flatten().find(|note| note.key == CHECKSUM).and_then(|note| note.value.clone());
    for group in 0..reader.num_row_groups() {
        read_column::<Int64Type>(&reader, group, 0, &mut bars.timestamp).map_err(text)?;
        for (at, values) in columns_mut(bars).into_iter().enumerate() {
            read_column::<DoubleType>(&reader, group, at + 1, values).map_err(text)?;
        }
    }
    if columns(bars).iter().any(|column| column.len() != bars.len()) {
        return Err("its columns have different lengths".to_owned());
    }
    match noted {
        Some(noted) if noted == format!("{:08x}", checksum(bars, first)) => Ok(()),
        _ => Err("its checksum does not match".to_owned()),
    }
}

fn read_column<T: DataType>(
    reader: &SerializedFileReader<Bytes>,
    group: usize,
    column: usize,
    values: &mut Vec<T::T>,
) -> Result<(), ParquetError> {
    let group = reader.get_row_group(group)?;
    let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
    let mut column = get_typed_column_reader::<T>(group.get_column_reader(column)?);
    column.read_records(rows, None, None, values).map(drop)
}

fn check(times: &[i64], series: &Series, month: Month) -> Result<(), String> {
    let inside = |edge: Option<&i64>| edge.is_some_and(|time| (month.start()..month.end()).contains(time));
    if !inside(times.first()) || !inside(times.last()) {
        return Err("it is empty or has bars of another month".to_owned());
    }
    let step = series.interval.milliseconds();
    if times.windows(2).all(|pair| pair[1] - pair[0] >= step) { Ok(()) } else { Err("its bars are not in order".to_owned()) }
}

/// The five value columns.
pub(super) fn columns(bars: &Bars) -> [&Vec<f64>; 5] {
    [&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume]
}

fn columns_mut(bars: &mut Bars) -> [&mut Vec<f64>; 5] {
    [&mut bars.open, &mut bars.high, &mut bars.low, &mut bars.close, &mut bars.volume]
}

/// Appends the rows of `more` with `from <= timestamp < until`.
pub(super) fn append(bars: &mut Bars, more: &Bars, from: i64, until: i64) {
    let rows = more.timestamp.partition_point(|time| *time < from)..more.timestamp.partition_point(|time| *time < until);
    bars.timestamp.extend_from_slice(&more.timestamp[rows.clone()]);
    let [open, high, low, close, volume] = columns(more);
    bars.open.extend_from_slice(&open[rows.clone()]);
    bars.high.extend_from_slice(&high[rows.clone()]);
    bars.low.extend_from_slice(&low[rows.clone()]);
    bars.close.extend_from_slice(&close[rows.clone()]);
    bars.volume.extend_from_slice(&volume[rows]);
}

/// CRC-32 of the rows from `first` on, column by column, little-endian.
fn checksum(bars: &Bars, first: usize) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    update(&mut hasher, &bars.timestamp[first..], i64::to_le_bytes);
    columns(bars).into_iter().for_each(|column| update(&mut hasher, &column[first..], f64::to_le_bytes));
    hasher.finalize()
}

/// Feeds numbers in blocks: eight bytes at a time would take longer than reading them from disk.
fn update<T: Copy>(hasher: &mut crc32fast::Hasher, values: &[T], bytes: impl Fn(T) -> [u8; 8]) {
    let mut block = [0; 8 * 512];
    for part in values.chunks(512) {
        let filled = &mut block[..8 * part.len()];
        filled.chunks_exact_mut(8).zip(part).for_each(|(to, value)| to.copy_from_slice(&bytes(*value)));
        hasher.update(filled);
    }
}
