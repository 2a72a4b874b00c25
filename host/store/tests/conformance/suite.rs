//! What every backend of `Records` promises, one function per rule; each takes an empty folder and a way to open a store in
//! it (again and again, the same store).

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};

use bellwether_domain::{Error, Result};
use bellwether_store::{Change, Collection, Record, Records, Transaction, Versioned};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Job {
    id: String,
    state: String,
    owner: Option<String>,
    count: u64,
}

impl Record for Job {
    const COLLECTION: &'static str = "job";
    const INDEXES: &'static [&'static str] = &["state", "owner"];
    fn key(&self) -> String {
        self.id.clone()
    }
    fn index(&self) -> Vec<Option<String>> {
        vec![Some(self.state.clone()), self.owner.clone()]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    id: String,
    text: String,
}

impl Record for Note {
    const COLLECTION: &'static str = "jobs";
    fn key(&self) -> String {
        self.id.clone()
    }
}

fn job(id: &str, state: &str) -> Job {
    Job { id: id.into(), state: state.into(), owner: None, count: 0 }
}

fn numbered(number: usize) -> Job {
    Job {
        owner: Some(format!("o{}", number % 3)),
        ..job(&format!("j/{number:05}"), if number.is_multiple_of(2) { "queued" } else { "running" })
    }
}

async fn start<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) -> (Records, Collection<Job>) {
    let records = open(folder.join("records")).await.unwrap();
    let jobs = records.of::<Job>();
    (records, jobs)
}

/// Inserts `count` numbered jobs, in an order that is not that of their keys.
async fn fill(records: &Records, count: usize) {
    let mut transaction = Transaction::new();
    for number in 0..count {
        transaction.insert(&numbered((number * 7919) % count)).unwrap();
    }
    records.commit(transaction).await.unwrap();
}

async fn walk(jobs: &Collection<Job>, limit: usize, descending: bool) -> Vec<String> {
    let (mut keys, mut cursor) = (Vec::new(), None);
    loop {
        let page = jobs.scan("", cursor.as_deref(), limit, descending).await.unwrap();
        assert!(page.items.len() <= limit && (page.next.is_none() || page.items.len() == limit));
        keys.extend(page.items.into_iter().map(|job| job.value.id));
        cursor = page.next;
        if cursor.is_none() {
            return keys;
        }
    }
}

/// A change that always succeeds.
fn always<T>(mut change: impl FnMut(&mut T)) -> impl FnMut(&mut T) -> Result<()> {
    move |value| {
        change(value);
        Ok(())
    }
}

async fn found(jobs: &Collection<Job>, index: &str, text: &str) -> Vec<String> {
    let page = jobs.find(index, text, None, 1000, false).await.unwrap();
    page.items.into_iter().map(|job| job.value.id).collect()
}

pub(crate) async fn versions_count_changes<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    assert_eq!(jobs.get("a").await.unwrap(), None);
    jobs.insert(&job("a", "queued")).await.unwrap();
    assert_eq!(jobs.get("a").await.unwrap(), Some(Versioned { version: 1, value: job("a", "queued") }));
    let mut transaction = Transaction::new();
    transaction.update(1, &job("a", "running")).unwrap();
    records.commit(transaction).await.unwrap();
    assert_eq!(jobs.get("a").await.unwrap(), Some(Versioned { version: 2, value: job("a", "running") }));
    let mut transaction = Transaction::new();
    transaction.delete::<Job>(2, "a");
    records.commit(transaction).await.unwrap();
    assert_eq!(jobs.get("a").await.unwrap(), None);
    records.commit(Transaction::new()).await.unwrap();
    assert_eq!(records.check().await.unwrap(), 0);
}

pub(crate) async fn a_conflict_changes_nothing<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    jobs.insert(&job("a", "queued")).await.unwrap();
    let taken = jobs.insert(&job("a", "other")).await.expect_err("taken");
    assert_eq!(taken, Error::AlreadyExists { what: "job", id: "a".into() });
    let conflict = async |build: &dyn Fn(&mut Transaction)| {
        let mut transaction = Transaction::new();
        build(&mut transaction);
        let error = records.commit(transaction).await.expect_err("conflict");
        assert_eq!(error.code(), "conflict", "{error}");
    };
    conflict(&|change| change.update(2, &job("a", "other")).unwrap()).await;
    conflict(&|change| change.update(0, &job("a", "other")).unwrap()).await;
    conflict(&|change| change.delete::<Job>(2, "a")).await;
    conflict(&|change| change.update(1, &job("absent", "other")).unwrap()).await;
    conflict(&|change| change.delete::<Job>(1, "absent")).await;
    assert_eq!(jobs.all().await.unwrap(), [Versioned { version: 1, value: job("a", "queued") }]);
    assert_eq!(found(&jobs, "state", "other").await, Vec::<String>::new());
    assert_eq!(records.check().await.unwrap(), 1);
}

