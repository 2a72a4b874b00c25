//! Watching plugin folders: which plugins' files are others than those that were taken up last.
//!
//! By looking, not by the kernel's events: those do not tell of changes on network file systems, and say nothing of when a
//! writer is done. A change counts once two looks in a row see the same, so that a file still being written is left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::manifest::Manifest;

/// The folders and what was seen in them.
#[derive(Debug)]
pub(crate) struct Watch {
    folders: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, Seen>,
}

/// One plugin's folder.
#[derive(Debug, Default)]
struct Seen {
    /// What was taken up.
    taken: Sight,
    /// What the last look saw.
    last: Sight,
    /// The component's file, as the manifest of that sight names it.
    component: Option<String>,
}

/// Manifest and component as far as looking from outside tells; nothing when there is no manifest.
#[derive(Debug, Clone, Default, PartialEq)]
struct Sight {
    manifest: Option<Mark>,
    component: Option<Mark>,
}

type Mark = (u64, Option<SystemTime>, u64);

impl Watch {
    /// Takes what is there now as taken up.
    pub(crate) fn begin(folders: &[PathBuf]) -> Watch {
        let mut watch = Watch { folders: folders.to_vec(), seen: BTreeMap::new() };
        watch.look();
        for seen in watch.seen.values_mut() {
            seen.taken = seen.last.clone();
        }
        watch
    }

    /// Looks once. Folders of plugins that appeared, changed or vanished, once they have settled; each is told once.
    pub(crate) fn look(&mut self) -> BTreeSet<PathBuf> {
        let mut there: BTreeSet<PathBuf> = self.seen.keys().cloned().collect();
        for folder in &self.folders {
            // A folder that cannot be read for a moment tells nothing of what lies in it.
            let Ok(entries) = std::fs::read_dir(folder) else {
                there.retain(|path| path.parent() != Some(folder.as_path()));
                continue;
            };
            there.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.join("plugin.toml").is_file()));
        }
        let mut settled = BTreeSet::new();
        for path in there {
            let seen = self.seen.entry(path.clone()).or_default();
            let sight = seen.look(&path);
            if sight != seen.taken && sight == seen.last {
                seen.taken = sight.clone();
                settled.insert(path);
            }
            seen.last = sight;
        }
        self.seen.retain(|_, seen| seen.taken.manifest.is_some() || seen.last.manifest.is_some());
        settled
    }
}

impl Seen {
    fn look(&mut self, folder: &Path) -> Sight {
        let manifest = mark(&folder.join("plugin.toml"));
        if manifest != self.last.manifest {
            // One that cannot be read names no component; its own mark is enough to notice when it can.
            self.component = Manifest::read(folder).ok().map(|manifest| manifest.component);
        }
        let component = self.component.as_ref().filter(|_| manifest.is_some()).and_then(|file| mark(&folder.join(file)));
        Sight { manifest, component }
    }
}

/// Size, time of the last change, and identity of a file.
fn mark(path: &Path) -> Option<Mark> {
    let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    #[cfg(unix)]
    let identity = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let identity = 0;
    Some((metadata.len(), metadata.modified().ok(), identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "name = \"ks\"\nversion = \"0.1.0\"\nkind = \"drift-test\"\ncomponent = \"ks.wasm\"\ncontract = \"0.1.0\"\nlicence = \"MIT\"\n";

    fn names(settled: &BTreeSet<PathBuf>) -> Vec<String> {
        settled.iter().map(|path| path.file_name().expect("name").to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_change_is_told_once_and_when_it_has_settled() {
        let root = tempfile::tempdir().expect("folder");
        let put = |plugin: &str, file: &str, text: &str| {
            std::fs::create_dir_all(root.path().join(plugin)).expect("folder");
            std::fs::write(root.path().join(plugin).join(file), text).expect("file");
        };
        put("one", "plugin.toml", MANIFEST);
        put("one", "ks.wasm", "a");
        let mut watch = Watch::begin(&[root.path().to_owned()]);
        let mut check = |expected: &[&str], what: &str| assert_eq!(names(&watch.look()), expected, "{what}");
        check(&[], "as it was");
        check(&[], "as it was, still");
        put("one", "ks.wasm", "ab");
        check(&[], "seen for the first time: it may be half written");
        put("one", "ks.wasm", "abc");
        check(&[], "it was");
        check(&["one"], "settled");
        check(&[], "told already");
        put("one", "README.md", "words");
        check(&[], "other files are nobody's concern");
        check(&[], "other files are nobody's concern");
        put("two", "plugin.toml", "not a manifest");
        put("three", "notes.txt", "no plugin");
        check(&[], "new");
        check(&["two"], "new and settled");
        put("two", "plugin.toml", MANIFEST);
        put("two", "ks.wasm", "a");
        check(&[], "repaired");
        check(&["two"], "repaired and settled");
        std::fs::remove_dir_all(root.path().join("one")).expect("gone");
        check(&[], "vanished");
        check(&["one"], "vanished and settled");
        check(&[], "told already");
        std::fs::remove_dir_all(root.path()).expect("gone");
        check(&[], "a folder that cannot be read");
        check(&[], "tells nothing");
    }
}
