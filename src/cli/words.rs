//! Numbers, times and sizes as people read them.

use crate::event::Reading;
use crate::room::Room;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use time::OffsetDateTime;

/// `12345` as `12,345`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.char_indices() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 page`, `2,000 pages`.
pub(super) fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// Reads an amount of memory that was typed, such as `256MB`.
pub(super) fn room_of(text: &str) -> Result<u64, String> {
    let room = crate::config::bytes(text).ok_or("write a number and a unit, such as `256MB` or `1GB`")?;
    if room < Room::LEAST {
        return Err(format!("a run needs at least {}", bytes(Room::LEAST)));
    }
    Ok(room)
}

/// Reads a span of time that was typed, such as `90s` or `2 days`.
pub(super) fn span_of(text: &str) -> Result<Duration, String> {
    crate::config::span(text).ok_or_else(|| "write a number and a unit, such as `90s`, `30m` or `2 days`".to_string())
}

/// `0.04 s`, `3.4 s`, `2 min 5 s`, `1 h 12 min`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match seconds {
        _ if whole >= 3600 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ if whole >= 60 => format!("{} min {} s", whole / 60, whole % 60),
        _ if seconds >= 9.95 => format!("{whole} s"),
        _ if seconds >= 0.1 => format!("{seconds:.1} s"),
        _ => format!("{:.2} s", seconds.max(0.0)),
    }
}

/// `2,941/s`, `3.1/s`.
pub(super) fn rate(per_second: f64) -> String {
    if per_second >= 10.0 { format!("{}/s", number(per_second.round() as u64)) } else { format!("{per_second:.1}/s") }
}

/// `83 MB`, in thousands.
pub(super) fn bytes(value: u64) -> String {
    let (unit, name) = match value {
        0..1_000 => return counted(value, "byte", "bytes"),
        1_000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    let value = value as f64 / unit;
    if value >= 9.95 { format!("{value:.0} {name}") } else { format!("{value:.1} {name}") }
}

/// `just now`, `5 minutes ago`, `3 days ago`, or the day.
pub(super) fn ago(then: OffsetDateTime, now: OffsetDateTime) -> String {
    let seconds = (now - then).whole_seconds();
    let (value, unit) = match seconds {
        ..10 => return "just now".into(),
        10..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..2_592_000 => (seconds / 86_400, "day"),
        _ => return then.date().to_string(),
    };
    format!("{value} {unit}{} ago", if value == 1 { "" } else { "s" })
}

/// `2026-03-01 08:00:00 UTC`.
pub(super) fn moment(time: OffsetDateTime) -> String {
    let (date, (hour, minute, second)) = (time.date(), time.time().as_hms());
    format!("{date} {hour:02}:{minute:02}:{second:02} UTC")
}

/// How a catalogue was read, where there is something to say of it.
pub(super) fn read(reading: Reading) -> Option<String> {
    let (known, other, how) = match reading {
        Reading::Whole => return None,
        Reading::SameFiles => return Some("not read again, its files have the sizes and times that they had".into()),
        Reading::Compared { known, other } => (known, other, "new or changed (compared by hashes)"),
        Reading::Told { known, other } => (known, other, "read (the server told which were written to)"),
        Reading::Shared { known, other } => (known, other, "new or changed (another store of the run had read them)"),
    };
    Some(format!("{} as before, {} {how}", counted(known, "document", "documents"), number(other)))
}

/// `missing price 2, duplicate id 1`: most first.
pub(super) fn reasons(counts: &BTreeMap<String, u64>) -> String {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    counts.iter().map(|(reason, count)| format!("{reason} {}", number(**count))).collect::<Vec<_>>().join(", ")
}

/// A path as short as it can be from here.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let relative =
        here.as_deref().and_then(|here| path.strip_prefix(here).ok()).filter(|path| path.components().next().is_some());
    relative.unwrap_or(path).display().to_string()
}

/// Text of other people's making without characters that would steer a terminal.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.004, 0.26, 3.44, 9.97, 59.6, 125.0, 4321.0].map(duration),
            ["0.00 s", "0.3 s", "3.4 s", "10 s", "1 min 0 s", "2 min 5 s", "1 h 12 min"]
        );
        assert_eq!([1, 83_200, 1_500_000_000].map(bytes), ["1 byte", "83 kB", "1.5 GB"]);
        assert_eq!([2.25, 2940.7].map(rate), ["2.2/s", "2,941/s"]);
    }

    #[test]
    fn times_are_relative_until_they_are_old() {
        let now = datetime!(2026-03-01 08:00 UTC);
        let ago = |seconds: i64| ago(now - time::Duration::seconds(seconds), now);
        assert_eq!(
            [-5, 3, 59, 61, 7_200, 200_000].map(ago),
            ["just now", "just now", "59 seconds ago", "1 minute ago", "2 hours ago", "2 days ago"]
        );
        assert_eq!(ago(86_400 * 59), "2026-01-01");
    }

    #[test]
    fn reasons_come_by_weight() {
        let counts = BTreeMap::from([("a".to_string(), 1), ("b".to_string(), 1200)]);
        assert_eq!(reasons(&counts), "b 1,200, a 1");
        assert_eq!(harmless("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