pub(crate) async fn transactions_are_whole<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    let notes = records.of::<Note>();
    jobs.insert(&job("taken", "queued")).await.unwrap();
    let mut feed = records.changes();
    // The last of its changes fails, so none of them happens.
    let mut transaction = Transaction::new();
    transaction.insert(&job("new", "queued")).unwrap();
    transaction.update(1, &job("taken", "running")).unwrap();
    transaction.insert(&Note { id: "n".into(), text: "t".into() }).unwrap();
    transaction.insert(&job("taken", "queued")).unwrap();
    assert_eq!(records.commit(transaction).await.expect_err("taken").code(), "already_exists");
    assert_eq!(jobs.get("new").await.unwrap(), None);
    assert_eq!(notes.get("n").await.unwrap(), None);
    assert_eq!(jobs.get("taken").await.unwrap().map(|job| job.version), Some(1));
    assert!(feed.try_recv().is_err(), "the feed tells nothing of it");
    assert_eq!(records.check().await.unwrap(), 1);
}

pub(crate) async fn later_operations_see_earlier_ones<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    let mut transaction = Transaction::new();
    transaction.insert(&job("a", "queued")).unwrap();
    transaction.update(1, &job("a", "running")).unwrap();
    transaction.insert(&job("b", "queued")).unwrap();
    transaction.delete::<Job>(1, "b");
    transaction.insert(&job("b", "done")).unwrap();
    records.commit(transaction).await.unwrap();
    assert_eq!(jobs.get("a").await.unwrap().map(|job| (job.version, job.value.state)), Some((2, "running".into())));
    assert_eq!(jobs.get("b").await.unwrap().map(|job| (job.version, job.value.state)), Some((1, "done".into())));
    assert_eq!(found(&jobs, "state", "queued").await, Vec::<String>::new());
    // Of many transactions that insert the same key at once, one wins.
    let inserts: Vec<_> = (0..20)
        .map(|number| {
            let jobs = jobs.clone();
            tokio::spawn(async move { jobs.insert(&Job { count: number, ..job("race", "queued") }).await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for insert in inserts {
        won += usize::from(insert.await.unwrap());
    }
    assert_eq!(won, 1);
    assert_eq!(records.check().await.unwrap(), 3);
}

pub(crate) async fn pages_walk_everything_once<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    fill(&records, 257).await;
    let expected: Vec<_> = (0..257).map(|number| numbered(number).id).collect();
    let backwards: Vec<_> = expected.iter().rev().cloned().collect();
    for limit in [1, 2, 100, 256, 257, 258] {
        assert_eq!(walk(&jobs, limit, false).await, expected);
        assert_eq!(walk(&jobs, limit, true).await, backwards);
    }
    // Limits are brought into 1 to 1000.
    assert_eq!(jobs.scan("", None, 0, false).await.unwrap().items.len(), 1);
    assert_eq!(jobs.scan("", None, usize::MAX, false).await.unwrap().items.len(), 257);
    for descending in [false, true] {
        let (mut keys, mut cursor) = (Vec::new(), None);
        loop {
            let page = jobs.find("state", "running", cursor.as_deref(), 10, descending).await.unwrap();
            keys.extend(page.items.into_iter().map(|job| job.value.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let running: Vec<_> = expected.iter().skip(1).step_by(2).cloned().collect();
        assert_eq!(keys, if descending { running.into_iter().rev().collect::<Vec<_>>() } else { running });
    }
    assert_eq!(jobs.all().await.unwrap().len(), 257);
}

pub(crate) async fn pages_hold_while_records_come_and_go<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    fill(&records, 300).await;
    let (writer, writing) = (jobs.clone(), records.clone());
    let inserting = tokio::spawn(async move {
        for number in 0..150 {
            // Between, before and behind those that are walked; and what was inserted goes away again.
            let between = Job { id: format!("j/{:05}+", number * 2), ..job("", "queued") };
            writer.insert(&between).await.unwrap();
            let mut transaction = Transaction::new();
            transaction.insert(&job(&format!("a{number}"), "queued")).unwrap();
            transaction.insert(&job(&format!("z{number}"), "queued")).unwrap();
            transaction.delete::<Job>(1, &between.id);
            writing.commit(transaction).await.unwrap();
        }
    });
    let expected: BTreeSet<_> = (0..300).map(|number| numbered(number).id).collect();
    let mut walks = 0;
    while !inserting.is_finished() || walks == 0 {
        for descending in [false, true] {
            let keys = walk(&jobs, 7, descending).await;
            let distinct: BTreeSet<_> = keys.iter().cloned().collect();
            assert_eq!(distinct.len(), keys.len(), "none twice");
            assert!(distinct.is_superset(&expected), "none missing");
            walks += 1;
        }
    }
    inserting.await.unwrap();
    assert_eq!(records.check().await.unwrap(), 600);
}

pub(crate) async fn cursors_fit_only_their_listing<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    fill(&records, 10).await;
    let cursor = jobs.scan("j", None, 3, false).await.unwrap().next.unwrap();
    assert_eq!(jobs.scan("j", Some(&cursor), 1, false).await.unwrap().items[0].value.id, "j/00003");
    let field = |error: Error| match error {
        Error::Invalid { field, .. } => field,
        other => panic!("{other}"),
    };
    assert_eq!(field(jobs.scan("j", Some(&cursor), 3, true).await.expect_err("direction")), "cursor");
    assert_eq!(field(jobs.scan("", Some(&cursor), 3, false).await.expect_err("prefix")), "cursor");
    assert_eq!(field(jobs.find("state", "queued", Some(&cursor), 3, false).await.expect_err("find")), "cursor");
    assert_eq!(field(jobs.scan("j", Some("nonsense"), 3, false).await.expect_err("nonsense")), "cursor");
    // The record a cursor points at may be gone.
    let mut transaction = Transaction::new();
    transaction.delete::<Job>(1, "j/00002");
    records.commit(transaction).await.unwrap();
    assert_eq!(jobs.scan("j", Some(&cursor), 1, false).await.unwrap().items[0].value.id, "j/00003");
}

pub(crate) async fn prefixes_bound_a_scan<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (_records, jobs) = start(folder, open).await;
    for id in ["a", "a/1", "a/2", "a0", "b", "ä", "\u{10ffff}", "\u{1}"] {
        jobs.insert(&job(id, "queued")).await.unwrap();
    }
    let scan = async |prefix: &str, descending: bool| {
        let page = jobs.scan(prefix, None, 100, descending).await.unwrap();
        page.items.into_iter().map(|job| job.value.id).collect::<Vec<_>>()
    };
    assert_eq!(scan("a", false).await, ["a", "a/1", "a/2", "a0"]);
    assert_eq!(scan("a/", true).await, ["a/2", "a/1"]);
    assert_eq!(scan("ä", false).await, ["ä"]);
    assert_eq!(scan("\u{10ffff}", true).await, ["\u{10ffff}"]);
    assert_eq!(scan("c", false).await, Vec::<String>::new());
    assert_eq!(scan("", true).await.len(), 8);
}

pub(crate) async fn indexes_follow_the_records<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    jobs.insert(&Job { owner: Some("ada".into()), ..job("a", "queued") }).await.unwrap();
    jobs.insert(&job("b", "queued")).await.unwrap();
    assert_eq!(found(&jobs, "state", "queued").await, ["a", "b"]);
    assert_eq!(found(&jobs, "owner", "ada").await, ["a"]);
    jobs.modify("a", always(|job: &mut Job| job.state = "running".into())).await.unwrap();
    assert_eq!(found(&jobs, "state", "queued").await, ["b"]);
    assert_eq!(found(&jobs, "state", "running").await, ["a"]);
    assert_eq!(found(&jobs, "state", "run").await, Vec::<String>::new(), "whole texts only");
    jobs.modify("a", always(|job: &mut Job| job.owner = None)).await.unwrap();
    assert_eq!(found(&jobs, "owner", "ada").await, Vec::<String>::new());
    // An empty text is a text.
    jobs.modify("a", always(|job: &mut Job| job.owner = Some(String::new()))).await.unwrap();
    assert_eq!(found(&jobs, "owner", "").await, ["a"]);
    let mut transaction = Transaction::new();
    transaction.delete::<Job>(4, "a");
    records.commit(transaction).await.unwrap();
    assert_eq!(found(&jobs, "state", "running").await, Vec::<String>::new());
    assert_eq!(found(&jobs, "owner", "").await, Vec::<String>::new());
    assert_eq!(jobs.find("color", "red", None, 1, false).await.expect_err("no such index").code(), "invalid");
    assert_eq!(records.check().await.unwrap(), 1);
}

pub(crate) async fn keys_and_texts_are_checked<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    let longest = "k".repeat(512);
    jobs.insert(&job(&longest, &"s".repeat(512))).await.unwrap();
    assert!(jobs.get(&longest).await.unwrap().is_some());
    for wrong in ["", "a\0b", &"k".repeat(513)] {
        assert_eq!(jobs.insert(&job(wrong, "queued")).await.expect_err("wrong key").code(), "invalid");
        assert_eq!(jobs.get(wrong).await.expect_err("wrong key").code(), "invalid");
        let mut transaction = Transaction::new();
        transaction.delete::<Job>(1, wrong);
        assert_eq!(records.commit(transaction).await.expect_err("wrong key").code(), "invalid");
    }
    for wrong in ["a\0b", &"s".repeat(513)] {
        let error = jobs.insert(&job("b", wrong)).await.expect_err("wrong text");
        assert!(error.to_string().starts_with("index state of job `b`"), "{error}");
        assert_eq!(jobs.find("state", wrong, None, 1, false).await.expect_err("wrong text").code(), "invalid");
        assert_eq!(jobs.scan(wrong, None, 1, false).await.expect_err("wrong prefix").code(), "invalid");
    }
    assert_eq!(records.check().await.unwrap(), 1);
}

