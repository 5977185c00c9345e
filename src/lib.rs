//! storegen turns an eyewear catalogue into a finished static online store.

pub mod assets;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod enhance;
pub mod event;
pub mod jobs;
pub mod pipeline;
pub mod score;
pub mod site;
