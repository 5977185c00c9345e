//! The real program, run as people run it: one module for each thing that they do.
//!
//! `tests/install.sh` installs what these tests run against: a real mongod, Chromium and chromedriver.

#![expect(clippy::disallowed_methods, reason = "tests start programs; the program itself must not")]

mod browser;
mod cache;
mod config_errors;
mod content;
mod downloads;
mod faults;
mod first_steps;
mod fuzzing;
mod generate;
mod guides;
mod hostile_catalog;
mod images;
mod incremental;
mod interruption;
mod jobs;
mod languages;
mod listing;
mod models;
mod mongod;
mod observability;
mod pages;
mod parts;
mod preview;
mod proxy;
mod security;
mod several;
mod shopping;
mod sources;
mod store;
mod themes;
mod watching;
