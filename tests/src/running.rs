//! A home (a folder with settings and data) and the real host running in it.
//!
//! The host gets no environment but what it is given here, a port from the operating system, and a folder that vanishes.
//! What it prints goes to a file, where its URL is found. Dropping a [`Running`] kills it.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::{binary, eventually, process};

/// Longest time from start to ready: a first start compiles the built-in plugins, perhaps beside other tests.
pub const START: Duration = Duration::from_secs(60);

/// Longest graceful end.
pub const STOP: Duration = Duration::from_secs(30);

/// A folder a host can live in, also through several lives.
#[derive(Debug)]
pub struct Home {
    root: Root,
    environment: Vec<(String, String)>,
    lives: AtomicU32,
}

#[derive(Debug)]
enum Root {
    Own(TempDir),
    Given(PathBuf),
}

/// A host that did not come up.
#[derive(Debug)]
pub struct Refused {
    /// Its exit code, if it ended by itself.
    pub status: ExitStatus,
    /// What it printed.
    pub output: String,
}

/// A host that runs.
#[derive(Debug)]
pub struct Running {
    child: Child,
    output: PathBuf,
    /// Its URL without a path.
    pub url: String,
    /// Its token.
    pub token: String,
    /// A client with its token.
    pub client: Client,
}

impl Default for Home {
    fn default() -> Self {
        Home::new("")
    }
}

impl Home {
    /// A fresh folder with this `bellwether.toml`.
    pub fn new(settings: &str) -> Home {
        let folder = tempfile::tempdir().expect("a test may make a folder");
        Home::make(Root::Own(folder), settings)
    }

    /// An existing folder as a home: it is not removed.
    pub fn at(folder: &Path, settings: &str) -> Home {
        Home::make(Root::Given(folder.to_owned()), settings)
    }

    fn make(root: Root, settings: &str) -> Home {
        let home = Home { root, environment: Vec::new(), lives: AtomicU32::new(0) };
        fs_err::write(home.path().join("bellwether.toml"), settings).expect("a test may write its settings");
        home
    }

    /// The same home with a variable in the host's environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Home {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        match &self.root {
            Root::Own(folder) => folder.path(),
            Root::Given(path) => path,
        }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.path().join(".bellwether")
    }

    /// The binary, in this folder, with a clean environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.path()).env_clear().env("HOME", self.path()).env("NO_COLOR", "1");
        command.envs(self.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        command.stdin(Stdio::null());
        command
    }

    /// Starts the host and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    #[track_caller]
    pub fn start(&self) -> Running {
        self.try_start().unwrap_or_else(|refused| panic!("the host did not start ({}): {}", refused.status, refused.output))
    }

    /// Starts the host, on a port of the system's choice unless the settings say otherwise, and waits until it is ready or ended.
    #[track_caller]
    pub fn try_start(&self) -> Result<Running, Refused> {
        let life = self.lives.fetch_add(1, Ordering::Relaxed);
        let output = self.path().join(format!("output-{life}.log"));
        let file = File::create(&output).expect("a test may write a log");
        let mut command = self.command(&["serve"]);
        if !self.environment.iter().any(|(name, _)| name == "BELLWETHER_SERVER_BIND") {
            command.env("BELLWETHER_SERVER_BIND", "127.0.0.1:0");
        }
        let error = file.try_clone().expect("a file can be shared");
        // A group of its own: a signal meant for the tests (Ctrl-C) is not one for the host.
        let child = command.stdout(file).stderr(error).process_group(0).spawn().expect("the binary can be started");
        let mut running =
            Running { child, output, url: String::new(), token: String::new(), client: Client::new("http://127.0.0.1", None) };
        let ended = eventually("the host became ready or ended", START, || running.look(self));
        match ended {
            None => Ok(running),
            Some(status) => Err(Refused { status, output: running.printed() }),
        }
    }
}

impl Running {
    /// One look while it starts: `Some(None)` when ready, `Some(Some(status))` when it ended.
    fn look(&mut self, home: &Home) -> Option<Option<ExitStatus>> {
        if let Some(status) = self.child.try_wait().expect("a child can be asked") {
            return Some(Some(status));
        }
        if self.url.is_empty() {
            self.url = url_in(&self.printed())?;
            self.client = Client::new(&self.url, None);
        }
        let ready = self.client.try_send(http::Method::GET, "/readyz", &[], Vec::new()).ok()?;
        if !ready.status.is_success() {
            return None;
        }
        let token = fs_err::read_to_string(home.data().join("token")).expect("a ready host has a token file");
        self.token = token.trim().to_owned();
        self.client = self.client.with_token(Some(&self.token));
        Some(None)
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&fs_err::read(&self.output).unwrap_or_default()).into_owned()
    }

    /// Kills it the hard way (SIGKILL) and waits until it is gone, its own children too.
    pub fn kill(mut self) {
        let children = process::children(self.process());
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
        eventually("a training child ends when its host is killed", STOP, || {
            (!children.iter().any(|child| process::is_alive(*child))).then_some(())
        });
    }

    /// Asks it to stop (SIGTERM) and waits until it did. Returns how.
    pub fn stop(mut self) -> (ExitStatus, String) {
        process::signal(self.process(), Signal::TERM);
        let status = eventually("the host stops when asked", STOP, || self.child.try_wait().expect("a child can be asked"));
        (status, self.printed())
    }

    /// Waits until a GET gives something that `seen` accepts.
    #[track_caller]
    pub fn until<T>(&self, what: &str, limit: Duration, path: &str, mut seen: impl FnMut(&Value) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            let found = self.client.get(path).ok();
            if let Some(found) = seen(&found) {
                return found;
            }
            assert!(started.elapsed() < limit, "{what}: not within {limit:?}; last: {found}");
            crate::patience::breathe();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The first loopback URL in a text.
fn url_in(text: &str) -> Option<String> {
    let start = text.find("http://127.0.0.1:")?;
    let rest = &text[start..];
    let port: String = rest["http://127.0.0.1:".len()..].chars().take_while(char::is_ascii_digit).collect();
    // The last line may be half written; a port of 0 is the wish, not the answer.
    let whole = rest.len() > "http://127.0.0.1:".len() + port.len();
    (whole && !port.is_empty() && port != "0").then(|| format!("http://127.0.0.1:{port}"))
}

#[cfg(test)]
mod tests {
    use super::url_in;

    #[test]
    fn a_url_is_found_once_it_is_whole() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(url_in(text).as_deref(), expected, "{text}");
        check("listening on http://127.0.0.1:43211/ with", Some("http://127.0.0.1:43211"));
        check("http://127.0.0.1:432", None);
        check("http://127.0.0.1:0\n", None);
        check("starting", None);
    }
}
