//! How a command fails: what it prints, and its exit code.

use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use bellwether_domain::Error;

use crate::client::CallError;
use crate::problem::ProblemDocument;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was tried and failed: 1.
    Failed(String),
    /// The host said no: 1.
    Refused(Box<ProblemDocument>),
    /// It was asked wrongly: 2.
    Usage(String),
    /// No host answers at this URL: 3.
    NoHost(String),
}

impl Failure {
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Failed(_) | Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::NoHost(_) => 3,
        })
    }

    /// Says what went wrong on standard error; as a problem document when JSON is wanted and the host sent one.
    pub(crate) fn show(&self, json: bool) {
        if let (true, Failure::Refused(problem)) = (json, self)
            && let Ok(text) = serde_json::to_string(problem)
        {
            return anstream::eprintln!("{text}");
        }
        let (error, hint) = (Style::new().bold().fg_color(Some(AnsiColor::Red.into())), Style::new().dimmed());
        let (text, hints) = self.words();
        anstream::eprintln!("{error}error:{error:#} {text}");
        for line in hints {
            anstream::eprintln!("  {hint}{line}{hint:#}");
        }
    }

    fn words(&self) -> (String, Vec<String>) {
        match self {
            Failure::Failed(text) | Failure::Usage(text) => (text.clone(), Vec::new()),
            Failure::Refused(problem) => {
                let hints = match problem.code.as_str() {
                    "unauthorized" => vec!["give it with --token, --token-file or BELLWETHER_TOKEN".to_owned()],
                    "internal" => problem.instance.iter().map(|id| format!("request {id}")).collect(),
                    _ => Vec::new(),
                };
                (problem.detail.clone(), hints)
            }
            Failure::NoHost(url) => (
                format!("no host answers at {url}"),
                vec![
                    "start one in another terminal:    bellwether serve".to_owned(),
                    "or name another one:              bellwether --url http://HOST:PORT ...".to_owned(),
                ],
            ),
        }
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        match error {
            CallError::NoHost(url) => Failure::NoHost(url),
            CallError::Refused(problem) => Failure::Refused(problem),
            CallError::Broken(text) => Failure::Failed(text),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Failed(error.to_string())
    }
}

/// A file that cannot be read or written.
pub(crate) fn of_file(verb: &str, path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("cannot {verb} {}: {error}", path.display()))
}
