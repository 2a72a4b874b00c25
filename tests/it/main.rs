//! Tests of the whole host: the real binary over HTTP and the command line, hostile guests, crashes, the house itself.
//!
//! `make test` builds the binary first. Tests that only ask share one host (`shared`); those that kill, fill disks or
//! count what is there have homes of their own.
#![expect(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod author;
mod bad_input;
mod bitcoin;
mod checked;
mod cli;
mod crash;
mod example;
mod evil;
mod guests;
mod import;
mod languages;
mod models;
mod old_contract;
mod packed;
mod refusals;
mod reload;
mod resume;
mod routes;
mod shared;
mod tidy;
