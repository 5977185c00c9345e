//! storegen turns an eyewear catalogue into a finished static online store.
//!
//! ```text
//! store.yaml ─► config ─┐
//!                       ▼
//! MongoDB / files ─► catalog ─► score ─► enhance ─► pages ─► site ─► a store on disk
//!                                           └─► assets ─┘
//!                        jobs watches; cli tells
//! ```
//!
//! Each room takes what the room before it made. Of the rooms after it, it knows small tools at most, such as a hash or a
//! way to write a file durably:
//!
//! - [`config`]: the store file, checked, with every mistake at its line
//! - [`catalog`]: products from MongoDB, exports and dumps, in bounded blocks
//! - [`content`]: pages in the store's own words, from Markdown
//! - [`score`]: how well a frame suits each face, how complete and how popular it is
//! - [`enhance`]: sizes, wording, slugs, neighbours; slim records in memory, full products on disk
//! - [`assets`]: drawings, pictures, icons, palette
//! - [`pages`]: the plan of the site, then its HTML
//! - [`site`]: the output folder, published whole or not at all
//! - [`language`]: the words of pages in each language, plural forms
//! - [`jobs`]: the record of every run
//! - [`reliability`]: when to stop asking what does not answer
//! - `spelling`: what was meant by a misspelt word
//! - [`room`]: how much memory is for what is being worked on
//! - [`pipeline`]: the conductor
//! - [`preview`]: the store on this machine, reloaded when something changes
//! - [`cli`]: arguments and the terminal
//!
//! Files it reads: the store file, the catalogue, a theme folder. Files it writes: the output folder with its
//! `storegen-manifest.json`, and `.storegen/` with `state.json`, `audit.jsonl`, `reports/`, the journals of publications, what
//! stores were made from, the working files of running jobs and the cache of assets.

pub mod assets;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod content;
pub mod enhance;
pub mod event;
pub mod jobs;
pub mod language;
pub mod pages;
pub mod pipeline;
pub mod preview;
pub mod reliability;
pub mod room;
pub mod score;
pub mod site;
mod spelling;