pub(crate) async fn large_records_are_kept<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, _) = start(folder, open).await;
    let notes = records.of::<Note>();
    for (number, size) in [10_000, 200_000, 3_000_000, 10_000, 10_000, 1_000_000].into_iter().enumerate() {
        notes.insert(&Note { id: format!("n{number}"), text: number.to_string().repeat(size) }).await.unwrap();
    }
    let too_large = notes.insert(&Note { id: "n".into(), text: "x".repeat(4 << 20) }).await.expect_err("too large");
    assert!(too_large.code() == "invalid" && too_large.to_string().contains("4194304"), "{too_large}");
    notes.modify("n1", always(|note: &mut Note| note.text.push('!'))).await.unwrap();
    records.close().await.unwrap();
    let (records, _) = start(folder, open).await;
    assert_eq!(records.check().await.unwrap(), 6);
    assert!(records.of::<Note>().get("n1").await.unwrap().is_some_and(|note| note.version == 2 && note.value.text.ends_with("1!")));
}

pub(crate) async fn collections_are_apart<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    let notes = records.of::<Note>();
    // The name of one collection begins with that of the other, and the keys are the same.
    jobs.insert(&job("s", "queued")).await.unwrap();
    notes.insert(&Note { id: "s".into(), text: "t".into() }).await.unwrap();
    assert_eq!(jobs.all().await.unwrap().len(), 1);
    assert_eq!(notes.all().await.unwrap().len(), 1);
    assert_eq!(jobs.scan("", None, 10, true).await.unwrap().items.len(), 1);
    assert_eq!(records.check().await.unwrap(), 2);
}

