//! `bellwether demo`: to come.
use super::{Context, Failure};
/// Demo
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {}
pub(crate) async fn perform(_: DemoArgs, _: &Context) -> Result<(), Failure> {
    Ok(())
}
