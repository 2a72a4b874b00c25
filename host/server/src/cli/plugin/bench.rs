//! `bellwether plugin bench`: what a plugin's calls cost.

use std::path::Path;

use bellwether_plugin::bench::bench;

use super::settings;
use crate::cli::output::{self, DIM, say, styled};
use crate::cli::{Context, Failure};

pub(super) async fn perform(folder: &Path, context: &Context) -> Result<(), Failure> {
    let bar = output::spinner("measuring", !context.json());
    let measured = bench(folder, &settings(context)?).await;
    bar.finish_and_clear();
    let measured = measured?;
    if context.json() {
        return output::json(&measured);
    }
    let rows = measured.iter().map(|line| {
        vec![
            line.function.clone(),
            line.size.clone(),
            output::number(line.p50_us),
            output::number(line.p99_us),
            output::number(line.calls_per_second),
            format!("{:.1}", line.memory_bytes as f64 / f64::from(1 << 20)),
            format!("{:.1}", line.ratio),
        ]
    });
    let header = ["function", "given", "p50 µs", "p99 µs", "calls/s", "most MiB", "× empty"];
    say!("{}", output::table(&header, &[2, 3, 4, 5, 6], rows));
    say!("{}", styled(DIM, "each call in a fresh instance, one after the other; the ratio is of medians, in this run"));
    Ok(())
}
