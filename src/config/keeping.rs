//! What the settings about fetching and keeping pictures mean: addresses, sizes, times.
//!
//! Like [`super::meaning`], each setting tells its own faults at its own place. Amounts are read here for flags as well.

use super::file::{CacheFile, ImagesFile};
use super::meaning::{Reading, Surroundings};
use super::uri::clean;
use super::variables::Environment;
use super::{CacheFolder, CacheSettings, DownloadSettings, RetrySettings};
use crate::assets::cache::Limits;
use std::path::PathBuf;
use std::time::Duration;

/// How often a picture is asked for where the file says nothing: one that cannot be had costs little.
const USUAL_ATTEMPTS: u32 = 4;

impl Reading<'_> {
    pub(super) fn download(&mut self, file: &ImagesFile, retry: Option<RetrySettings>) -> Option<DownloadSettings> {
        let max_size = self.size("images.max_download", &file.max_download, 500_000_000, "30 MB");
        let timeout = self.time("images.download_timeout", &file.download_timeout, Duration::from_secs(3600), "60 s");
        let recheck_after = self.time("images.recheck_after", &file.recheck_after, Duration::MAX, "1 hour");
        Some(DownloadSettings {
            enabled: file.download,
            allow_private_hosts: file.allow_private_hosts,
            max_size: max_size?,
            timeout: timeout?,
            per_host: file.downloads_per_host.into(),
            recheck_after: recheck_after?,
            retry: retry.map(|retry| RetrySettings { attempts: retry.attempts.or(Some(USUAL_ATTEMPTS)), ..retry })?,
        })
    }

    fn size(&mut self, path: &str, written: &str, most: u64, example: &str) -> Option<u64> {
        bytes(written).filter(|bytes| *bytes <= most).or_else(|| {
            let message = format!("`{}` is no size for `{path}`", self.shown(path));
            self.fault(path, &message, &format!("write a number and a unit, such as `{example}`"))
        })
    }

    fn time(&mut self, path: &str, written: &str, most: Duration, example: &str) -> Option<Duration> {
        span(written).filter(|span| *span <= most).or_else(|| {
            let message = format!("`{}` is no time for `{path}`", self.shown(path));
            self.fault(path, &message, &format!("write a number and a unit, such as `{example}`"))
        })
    }

    pub(super) fn cache(&mut self, file: &CacheFile, around: &Surroundings<'_>) -> Option<CacheSettings> {
        let folder = self.cache_folder(&file.folder, around);
        let max_size = self.size("cache.max_size", &file.max_size, u64::MAX, "10 GB");
        let max_age = self.time("cache.max_age", &file.max_age, Duration::MAX, "90 days");
        Some(CacheSettings { folder: folder?, limits: Limits { max_size: max_size?, max_age: max_age? } })
    }

    fn cache_folder(&mut self, written: &str, around: &Surroundings<'_>) -> Option<CacheFolder> {
        let path = "cache.folder";
        let written = written.trim();
        if written.contains(['/', '\\']) || written.starts_with('.') {
            let folder = clean(&self.folder().join(written));
            if folder.is_file() {
                let message = format!("the cache folder `{}` is a file", self.shown(path));
                return self.fault(path, &message, "name a folder; it is made when it does not exist");
            }
            return Some(CacheFolder::At(folder));
        }
        match written {
            "store" => Some(CacheFolder::OfStore),
            "shared" => shared_folder(around.environment).map(CacheFolder::At).or_else(|| {
                let message = "this user has no folder for caches";
                self.fault(path, message, "set `XDG_CACHE_HOME` or `HOME`, or write a path such as `./cache`")
            }),
            _ => {
                let message = format!("`{}` is no place for the cache", self.shown(path));
                self.fault(path, &message, "write `store`, `shared`, or a path such as `./cache`")
            }
        }
    }
}

/// Where programs of this user keep what can be made again.
fn shared_folder(environment: Environment<'_>) -> Option<PathBuf> {
    let folder = |variable: &str| environment(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else {
        let below = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(below)))
    };
    caches.map(|caches| caches.join("storegen"))
}

/// Reads a number of bytes, such as `500 MB` or `1.5GB`; units are of a thousand.
pub fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = amount(text)?;
    let factor = match unit.as_str() {
        "b" | "byte" | "bytes" => 1e0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        _ => return None,
    };
    Some((number * factor) as u64).filter(|bytes| *bytes > 0 && *bytes < 1 << 60)
}

/// Reads a span of time, such as `200 ms`, `30 s`, `12 hours` or `90d`.
pub fn span(text: &str) -> Option<Duration> {
    let (number, unit) = amount(text)?;
    let seconds = match unit.as_str() {
        "ms" | "millisecond" | "milliseconds" => 0.001,
        "s" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        _ => return None,
    };
    let longest = 100.0 * 366.0 * 86_400.0;
    Some(number * seconds).filter(|seconds| *seconds > 0.0 && *seconds <= longest).map(Duration::from_secs_f64)
}

/// A number and the unit after it, in lower case.
fn amount(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = text[..text.len() - unit.len()].parse().ok()?;
    Some((number, unit.trim().to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_units() {
        for (text, expected) in [("500 MB", 500_000_000), ("1.5gb", 1_500_000_000), (" 10 k ", 10_000), ("7 bytes", 7)]
        {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for (text, expected) in [("30s", 30), ("1.5 h", 5_400), ("90 days", 7_776_000), ("2 Weeks", 1_209_600)] {
            assert_eq!(span(text), Some(Duration::from_secs(expected)), "{text}");
        }
        assert_eq!(span("250 ms"), Some(Duration::from_millis(250)));
        for text in ["", "10", "GB", "-1 GB", "1,5 GB", "1 XB", "1e9 GB", "0 GB", "99999999999 TB", "1 GB 2 MB", "é"] {
            assert_eq!(bytes(text), None, "{text}");
            assert_eq!(span(&text.replace("GB", "days").replace("TB", "weeks")), None, "{text}");
        }
    }

    #[test]
    fn the_shared_folder_is_the_users() {
        let of = |variables: &'static [(&str, &str)]| {
            shared_folder(&|name| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
            })
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[("HOME", "relative"), ("LOCALAPPDATA", "relative")]), None);
        if cfg!(target_os = "linux") {
            assert_eq!(of(&[("HOME", "/home/ada")]), Some("/home/ada/.cache/storegen".into()));
            assert_eq!(of(&[("HOME", "/home/ada"), ("XDG_CACHE_HOME", "/c")]), Some("/c/storegen".into()));
        }
    }
}
