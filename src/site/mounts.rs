//! Where other file systems are mounted: a mount point cannot be renamed.
//!
//! In: a folder. Out: whether it is a mount point, or holds one. Linux only; elsewhere a mount point shows when it is
//! renamed, and the rename fails.

use std::path::{Path, PathBuf};

/// Whether a folder is a mount point or holds one; its tree cannot be exchanged for another then.
pub(super) fn is_or_holds_mount_point(folder: &Path) -> bool {
    let table =
        if cfg!(target_os = "linux") { std::fs::read("/proc/self/mountinfo").unwrap_or_default() } else { Vec::new() };
    mount_points(&table).any(|mount_point| mount_point.starts_with(folder))
}

/// The fifth field of each line is the mount point; see proc_pid_mountinfo(5).
fn mount_points(table: &[u8]) -> impl Iterator<Item = PathBuf> {
    table.split(|byte| *byte == b'\n').filter_map(|line| {
        let field = line.split(|byte| *byte == b' ').nth(4)?;
        Some(PathBuf::from(String::from_utf8_lossy(&unescape(field)).into_owned()))
    })
}

/// Spaces, tabs, newlines and backslashes are written as three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, after @ ..] = rest {
        let octal = after.get(..3).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        match octal {
            Some(byte) if *first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_escapes() {
        let table = b"36 35 98:0 / /srv/my\\040store rw - ext4 /dev/sda rw\n37 35 0:1 / /proc rw - proc proc rw\n";
        let found: Vec<_> = mount_points(table).collect();
        assert_eq!(found, [PathBuf::from("/srv/my store"), PathBuf::from("/proc")]);
    }
}
