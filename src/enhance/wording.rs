//! Wording: SEO texts, alternative texts, summaries.
