//! Trading metrics of a signal, always net of costs.
