//! Values one behind the other in a file, each with its length in front, so that only one of them at a time is in memory.

use anyhow::Context as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, BufRead, Read as _, Write};

/// Writes values.
pub(super) struct FrameWriter<W> {
    to: W,
    frame: Vec<u8>,
}

impl<W: Write> FrameWriter<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, frame: Vec::new() }
    }

    pub(super) fn write(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        self.frame.clear();
        self.frame = postcard::to_extend(value, std::mem::take(&mut self.frame))?;
        let length = u32::try_from(self.frame.len()).context("a value is too long to be written")?;
        self.to.write_all(&length.to_le_bytes())?;
        Ok(self.to.write_all(&self.frame)?)
    }
}

/// Reads them back in the same order.
pub(super) struct FrameReader<R> {
    from: R,
    frame: Vec<u8>,
}

impl<R: BufRead> FrameReader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, frame: Vec::new() }
    }

    /// The next value; `None` where the file ends behind one.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> anyhow::Result<Option<T>> {
        if self.from.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut length = [0; 4];
        self.from.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        self.frame.clear();
        // Whatever the length is said to be, no more than is there takes room.
        let read = (&mut self.from).take(length.into()).read_to_end(&mut self.frame)?;
        if read as u64 != u64::from(length) {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(Some(postcard::from_bytes(&self.frame)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_they_were_written_and_a_part_of_one_is_an_error() {
        let mut bytes = Vec::new();
        let mut to = FrameWriter::new(&mut bytes);
        ["", "one", "another"].iter().for_each(|text| to.write(text).unwrap());
        let read = |bytes: &[u8]| -> anyhow::Result<Vec<String>> {
            let mut from = FrameReader::new(bytes);
            std::iter::from_fn(|| from.next().transpose()).collect()
        };
        assert_eq!(read(&bytes).unwrap(), ["", "one", "another"]);
        assert_eq!(read(&bytes[..13]).unwrap(), ["", "one"]);
        for length in [1, 4, 6, 14, bytes.len() - 1] {
            assert!(read(&bytes[..length]).is_err(), "cut to {length}");
        }
        assert!(read(&[255, 255, 255, 255, 0]).is_err());
    }
}
