//! Plugins on their way from author to operator: signed, packed, pushed, pulled, and loaded by a host that asks who made them.

use std::path::{Path, PathBuf};

use bellwether_tests::Home;
use bellwether_tests::registry::{Door, Registry};
use serde_json::{Value, json};

use crate::guests::generated::{DEPLOY_0_1_0, DEPLOY_0_1_0_MANIFEST};

const NAME: &str = "deploy-0-1-0";

/// A folder with a plugin that a test may spoil.
fn plugin(home: &Home, folder: &str) -> PathBuf {
    let path = home.path().join(folder);
    fs_err::create_dir_all(&path).unwrap();
    fs_err::write(path.join("plugin.toml"), DEPLOY_0_1_0_MANIFEST).unwrap();
    fs_err::write(path.join(component()), DEPLOY_0_1_0).unwrap();
    path
}

fn component() -> String {
    let manifest: toml::Table = DEPLOY_0_1_0_MANIFEST.parse().unwrap();
    manifest["component"].as_str().unwrap().to_owned()
}

/// All a command printed; it must end with this code.
#[track_caller]
fn words(home: &Home, arguments: &[&str], code: i32) -> String {
    let output = home.command(arguments).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    text
}

#[track_caller]
fn printed(home: &Home, arguments: &[&str]) -> Value {
    let output = home.command(arguments).arg("--json").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn same_plugin(a: &Path, b: &Path) {
    for name in ["plugin.toml", "plugin.sig", &component()] {
        assert_eq!(fs_err::read(a.join(name)).unwrap(), fs_err::read(b.join(name)).unwrap(), "{name}");
    }
}

#[test]
fn a_plugin_goes_through_a_registry_and_comes_out_as_it_was() {
    let home = Home::default();
    let folder = plugin(&home, "mine");
    printed(&home, &["plugin", "keygen", "desk.key"]);
    printed(&home, &["plugin", "sign", "mine", "--key", "desk.key"]);
    let packed = printed(&home, &["plugin", "pack", "mine", "-o", "mine.tar"]);
    printed(&home, &["plugin", "unpack", "mine.tar", "--into", "unpacked"]);
    same_plugin(&folder, &home.path().join("unpacked"));

    for door in [Door::Open, Door::Basic, Door::Token] {
        let registry = Registry::start(door);
        let home = Home::at(home.path(), "");
        let home = match door {
            Door::Open => home,
            Door::Basic | Door::Token => home.with("BELLWETHER_REGISTRY_USERNAME", "desk").with("BELLWETHER_REGISTRY_PASSWORD", "s3cret"),
        };
        let place = format!("{}/desk/mine", registry.address);
        // From the folder, then from the packed file: it is the same artifact, whose parts are there already.
        let pushed = printed(&home, &["plugin", "push", &format!("{place}:0.1.0"), "mine"]);
        assert_eq!(pushed["digest"], packed["digest"], "{door:?}");
        let before = registry.requests().len();
        let again = printed(&home, &["plugin", "push", &format!("{place}:0.1.0"), "mine.tar"]);
        assert_eq!(again, pushed);
        assert!(!registry.requests()[before..].iter().any(|request| request.starts_with("POST")), "{:?}", registry.requests());

        let pinned = pushed["reference"].as_str().unwrap();
        let into = format!("pulled-{door:?}");
        printed(&home, &["plugin", "pull", pinned, "--into", &into]);
        same_plugin(&folder, &home.path().join(&into));
        let told = words(&home, &["plugin", "pull", &format!("{place}:0.1.0"), "--into", "nowhere"], 1);
        assert!(told.contains("pins nothing") && told.contains(packed["digest"].as_str().unwrap()), "{told}");
        registry.damage();
        let told = words(&home, &["plugin", "pull", pinned, "--into", "nowhere"], 1);
        assert!(told.contains("is broken") && !home.path().join("nowhere").exists(), "{told}");
    }
}

#[test]
fn a_registry_that_says_no_is_told_so() {
    let home = Home::default();
    plugin(&home, "mine");
    let registry = Registry::start(Door::Basic);
    let place = format!("{}/desk/mine:0.1.0", registry.address);
    let told = words(&home, &["plugin", "push", &place, "mine"], 1);
    assert!(told.contains("401") && told.contains("--username"), "{told}");
    fs_err::write(home.path().join("password"), "wrong\n").unwrap();
    let told = words(&home, &["plugin", "push", &place, "mine", "--username", "desk", "--password-file", "password"], 1);
    assert!(told.contains("401"), "{told}");
    let told = words(&home, &["plugin", "push", &place, "mine", "--username", "desk"], 2);
    assert!(told.contains("--password-file"), "{told}");
    let told = words(&home, &["plugin", "push", "drift", "mine"], 2);
    assert!(told.contains("has no repository"), "{told}");
    let absent = format!("{}/desk/none@sha256:{}", registry.address, "0".repeat(64));
    fs_err::write(home.path().join("password"), "s3cret\n").unwrap();
    let told = words(&home, &["plugin", "pull", &absent, "--into", "x", "--username", "desk", "--password-file", "password"], 1);
    assert!(told.contains("404"), "{told}");
}

#[test]
fn a_host_takes_packed_plugins() {
    let author = Home::default();
    let folder = plugin(&author, "mine");
    printed(&author, &["plugin", "pack", "mine", "-o", "mine.tar"]);
    let registry = Registry::start(Door::Open);
    let pushed = printed(&author, &["plugin", "push", &format!("{}/desk/{NAME}:0.1.0", registry.address), "mine.tar"]);
    let pinned = pushed["reference"].as_str().unwrap().to_owned();

    let file = author.path().join("mine.tar").display().to_string();
    for packed in [&file, &pinned] {
        let home = Home::new(&format!("[plugins]\npacked = [{packed:?}]\n"));
        let before = registry.requests().len();
        // The second start asks nobody, and what somebody changed meanwhile is written anew.
        let asked = [1, 2].map(|_| {
            let host = home.start();
            let found = host.client.get(&format!("/mlops/api/plugins/{NAME}")).expect(200);
            assert_eq!((&found["state"], &found["source"]), (&json!("active"), &json!(packed)), "{found}");
            assert!(host.stop().0.success());
            for entry in fs_err::read_dir(home.data().join("plugin-cache/unpacked")).unwrap() {
                fs_err::write(entry.unwrap().path().join(component()), "changed").unwrap();
            }
            registry.requests().len() - before
        });
        assert_eq!((asked[0] > 0, asked[1]), (*packed == pinned, asked[0]), "{packed}");
    }

    // A file that changed is taken up when it is asked for; one that is damaged, or gone, changes nothing.
    let home = Home::new(&format!("[plugins]\npacked = [{file:?}]\n"));
    let host = home.start();
    let reload = || host.client.post(&format!("/mlops/api/plugins/{NAME}/reload"), &json!({})).expect(200);
    assert_eq!(reload()["outcome"], "unchanged");
    fs_err::write(folder.join("plugin.toml"), DEPLOY_0_1_0_MANIFEST.replace("Apache-2.0", "MIT")).unwrap();
    printed(&author, &["plugin", "pack", "mine", "-o", "mine.tar"]);
    let all = host.client.post("/mlops/api/plugins/reload", &json!({})).expect(200);
    let changed: Vec<_> = all["changed"].as_array().unwrap().iter().map(|one| (&one["outcome"], &one["plugin"]["name"])).collect();
    assert_eq!(changed, [(&json!("taken-up"), &json!(NAME))]);
    fs_err::write(&file, "no tar").unwrap();
    let kept = reload();
    assert_eq!((&kept["outcome"], &kept["plugin"]["state"]), (&json!("kept"), &json!("active")), "{kept}");
    assert!(kept["plugin"]["problem"].as_str().unwrap().contains("mine.tar"), "{kept}");
}

#[test]
fn a_host_runs_without_what_it_cannot_pull() {
    let registry = Registry::start(Door::Open);
    let absent = format!("{}/desk/none@sha256:{}", registry.address, "0".repeat(64));
    let home = Home::new(&format!("[plugins]\npacked = [{absent:?}, \"nowhere/mine.tar\"]\n"));
    let host = home.start();
    for (name, why) in [("none", "404"), ("mine", "nowhere/mine.tar")] {
        let found = host.client.get(&format!("/mlops/api/plugins/{name}")).expect(200);
        assert_eq!(found["state"], "refused", "{found}");
        assert!(found["problem"].as_str().unwrap().contains(why), "{found}");
    }
    let home = Home::new("[plugins]\npacked = [\"oci://registry.example.com/desk/mmd:1.0.0\"]\n");
    let refused = home.try_start().map(drop).expect_err("a tag pins nothing");
    assert!(refused.output.contains("plugins.packed") && refused.output.contains("pins nothing"), "{}", refused.output);
}

#[test]
fn a_host_asks_who_made_a_plugin() {
    let author = Home::default();
    let folder = plugin(&author, "plugins/mine");
    let key = printed(&author, &["plugin", "keygen", "desk.key"])["public_key"].as_str().unwrap().to_owned();
    let settings = |signatures: &str, trust: &str| {
        let plugins = author.path().join("plugins").display().to_string();
        format!("[plugins]\nfolders = [{plugins:?}]\nsignatures = \"{signatures}\"\ntrust = [{trust}]\n")
    };
    let desk = format!("{{ name = \"desk\", key = \"{key}\" }}");
    let seen = |signatures: &str, trust: &str| {
        let home = Home::new(&settings(signatures, trust));
        let host = home.start();
        let plugin = host.client.get(&format!("/mlops/api/plugins/{NAME}")).expect(200);
        (plugin["state"].as_str().unwrap().to_owned(), plugin["problem"].as_str().unwrap_or_default().to_owned())
    };
    let check = |signatures: &str, trust: &str, state: &str, problem: &str| {
        let (found, told) = seen(signatures, trust);
        assert!(found == state && told.contains(problem) && told.is_empty() == problem.is_empty(), "{signatures}: {found}: {told}");
    };
    check("off", "", "active", "");
    check("warn", &desk, "active", "it is not signed");
    check("require", &desk, "refused", "it is not signed");
    printed(&author, &["plugin", "sign", "plugins/mine", "--key", "desk.key"]);
    check("require", &desk, "active", "");
    check("require", "", "refused", "which plugins.trust does not name");
    let trusted = words(&author, &["plugin", "verify", "plugins/mine", "--trust", &key], 0);
    assert!(trusted.contains("good:"), "{trusted}");
    fs_err::write(folder.join("plugin.toml"), format!("{DEPLOY_0_1_0_MANIFEST}\n# and more\n")).unwrap();
    check("require", &desk, "refused", "its manifest is not the one that was signed");
    let told = words(&author, &["plugin", "verify", "plugins/mine", "--trust", &key], 1);
    assert!(told.contains("manifest is not the one"), "{told}");
    let home = Home::new(&settings("require", "{ name = \"desk\", key = \"ed25519:1\" }"));
    let refused = home.try_start().map(drop);
    let refused = refused.expect_err("no host runs on a key that is none");
    assert!(refused.output.contains("plugins.trust.desk.key"), "{}", refused.output);
}
