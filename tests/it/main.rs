//! Tests of the whole host: the real binary over HTTP and the command line, hostile guests, crashes, the house itself.
//!
//! `make test` builds the binary first. Tests that only ask share one host (`shared`); those that kill, fill disks or
//! count what is there have homes of their own.
mod bad_input;
mod bitcoin;
mod cli;
mod crash;
mod example;
mod guests;
mod refusals;
mod routes;
mod shared;
mod tidy;
