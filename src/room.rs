//! Memory for what is being worked on: pictures and downloads in flight, documents on their way.
//!
//! It is a choice of the user's and not a question of the catalogue's size: records that there is no room for are on the
//! disk. A few hundred bytes of each product for which there is no other place come on top.

/// Bytes that may be in use at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// For pictures in the making; one that needs more than all of it is made alone.
    pub pictures: u64,
    /// For pictures that are being fetched.
    pub downloads: u64,
    /// For documents in a row; as many rows as there are threads, and two more, are on their way.
    pub documents: usize,
    /// For what is known of every product until the store is there; all of them are on the disk if that is not enough.
    pub records: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { pictures: 144 << 20, downloads: 128 << 20, documents: 4 << 20, records: 160 << 20 }
    }
}

impl Room {
    /// The least that a run may be given.
    pub const LEAST: u64 = 64_000_000;
    /// What the program takes before it has work.
    const PROGRAM: u64 = 48 << 20;

    /// Room in a process of `bytes` in all. There is never more than by default.
    pub fn within(bytes: u64) -> Self {
        let usual = Self::default();
        let left = bytes.saturating_sub(Self::PROGRAM);
        let share = |divisor: u64| usize::try_from(left / divisor).unwrap_or(usize::MAX);
        // Each phase has all of it, for pictures are made when the last one has been fetched.
        Self {
            pictures: usual.pictures.min(left),
            downloads: usual.downloads.min(left),
            documents: usual.documents.min(share(16)),
            records: usual.records.min(share(8)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_some_room_in_the_least_and_no_more_than_usual_in_much() {
        assert_eq!(Room::within(8 << 30), Room::default());
        let least = Room::within(Room::LEAST);
        assert!(least.pictures > 8 << 20 && least.downloads == least.pictures && least.documents > 256 << 10);
        assert!(least.documents < Room::default().documents);
    }
}
