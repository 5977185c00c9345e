//! What `redirects` means: files to write at old addresses, and absolute URLs that they lead to.

use super::Redirect;
use super::meaning::Reading;
use super::shape::shortened;
use crate::site::check_path;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

const BLOCK: &str = "redirects";

impl Reading<'_> {
    /// The redirects; `base` is nothing where the store's address is faulty, which has been told.
    pub(super) fn redirects(&mut self, written: &BTreeMap<String, Value>, base: Option<&Url>) -> Option<Vec<Redirect>> {
        let mut redirects: Vec<Redirect> = Vec::new();
        let mut whole = true;
        for (from, to) in written {
            let found = match (file_of(from), target_of(to, base)) {
                (Err((problem, hint)), _) => Err((format!("the old address `{}` {problem}", shortened(from)), hint)),
                (_, Err((problem, hint))) => Err((format!("the new address of `{}` {problem}", shortened(from)), hint)),
                (Ok(path), _) if redirects.iter().any(|known| known.path == path) => {
                    Err((format!("the old address `{}` is there twice", shortened(from)), "keep one of them"))
                }
                (Ok(path), Ok(target)) => Ok(target.map(|target| Redirect { from: from.clone(), path, target })),
            };
            match found {
                Ok(redirect) => redirects.extend(redirect),
                Err((message, hint)) => {
                    whole = false;
                    let _: Option<()> = self.fault_of_entry(BLOCK, from, &message, hint);
                }
            }
        }
        for redirect in base.into_iter().flat_map(|base| circling(&redirects, base)) {
            whole = false;
            let message = format!("the old address `{}` leads back to itself", shortened(&redirect.from));
            let _: Option<()> = self.fault_of_entry(BLOCK, &redirect.from, &message, "lead it to a page of the store");
        }
        whole.then_some(redirects)
    }
}

/// What is wrong, and a way out.
type Fault = (&'static str, &'static str);

/// The file that a browser asks for at an address of the store.
fn file_of(address: &str) -> Result<String, Fault> {
    let Some(inside) = address.strip_prefix('/') else {
        return Err(("does not start with `/`", "write it as it follows the store's own address, such as `/old/`"));
    };
    if inside.contains(['?', '#', '*', '%']) {
        return Err((
            "holds one of `?`, `#`, `*` and `%`",
            "write a plain path, without patterns and with letters as they are",
        ));
    }
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    let is_page = [".html", ".htm"].iter().any(|ending| inside.ends_with(ending));
    let path = if is_page { inside.to_string() } else { format!("{inside}/index.html") };
    check_path(&path).map_err(|_| ("cannot be a file on every system", "write a path such as `/old/page/`"))?;
    Ok(path)
}

/// The absolute URL that a value means; nothing where it cannot be told without the store's address.
fn target_of(value: &Value, base: Option<&Url>) -> Result<Option<Url>, Fault> {
    const HINT: &str = "write a path in the store, such as `/products/`, or an `https://` address";
    let text = value.as_str().ok_or(("is no text", HINT))?.trim();
    if let Some(inside) = text.strip_prefix('/').filter(|inside| !inside.starts_with('/')) {
        let Some(base) = base else { return Ok(None) };
        let joined = base.join(&format!("./{inside}")).ok().filter(|url| url.as_str().starts_with(base.as_str()));
        return joined.map(Some).ok_or(("leaves the store", HINT));
    }
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        Some(url) if url.username().is_empty() && url.password().is_none() => Ok(Some(url)),
        Some(_) => Err(("holds a user name or password, which would be published", "leave it out")),
        None => Err(("is neither a path nor an `http` or `https` URL", HINT)),
    }
}

/// Redirects that sooner or later lead to where they start.
fn circling<'a>(redirects: &'a [Redirect], base: &Url) -> Vec<&'a Redirect> {
    let next = |target: &Url| {
        let inside = target.as_str().strip_prefix(base.as_str())?;
        let inside = inside.split(['?', '#']).next().unwrap_or_default();
        let path = file_of(&format!("/{inside}")).ok()?;
        redirects.iter().find(|redirect| redirect.path == path)
    };
    let circles = |start: &&Redirect| {
        let trail = std::iter::successors(next(&start.target), |redirect| next(&redirect.target));
        trail.take(redirects.len()).any(|redirect| redirect.path == start.path)
    };
    redirects.iter().filter(circles).collect()
}