pub(crate) async fn the_feed_tells_commits_in_order<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    jobs.insert(&job("before", "queued")).await.unwrap();
    let mut feed = records.changes();
    let mut transaction = Transaction::new();
    transaction.insert(&job("b", "queued")).unwrap();
    transaction.insert(&job("a", "queued")).unwrap();
    records.commit(transaction).await.unwrap();
    jobs.modify("a", always(|job: &mut Job| job.count = 1)).await.unwrap();
    drop(jobs.insert(&job("a", "taken")).await.expect_err("taken"));
    let change = |sequence, key: &str| Change { sequence, collection: "job".into(), key: key.into() };
    // What is acknowledged has been told.
    assert_eq!(feed.try_recv().unwrap(), change(2, "b"));
    assert_eq!(feed.try_recv().unwrap(), change(2, "a"));
    assert_eq!(feed.try_recv().unwrap(), change(3, "a"));
    assert!(feed.try_recv().is_err());
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let jobs = jobs.clone();
            tokio::spawn(async move { jobs.insert(&numbered(number)).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let told: Vec<_> = std::iter::from_fn(|| feed.try_recv().ok()).collect();
    assert_eq!(told.iter().map(|change| change.sequence).collect::<Vec<_>>(), (4..54).collect::<Vec<_>>());
    assert_eq!(told.iter().map(|change| change.key.clone()).collect::<BTreeSet<_>>().len(), 50);
    records.close().await.unwrap();
    let (records, jobs) = start(folder, open).await;
    let mut feed = records.changes();
    jobs.insert(&job("after", "queued")).await.unwrap();
    assert_eq!(feed.try_recv().unwrap(), change(54, "after"), "numbers go on");
}

pub(crate) async fn modify_is_exact_under_contention<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    jobs.insert(&job("counter", "queued")).await.unwrap();
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let jobs = jobs.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..5 {
                    let (count, changed) = jobs
                        .modify("counter", |job| {
                            job.count += 1;
                            Ok(job.count)
                        })
                        .await
                        .unwrap();
                    assert_eq!((changed.value.count, changed.version), (count, count + 1));
                    seen.push(count);
                }
                seen
            })
        })
        .collect();
    let mut seen = BTreeSet::new();
    for task in tasks {
        seen.extend(task.await.unwrap());
    }
    assert_eq!(seen, (1..=250).collect());
    assert_eq!(jobs.get("counter").await.unwrap().map(|job| (job.version, job.value.count)), Some((251, 250)));
    assert_eq!(records.check().await.unwrap(), 1);
}

