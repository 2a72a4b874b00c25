//! sled passes the suite that every backend of `Records` has to pass.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

#[path = "conformance/suite.rs"]
mod suite;

use std::path::PathBuf;

use bellwether_store::Records;

async fn open(folder: PathBuf) -> bellwether_domain::Result<Records> {
    Records::open(&folder).await
}

/// One test per rule of the suite; a rule without a line here would be an unused function, which the lints refuse.
macro_rules! rules {
    ($($rule:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $rule() {
            let folder = tempfile::tempdir().unwrap();
            suite::$rule(folder.path(), open).await;
        }
    )*};
}

rules![
    versions_count_changes,
    a_conflict_changes_nothing,
    transactions_are_whole,
    later_operations_see_earlier_ones,
    pages_walk_everything_once,
    pages_hold_while_records_come_and_go,
    cursors_fit_only_their_listing,
    prefixes_bound_a_scan,
    indexes_follow_the_records,
    keys_and_texts_are_checked,
    large_records_are_kept,
    collections_are_apart,
    the_feed_tells_commits_in_order,
    modify_is_exact_under_contention,
    modify_takes_back_what_fails,
    reopening_keeps_everything,
    closed_is_closed,
    backups_restore_everything,
];
