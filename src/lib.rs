//! storegen turns an eyewear catalogue into a finished static online store.

pub mod assets;
pub mod catalog;
pub mod config;
pub mod enhance;
pub mod event;
pub mod score;
pub mod site;
