//! The one error of the house: a kind, what it concerns, and a sentence for a person.
//!
//! The kinds are few because they decide what a caller does next; the cause is text. `Internal` carries what is
//! logged and never sent. HTTP statuses are mapped in `server` by one exhaustive match.

/// The result of anything that can go wrong here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no such thing. `hint` may name the nearest one that exists.
    #[error("{what} `{id}` does not exist{}", hint_text(.hint))]
    NotFound {
        /// Kind of thing, for example `model`.
        what: &'static str,
        /// What was asked for.
        id: String,
        /// The near match, if there is one.
        hint: Option<String>,
    },
    /// It exists already, with other content.
    #[error("{what} `{id}` exists already")]
    AlreadyExists {
        /// Kind of thing.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The input is wrong. `field` names it as the caller wrote it; `why` says what is wrong and what would be right.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, column, setting or row.
        field: String,
        /// What is wrong and the fix.
        why: String,
    },
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// It cannot be done in the present state, for example deploying a rejected version.
    #[error("{0}")]
    Conflict(String),
    /// A bound was reached (queue, body, pool); trying later may succeed.
    #[error("{0}")]
    Overloaded(String),
    /// It took too long.
    #[error("{0}")]
    Timeout(String),
    /// A plugin failed.
    #[error("plugin `{plugin}` failed in `{function}`: {fault}")]
    Plugin {
        /// The plugin.
        plugin: String,
        /// The exported function.
        function: String,
        /// What happened.
        fault: PluginFault,
    },
    /// Something this host depends on is not there (disk full, folder locked, receiver unreachable).
    #[error("{0}")]
    Unavailable(String),
    /// A defect or an I/O failure: logged, never sent.
    #[error("{0}")]
    Internal(String),
}

/// How a plugin failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PluginFault {
    /// It answered with one of the contract's errors: `(code, message)`.
    #[error("{1} ({0})")]
    Answered(String, String),
    /// It trapped (a panic, an out-of-bounds access, a stack overflow).
    #[error("it trapped: {0}")]
    Trapped(String),
    /// It ran past its time limit, given in milliseconds.
    #[error("it ran longer than its limit of {0} ms")]
    TimedOut(u64),
    /// It asked for more memory than its limit, given in bytes.
    #[error("it needs more memory than its limit of {0} bytes")]
    OutOfMemory(u64),
    /// Its answer, or one of its host calls, was larger than the limit, given in bytes.
    #[error("it returned more than its limit of {0} bytes")]
    TooLarge(u64),
    /// It called host functions more often than its limit, given in calls.
    #[error("it called the host more often than its limit of {0} times in one call")]
    TooManyCalls(u64),
    /// It made tables larger than its limit, given in elements.
    #[error("its tables need more than their limit of {0} elements")]
    OutOfTables(u64),
    /// Its answer breaks the contract (not finite, wrong length, bad JSON).
    #[error("its answer breaks the contract: {0}")]
    BadAnswer(String),
    /// It failed so often that it is paused; calls are refused for this many more seconds.
    #[error("it failed repeatedly and is paused for {0} s more")]
    Paused(u64),
}

impl Error {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotFound { .. } => "not_found",
            Error::AlreadyExists { .. } => "already_exists",
            Error::Invalid { .. } => "invalid",
            Error::Forbidden(_) => "forbidden",
            Error::Conflict(_) => "conflict",
            Error::Overloaded(_) => "overloaded",
            Error::Timeout(_) => "timeout",
            Error::Plugin { .. } => "plugin_failed",
            Error::Unavailable(_) => "unavailable",
            Error::Internal(_) => "internal",
        }
    }

    /// A wrong input, naming the field and the fix.
    pub fn invalid(field: impl Into<String>, why: impl Into<String>) -> Self {
        Error::Invalid { field: field.into(), why: why.into() }
    }

    /// A thing that does not exist.
    pub fn not_found(what: &'static str, id: impl Into<String>) -> Self {
        Error::NotFound { what, id: id.into(), hint: None }
    }

    /// A thing that does not exist among `known`, with the near match.
    pub fn unknown<'a>(what: &'static str, id: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Error::NotFound { what, id: id.to_owned(), hint: crate::suggest::nearest(id, known) }
    }

    /// A defect or I/O failure with its cause.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Error::Internal(cause.to_string())
    }
}

fn hint_text(hint: &Option<String>) -> String {
    hint.as_ref().map(|near| format!("; {near}")).unwrap_or_default()
}
