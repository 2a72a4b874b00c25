//! The error every function of a plugin may answer with.

pub use crate::bindings::shared::bellwether::types::common::Error;

/// A result with a plugin's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The configuration passed the schema and is still wrong.
    pub fn invalid_config(message: impl Into<String>) -> Error {
        Error::InvalidConfig(message.into())
    }

    /// The data cannot be used: too few rows, a constant column, a foreign state.
    pub fn invalid_input(message: impl Into<String>) -> Error {
        Error::InvalidInput(message.into())
    }

    /// The request is well formed but this plugin does not do it.
    pub fn unsupported(message: impl Into<String>) -> Error {
        Error::Unsupported(message.into())
    }

    /// Another try may succeed; the host retries only these.
    pub fn transient(message: impl Into<String>) -> Error {
        Error::Transient(message.into())
    }

    /// The plugin found itself broken.
    pub fn internal(message: impl Into<String>) -> Error {
        Error::Internal(message.into())
    }

    /// A kind of error without a name of its own: a stable code and a message.
    pub fn other(code: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Other((code.into(), message.into()))
    }

    /// The message for a person.
    pub fn message(&self) -> &str {
        match self {
            Error::InvalidConfig(message)
            | Error::InvalidInput(message)
            | Error::Unsupported(message)
            | Error::Transient(message)
            | Error::Internal(message)
            | Error::Other((_, message)) => message,
        }
    }
}
