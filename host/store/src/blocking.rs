//! Blocking work off the async threads: every disk access of this crate that a caller awaits goes through here, or through
//! one of the two writer threads (records, prediction log).

use bellwether_domain::{Error, Result};

/// Runs `work` on the blocking pool. A panic inside becomes an `Internal` error that names `what`, so that a defect in a
/// storage library fails one call and not the host.
pub(crate) async fn run<R: Send + 'static>(what: &'static str, work: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => Err(Error::Internal(format!("{what} did not finish: {stopped}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error_that_names_the_work() {
        let answer: Result<()> = run("reading a thing", || panic!("broken")).await;
        let error = answer.expect_err("it panicked");
        assert_eq!(error.code(), "internal");
        assert!(error.to_string().starts_with("reading a thing did not finish"), "{error}");
        assert_eq!(run("adding", || Ok(1 + 1)).await, Ok(2));
    }
}
