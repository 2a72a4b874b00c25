//! What commands print: tables for people, the API's bytes for machines. Colours only where a terminal reads them.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Failure;

/// Good news.
pub(crate) const GOOD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)));
/// Bad news.
pub(crate) const BAD: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
/// Worth a look.
pub(crate) const NOTE: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
/// Names.
pub(crate) const NAME: Style = Style::new().bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));
/// Asides.
pub(crate) const DIM: Style = Style::new().dimmed();

/// A line on standard output.
macro_rules! say {
    ($($part:tt)*) => { anstream::println!($($part)*) };
}
pub(crate) use say;

/// Text in a style.
pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Bytes of the API as they came, and a line's end.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    written.map_err(|error| Failure::Failed(format!("cannot write to standard output: {error}")))
}

/// A rule below the header and nothing else.
const RULED: &str = "     ──            ";

/// A table with a header; numbers of the named columns are right-aligned.
pub(crate) fn table(header: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(RULED).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// Pairs of name and value, one per line.
pub(crate) fn pairs_text(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    pairs.iter().map(|(name, value)| format!("{DIM}{name:<width$}{DIM:#}  {value}")).collect::<Vec<_>>().join("\n")
}

/// Prints pairs of name and value.
pub(crate) fn pairs(pairs: &[(&str, String)]) {
    say!("{}", pairs_text(pairs));
}

/// A number as people read it: four significant digits.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if !(1e-3..1e6).contains(&size) {
        format!("{value:.3e}")
    } else {
        let decimals = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
        format!("{value:.decimals$}")
    }
}

/// A number that may be absent.
pub(crate) fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

/// A text that may be absent.
pub(crate) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("–").to_owned()
}

/// Says that there is more than this page.
pub(crate) fn more(next_cursor: Option<&str>) {
    if let Some(cursor) = next_cursor {
        say!("{DIM}there is more: --cursor {cursor}{DIM:#}");
    }
}

/// A bar on standard error, drawn only on a terminal and only when `shown`.
pub(crate) fn bar(length: u64, template: &str, shown: bool) -> ProgressBar {
    let target = if shown && std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}

/// A spinner on standard error with the time gone by, drawn only on a terminal and only when `shown`.
pub(crate) fn spinner(what: &str, shown: bool) -> ProgressBar {
    let target = if shown && std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target).with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A line on standard error beside a bar, or by itself where the bar is not drawn.
pub(crate) fn beside(bar: &ProgressBar, line: &str) {
    if bar.is_hidden() { anstream::eprintln!("{line}") } else { bar.println(line) }
}

/// A value as JSON on standard output.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    raw(&serde_json::to_vec(value).expect("what is printed is plain data"))
}

/// A span of time as people read it.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.1 {
        format!("{:.1} ms", seconds * 1000.0)
    } else if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", seconds as u64 / 60, seconds as u64 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits() {
        for (value, expected) in
            [(0.0, "0"), (0.33218, "0.3322"), (-12.3456, "-12.35"), (1234.5, "1234"), (1.5e-7, "1.500e-7"), (0.001, "0.001000")]
        {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn spans_choose_their_unit() {
        for (milliseconds, expected) in [(3, "3.0 ms"), (1500, "1.5 s"), (125_000, "2 min 05 s")] {
            assert_eq!(span(Duration::from_millis(milliseconds)), expected);
        }
    }
}
