//! What was read of a server, written down to be read once more, as often as need be.
//!
//! In: the documents as they came, collection by collection. Out: the same in the same order. They are in a file that has
//! no name, so that nobody else finds it and nothing is left behind however the process ends. What the server was not
//! asked for, such as confidential fields, is not in it.

use super::document::{Place, RawDocument};
use super::mongodb::Told;
use super::references::Beside;
use crate::site::durable::read_exact_at;
use mongodb::bson::Document;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

/// Bytes written or read at once.
const CHUNK: usize = 256 * 1024;

/// Stands for a document that was too large to be taken in; no document is this short.
const TOO_LARGE: [u8; 4] = [0; 4];

/// Which documents a part of the file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Some that products are completed from.
    References(Beside),
    /// Products of this collection.
    Products(String),
}

#[derive(Debug)]
struct Section {
    part: Part,
    from: u64,
    to: u64,
    documents: u64,
}

/// A whole reading.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    sections: Vec<Section>,
    pub(super) about: About,
}

/// What is known of a reading besides its documents.
#[derive(Debug, Default)]
pub(super) struct About {
    /// What the server was asked for: products that this query finds.
    pub(super) query: Document,
    /// Up to when the server had told of its changes before it was read.
    pub(super) told: Option<Told>,
    /// What a person should know of the reading.
    pub(super) notes: Vec<String>,
}

/// Writes a reading down.
pub(super) struct SpoolWriter {
    file: BufWriter<File>,
    sections: Vec<Section>,
    length: u64,
}

impl SpoolWriter {
    /// Opens an unnamed file in `folder`.
    pub(super) fn create_in(folder: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(CHUNK, tempfile::tempfile_in(folder)?);
        Ok(Self { file, sections: Vec::new(), length: 0 })
    }

    /// Adds a document to a part; the documents of one come in a row.
    pub(super) fn add(&mut self, part: &Part, document: &RawDocument) -> io::Result<()> {
        let bytes = document.as_bson().unwrap_or(&TOO_LARGE);
        self.file.write_all(bytes)?;
        if self.sections.last().is_none_or(|section| section.part != *part) {
            self.sections.push(Section { part: part.clone(), from: self.length, to: self.length, documents: 0 });
        }
        self.length += bytes.len() as u64;
        if let Some(section) = self.sections.last_mut() {
            section.to = self.length;
            section.documents += 1;
        }
        Ok(())
    }

    /// Ends writing.
    pub(super) fn finish(self, about: About) -> io::Result<Spool> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Spool { file, sections: self.sections, about })
    }
}

impl Spool {
    /// How many products it holds.
    pub(super) fn products(&self) -> u64 {
        let products = self.sections.iter().filter(|section| matches!(section.part, Part::Products(_)));
        products.map(|section| section.documents).sum()
    }

    /// Hands every document of a part to `take`, until that breaks.
    pub(super) fn each(
        &self,
        part: &Part,
        mut take: impl FnMut(RawDocument) -> ControlFlow<()>,
    ) -> io::Result<ControlFlow<()>> {
        for section in self.sections.iter().filter(|section| section.part == *part) {
            let bytes = Bytes { file: &self.file, at: section.from, end: section.to };
            let mut bytes = BufReader::with_capacity(CHUNK, bytes);
            for _ in 0..section.documents {
                if take(next(&mut bytes)?).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn next(input: &mut impl Read) -> io::Result<RawDocument> {
    let mut head = TOO_LARGE;
    input.read_exact(&mut head)?;
    if head == TOO_LARGE {
        return Ok(RawDocument::too_large(Place::Database));
    }
    let length = usize::try_from(i32::from_le_bytes(head)).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut bytes = vec![0; length.max(head.len())];
    bytes[..head.len()].copy_from_slice(&head);
    input.read_exact(&mut bytes[head.len()..])?;
    Ok(RawDocument::bson(&bytes, Place::Database))
}

/// A stretch of a file that others read as well.
struct Bytes<'a> {
    file: &'a File,
    at: u64,
    end: u64,
}

impl Read for Bytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let count = left.min(into.len());
        read_exact_at(self.file, &mut into[..count], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::document::tests::raw_bson;
    use mongodb::bson::doc;

    #[test]
    fn documents_come_back_as_they_were_and_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let products = Part::Products("frames".into());
        let written: Vec<(Part, RawDocument)> = vec![
            (Part::References(Beside::Brands), raw_bson(&doc! { "_id": "riva" })),
            (products.clone(), RawDocument::bson(&doc! { "_id": 1 }.to_vec().unwrap(), Place::Database)),
            (products.clone(), RawDocument::too_large(Place::Database)),
            (
                products.clone(),
                RawDocument::bson(&doc! { "_id": 2, "name": "x".repeat(CHUNK) }.to_vec().unwrap(), Place::Database),
            ),
        ];
        let mut writer = SpoolWriter::create_in(folder.path()).unwrap();
        written.iter().for_each(|(part, document)| writer.add(part, document).unwrap());
        let spool = writer.finish(About::default()).unwrap();
        assert_eq!(spool.products(), 3);
        for _ in 0..2 {
            let mut read = Vec::new();
            let take = |document| {
                read.push(document);
                ControlFlow::Continue(())
            };
            assert!(spool.each(&products, take).unwrap().is_continue());
            assert!(read.iter().eq(written[1..].iter().map(|(_, document)| document)));
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
