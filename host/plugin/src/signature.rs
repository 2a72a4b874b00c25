//! Who made a plugin: an Ed25519 signature over the digests of component and manifest, in `plugin.sig` beside them.
//!
//! A signature says where bytes come from, not what they may do: a signed plugin runs in the same sandbox. It covers the
//! manifest too, else a stranger's wants could be put to a trusted component. Keys are named by the operator in
//! `plugins.trust`; a key's id is the beginning of its own SHA-256.

use std::io::Write;
use std::path::Path;

use bellwether_domain::{Error, Result};
use ring::rand::SecureRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Trusted;
use crate::manifest::Manifest;

/// The signature's file, beside the manifest.
pub const FILE: &str = "plugin.sig";

/// What a public key is written after.
const ED25519_KEY: &str = "ed25519:";

/// What a private key is written after.
const PRIVATE_KEY: &str = "bellwether-signing-key-v1:";

/// Largest file read here, in bytes: signatures and keys.
const SMALL: u64 = 16 << 10;

/// What lies in `plugin.sig`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Layout of this file: 1.
    pub version: u32,
    /// Beginning of the SHA-256 of the public key, in hex.
    pub key_id: String,
    /// SHA-256 of the component, in hex.
    pub component: String,
    /// SHA-256 of `plugin.toml`, in hex.
    pub manifest: String,
    /// The signature, in hex.
    pub signature: String,
}

/// Makes a key pair: the private key goes to a new file that only its owner reads, the public key is returned as it is
/// written in `plugins.trust`. Errors: the file exists or cannot be written.
pub fn keygen(path: &Path) -> Result<String> {
    let mut seed = [0; 32];
    ring::rand::SystemRandom::new().fill(&mut seed).map_err(|_| Error::internal("the system gives no random numbers"))?;
    let public = public_key(&pair(&seed)?);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        writeln!(file, "{PRIVATE_KEY}{}", hex::encode(seed))?;
        file.sync_all()
    });
    written.map_err(|error| Error::invalid(path.display().to_string(), format!("cannot be written: {error}")))?;
    Ok(public)
}

/// Signs the plugin in a folder and writes `plugin.sig`. Errors: the manifest, the component or the key cannot be used.
pub fn sign(folder: &Path, key: &Path) -> Result<Signature> {
    let pair = read_key(key)?;
    let (component, manifest) = digests(folder)?;
    let signature = Signature {
        version: 1,
        key_id: key_id(pair.public_key().as_ref()),
        signature: hex::encode(pair.sign(message(&component, &manifest).as_bytes())),
        component,
        manifest,
    };
    let path = folder.join(FILE);
    let text = serde_json::to_string_pretty(&signature).map_err(Error::internal)? + "\n";
    std::fs::write(&path, text).map_err(|error| Error::invalid(path.display().to_string(), format!("cannot be written: {error}")))?;
    Ok(signature)
}

/// Who signed the plugin in a folder: the name of a trusted key. Errors: `Forbidden` with what is wrong with the signature.
pub fn verify(folder: &Path, trust: &[Trusted]) -> Result<String> {
    check_trust(trust)?;
    let (component, manifest) = digests(folder)?;
    judge(folder, &component, &manifest, trust).map_err(Error::Forbidden)
}

/// Refuses keys that are none.
pub(crate) fn check_trust(trust: &[Trusted]) -> Result<()> {
    for trusted in trust {
        parse_public(&trusted.key).map_err(|why| Error::invalid(format!("plugins.trust.{}.key", trusted.name), why))?;
    }
    Ok(())
}

/// Who signed a plugin that is being loaded: its component has this digest, its manifest was read as this.
pub(crate) fn of_loaded(folder: &Path, component: &str, manifest: &Manifest, trust: &[Trusted]) -> Result<String, String> {
    let text = std::fs::read_to_string(folder.join("plugin.toml")).map_err(|error| format!("plugin.toml cannot be read: {error}"))?;
    // What is signed must be what was read.
    if Manifest::parse(&text).ok().as_ref() != Some(manifest) {
        return Err("plugin.toml changed while it was loaded".to_owned());
    }
    judge(folder, component, &hex::encode(Sha256::digest(&text)), trust)
}

fn judge(folder: &Path, component: &str, manifest: &str, trust: &[Trusted]) -> Result<String, String> {
    let path = folder.join(FILE);
    if !path.is_file() {
        return Err(format!("it is not signed: there is no {FILE} beside its manifest"));
    }
    let text = read_small(&path)?;
    let signature: Signature = serde_json::from_str(&text).map_err(|error| format!("its {FILE} cannot be read: {error}"))?;
    if signature.version != 1 {
        return Err(format!("its {FILE} has layout {}; this host reads 1", signature.version));
    }
    for (what, signed, found) in [("component", &signature.component, component), ("manifest", &signature.manifest, manifest)] {
        if signed != found {
            return Err(format!("its {what} is not the one that was signed: SHA-256 {found}, signed was {signed}"));
        }
    }
    let known = |trusted: &&Trusted| parse_public(&trusted.key).is_ok_and(|key| key_id(&key) == signature.key_id);
    let trusted = trust
        .iter()
        .find(known)
        .ok_or_else(|| format!("it was signed with the key {}, which plugins.trust does not name", signature.key_id))?;
    let bytes = hex::decode(&signature.signature).map_err(|_| format!("its {FILE} is damaged: the signature is not hexadecimal"))?;
    let key = UnparsedPublicKey::new(&ED25519, parse_public(&trusted.key)?);
    match key.verify(message(component, manifest).as_bytes(), &bytes) {
        Ok(()) => Ok(trusted.name.clone()),
        Err(_) => Err(format!("its signature is not one of the key {} (`{}`): it was forged or damaged", signature.key_id, trusted.name)),
    }
}

