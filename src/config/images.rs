//! What the settings about pictures mean: the sizes and formats that each is made in.
//!
//! Like [`super::meaning`], each setting tells its own faults at its own place.

use super::Color;
use super::file::{EffortName, FitName, FormatName, ImagesFile, OneOrMany, SocialCardsName};
use super::meaning::Reading;

/// How the pictures of products are made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSettings {
    /// In pixels, ascending, each once; never empty.
    pub widths: Vec<u32>,
    /// The one that browsers should take first in front, each once; never empty.
    pub formats: Vec<ImageFormat>,
    /// 1..=100.
    pub jpeg_quality: u8,
    /// 1..=100.
    pub webp_quality: u8,
    /// 1..=100.
    pub avif_quality: u8,
    /// Behind transparent pictures, and around those with margins.
    pub background: Color,
    /// How pictures are brought into proportion.
    pub fit: ImageFit,
    /// How long encoders look for a smaller file.
    pub effort: ImageEffort,
    /// Which products have a picture of their own for link previews.
    pub social_cards: SocialCards,
}

/// Which products have a picture of their own for link previews; the others show the store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocialCards {
    /// Those with a photo in the store.
    Photos,
    /// Those without a photo as well, with their drawing.
    All,
    /// None.
    None,
}

/// A format that pictures are made in; the smallest files come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ImageFormat {
    Avif,
    WebP,
    Jpeg,
}

/// How pictures are brought into proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFit {
    /// Each keeps its own proportions.
    Inside,
    /// Margins make it 4:3.
    Contain,
    /// It is cut to 4:3.
    Cover,
}

/// How long encoders look for a smaller file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ImageEffort {
    Fast,
    Normal,
    Best,
}

/// Most widths: each is a file more for every picture and format.
const MOST_WIDTHS: usize = 12;

impl Reading<'_> {
    pub(super) fn images(&mut self, file: &ImagesFile) -> Option<ImageSettings> {
        let widths = self.image_widths(&file.widths);
        let formats = self.image_formats(&file.formats);
        let background = self.color("images.background", &file.background);
        Some(ImageSettings {
            widths: widths?,
            formats: formats?,
            jpeg_quality: file.quality.jpeg,
            webp_quality: file.quality.webp,
            avif_quality: file.quality.avif,
            background: background?,
            fit: match file.fit {
                FitName::Inside => ImageFit::Inside,
                FitName::Contain => ImageFit::Contain,
                FitName::Cover => ImageFit::Cover,
            },
            effort: match file.effort {
                EffortName::Fast => ImageEffort::Fast,
                EffortName::Normal => ImageEffort::Normal,
                EffortName::Best => ImageEffort::Best,
            },
            social_cards: match file.social_cards {
                SocialCardsName::Photos => SocialCards::Photos,
                SocialCardsName::All => SocialCards::All,
                SocialCardsName::None => SocialCards::None,
            },
        })
    }

    /// Each once, the narrowest first.
    fn image_widths(&mut self, written: &OneOrMany<u16>) -> Option<Vec<u32>> {
        let path = "images.widths";
        if written.0.is_empty() {
            return self.fault(
                path,
                "`images.widths` is an empty list",
                "write one or more, such as `[320, 640, 960]`",
            );
        }
        if written.0.len() > MOST_WIDTHS {
            let message = format!("`images.widths` has more than {MOST_WIDTHS} widths");
            return self.fault(path, &message, "four or five serve every screen; each costs a file a picture");
        }
        let mut widths: Vec<u32> = written.0.iter().map(|&width| u32::from(width)).collect();
        widths.sort_unstable();
        widths.dedup();
        Some(widths)
    }

    /// Each once, the one that browsers should take first in front.
    fn image_formats(&mut self, written: &OneOrMany<FormatName>) -> Option<Vec<ImageFormat>> {
        if written.0.is_empty() {
            let hint = "write one or more of `avif`, `webp`, `jpeg`";
            return self.fault("images.formats", "`images.formats` is an empty list", hint);
        }
        let formats: std::collections::BTreeSet<ImageFormat> = written
            .0
            .iter()
            .map(|name| match name {
                FormatName::Avif => ImageFormat::Avif,
                FormatName::Webp => ImageFormat::WebP,
                FormatName::Jpeg => ImageFormat::Jpeg,
            })
            .collect();
        Some(formats.into_iter().collect())
    }
}

impl Default for ImageSettings {
    /// What a store file without `images` means.
    fn default() -> Self {
        let file = ImagesFile::default();
        Self {
            widths: file.widths.0.iter().map(|&width| u32::from(width)).collect(),
            formats: vec![ImageFormat::WebP, ImageFormat::Jpeg],
            jpeg_quality: file.quality.jpeg,
            webp_quality: file.quality.webp,
            avif_quality: file.quality.avif,
            background: Color { rgb: [255; 3] },
            fit: ImageFit::Inside,
            effort: ImageEffort::Normal,
            social_cards: SocialCards::Photos,
        }
    }
}