pub(crate) async fn modify_takes_back_what_fails<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (_records, jobs) = start(folder, open).await;
    jobs.insert(&job("a", "queued")).await.unwrap();
    let refused = jobs.modify("a", |job| {
        job.count = 9;
        Err::<(), _>(Error::Conflict("not now".into()))
    });
    assert_eq!(refused.await.expect_err("refused"), Error::Conflict("not now".into()));
    assert_eq!(jobs.modify("absent", |_| Ok(())).await.expect_err("absent"), Error::not_found("job", "absent"));
    assert_eq!(jobs.modify("a", always(|job: &mut Job| job.id = "b".into())).await.expect_err("another key").code(), "invalid");
    assert_eq!(jobs.all().await.unwrap(), [Versioned { version: 1, value: job("a", "queued") }]);
}

pub(crate) async fn reopening_keeps_everything<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    fill(&records, 2000).await;
    for round in 0..5 {
        let mut transaction = Transaction::new();
        for number in (round..2000).step_by(10) {
            let old = Job { count: 0, ..numbered(number) };
            transaction.update(1, &Job { count: 7, ..old }).unwrap();
        }
        records.commit(transaction).await.unwrap();
    }
    let before = jobs.all().await.unwrap();
    records.close().await.unwrap();
    drop((records, jobs));
    for _ in 0..3 {
        let (records, jobs) = start(folder, open).await;
        assert_eq!(jobs.all().await.unwrap(), before);
        assert_eq!(records.check().await.unwrap(), 2000);
        // Not closed this time: dropping must be enough for what was acknowledged.
    }
    assert_eq!(before.iter().filter(|job| job.version == 2 && job.value.count == 7).count(), 1000);
}

pub(crate) async fn closed_is_closed<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    jobs.insert(&job("a", "queued")).await.unwrap();
    records.close().await.unwrap();
    records.close().await.unwrap();
    assert_eq!(jobs.get("a").await.expect_err("closed").code(), "unavailable");
    assert_eq!(jobs.insert(&job("b", "queued")).await.expect_err("closed").code(), "unavailable");
    assert_eq!(records.check().await.expect_err("closed").code(), "unavailable");
    // The old handles live on; the folder is free all the same.
    let (_again, jobs) = start(folder, open).await;
    assert_eq!(jobs.all().await.unwrap().len(), 1);
}

pub(crate) async fn backups_restore_everything<F: Future<Output = Result<Records>>>(folder: &Path, open: fn(PathBuf) -> F) {
    let (records, jobs) = start(folder, open).await;
    fill(&records, 1500).await;
    jobs.modify("j/00003", always(|job: &mut Job| job.owner = Some("ümläut \"quoted\"".into()))).await.unwrap();
    let file = folder.join("backup.jsonl");
    assert_eq!(records.backup(&file).await.unwrap(), 1500);
    assert_eq!(records.backup(&file).await.expect_err("is there").code(), "already_exists");
    let restored = folder.join("restored");
    assert_eq!(Records::restore(&restored, &file).await.unwrap(), 1500);
    assert_eq!(Records::restore(&restored, &file).await.expect_err("not empty").code(), "conflict");
    let copy = open(restored).await.unwrap();
    assert_eq!(copy.of::<Job>().all().await.unwrap(), jobs.all().await.unwrap());
    assert_eq!(copy.check().await.unwrap(), 1500);
    assert_eq!(found(&copy.of::<Job>(), "owner", "ümläut \"quoted\"").await, ["j/00003"]);
    // A backup that was cut off or changed is refused.
    let text = std::fs::read_to_string(&file).unwrap();
    let cut = folder.join("cut.jsonl");
    for (number, wrong) in [text[..text.len() / 2].to_owned(), text.replacen("queued", "quebed", 1), String::new()].into_iter().enumerate()
    {
        std::fs::write(&cut, wrong).unwrap();
        let error = Records::restore(&folder.join(format!("wrong{number}")), &cut).await.expect_err("wrong");
        assert!(error.code() == "invalid" && error.to_string().contains("cut.jsonl"), "{error}");
    }
}
