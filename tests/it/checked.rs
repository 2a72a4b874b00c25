//! `plugin check` finds what it is there to find: a model that knows the future, one that looks at its neighbours, one that
//! remembers.

use bellwether_plugin::PluginsConfig;
use bellwether_plugin::check::{Finding, check};
use tokio::runtime::Runtime;

use crate::guests::generated::{FORESIGHT, FORESIGHT_MANIFEST};

/// What did not hold of the guest in this mode.
fn failed(mode: &str) -> Vec<Finding> {
    let folder = tempfile::tempdir().unwrap();
    let manifest = FORESIGHT_MANIFEST.replace("\"honest\"", &format!("\"{mode}\""));
    fs_err::write(folder.path().join("plugin.toml"), manifest).unwrap();
    fs_err::write(folder.path().join("foresight.wasm"), FORESIGHT).unwrap();
    let config = PluginsConfig { cache: folder.path().join("cache"), ..PluginsConfig::default() };
    let findings = Runtime::new().unwrap().block_on(check(folder.path(), &config)).unwrap();
    assert!(findings.len() > 40, "{findings:#?}");
    findings.into_iter().filter(|finding| !finding.passed).collect()
}

#[test]
fn an_honest_model_passes() {
    let failed = failed("honest");
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_model_that_knows_the_future_is_told_its_first_row() {
    let failed = failed("ahead");
    let names: Vec<&str> = failed.iter().map(|finding| finding.what.as_str()).collect();
    let expected = ["predict: a sample alone as among others", "predict: later samples removed", "predict: later samples changed"];
    assert_eq!(names, expected, "{failed:#?}");
    for finding in &failed[1..] {
        assert!(finding.detail.starts_with("row 0 is the first to differ"), "{}", finding.detail);
        assert!(finding.detail.contains("must not depend on later samples"), "{}", finding.detail);
    }
}

#[test]
fn a_model_that_looks_at_its_neighbours_or_remembers_is_told() {
    for (mode, expected) in
        [("neighbour", "predict: a sample alone as among others"), ("remembers", "fit and predict: twice in one instance")]
    {
        let failed = failed(mode);
        assert_eq!(failed.iter().map(|finding| finding.what.as_str()).collect::<Vec<_>>(), [expected], "{mode}: {failed:#?}");
    }
}