/// What is signed: no other program's signature can be taken for one of these.
fn message(component: &str, manifest: &str) -> String {
    format!("bellwether plugin signature v1\n{component}\n{manifest}\n")
}

fn digests(folder: &Path) -> Result<(String, String)> {
    let manifest = Manifest::read(folder)?;
    let digest = |name: &str| {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|error| Error::invalid(path.display().to_string(), format!("cannot be read: {error}")))?;
        Ok::<_, Error>(hex::encode(Sha256::digest(bytes)))
    };
    Ok((digest(&manifest.component)?, digest("plugin.toml")?))
}

fn pair(seed: &[u8]) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|error| Error::invalid("key", format!("cannot be used: {error}")))
}

fn read_key(path: &Path) -> Result<Ed25519KeyPair> {
    let wrong = |why: String| Error::invalid(path.display().to_string(), why);
    let text = read_small(path).map_err(wrong)?;
    let seed = text.trim().strip_prefix(PRIVATE_KEY).and_then(|seed| hex::decode(seed).ok());
    pair(&seed.ok_or_else(|| wrong("is no signing key; make one with `bellwether plugin keygen`".to_owned()))?)
}

fn read_small(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", path.display());
    if std::fs::metadata(path).map_err(unreadable)?.len() > SMALL {
        return Err(format!("{} is larger than {SMALL} bytes", path.display()));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

fn public_key(pair: &Ed25519KeyPair) -> String {
    format!("{ED25519_KEY}{}", hex::encode(pair.public_key().as_ref()))
}

fn parse_public(text: &str) -> Result<Vec<u8>, String> {
    let key = text.strip_prefix(ED25519_KEY).and_then(|key| hex::decode(key).ok()).filter(|key| key.len() == 32);
    key.ok_or_else(|| format!("`{text}` is no public key; write it as `plugin keygen` prints it, {ED25519_KEY} and 64 hexadecimal digits"))
}

fn key_id(public: &[u8]) -> String {
    hex::encode(&Sha256::digest(public)[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "name = \"a\"\nversion = \"0.1.0\"\nkind = \"drift-test\"\ncomponent = \"a.wasm\"\ncontract = \"0.1.0\"\nlicence = \"MIT\"\n";

    fn trusted(name: &str, key: &str) -> Trusted {
        Trusted { name: name.to_owned(), key: key.to_owned() }
    }

    #[test]
    fn only_what_was_signed_by_a_trusted_key_passes() {
        let place = tempfile::tempdir().expect("folder");
        let folder = place.path().join("a");
        std::fs::create_dir(&folder).expect("folder");
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
        write("plugin.toml", MANIFEST);
        write("a.wasm", "component");
        let key = place.path().join("key");
        let public = keygen(&key).expect("a key");
        let trust = [trusted("desk", &public)];
        let refused = |trust: &[Trusted], expected: &str| {
            let error = verify(&folder, trust).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        };
        refused(&trust, "it is not signed");
        let signature = sign(&folder, &key).expect("signed");
        assert_eq!(verify(&folder, &trust).expect("good"), "desk");
        refused(&[], "plugins.trust does not name");
        let other = keygen(&place.path().join("other")).expect("another key");
        refused(&[trusted("other", &other)], "plugins.trust does not name");

        write("a.wasm", "components");
        refused(&trust, "its component is not the one that was signed");
        write("a.wasm", "component");
        write("plugin.toml", &format!("{MANIFEST}[wants]\nclock = true\n"));
        refused(&trust, "its manifest is not the one that was signed");
        write("plugin.toml", MANIFEST);
        let forged = Signature { signature: format!("{:0>128}", "1"), ..signature.clone() };
        write(FILE, &serde_json::to_string(&forged).expect("JSON"));
        refused(&trust, "forged or damaged");
        let newer = Signature { version: 2, ..signature };
        write(FILE, &serde_json::to_string(&newer).expect("JSON"));
        refused(&trust, "layout 2");
        write(FILE, "{}");
        refused(&trust, "cannot be read");
    }

    #[test]
    fn keys_are_made_once_and_kept_from_others() {
        let place = tempfile::tempdir().expect("folder");
        let path = place.path().join("key");
        let public = keygen(&path).expect("a key");
        assert!(public.starts_with("ed25519:") && check_trust(&[trusted("a", &public)]).is_ok());
        assert!(keygen(&path).expect_err("it is there").to_string().contains("cannot be written"));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("file").permissions());
            assert_eq!(mode & 0o077, 0);
        }
        let error = check_trust(&[trusted("desk", "ed25519:12")]).expect_err("short").to_string();
        assert!(error.contains("plugins.trust.desk.key") && error.contains("64 hexadecimal digits"), "{error}");
        assert!(read_key(&place.path().join("none")).is_err());
    }
}
