//! Why no answer came.
use crate::Error;

/// Whether another try may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No connection, or it broke, or time ran out. Another try may succeed.
    Unreachable,
    /// The host or its rules refuse the request: the origin is not granted, or leads to a forbidden address.
    Refused,
    /// The exchange went wrong in a way that stays: a certificate, the protocol, a message that cannot be sent.
    Broken,
}

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whether another try may help.
    pub kind: FailureKind,
    /// What happened.
    pub message: String,
}

impl Failure {
    /// A failure.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into() }
    }

    /// The plugin's error for it.
    pub(crate) fn into_error(self, origin: &str) -> Error {
        let message = format!("{origin}: {}", self.message);
        match self.kind {
            FailureKind::Unreachable => Error::transient(message),
            FailureKind::Refused => Error::invalid_config(format!("{message} (has the operator granted this origin?)")),
            FailureKind::Broken => Error::other("http-failed", message),
        }
    }
}
