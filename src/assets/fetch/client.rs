//! One request for a picture: where it may go, how much it may bring, how long it may take.
//!
//! In: a URL and what is known of an earlier answer. Out: the bytes, or that they are as before, or why not. Every
//! address is looked at before anything is sent to it: the one that is written, the one a redirect leads to, and those
//! that a name stands for, which are the very ones that are connected to afterwards.

use super::address::is_public;
use crate::config::DownloadSettings;
use crate::room::Room;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT, CACHE_CONTROL, DATE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION, RETRY_AFTER,
};
use reqwest::{Client, StatusCode, redirect};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::sync::Semaphore;
use url::{Host, Url};

/// Redirects that are followed for one picture.
const MOST_REDIRECTS: usize = 5;
/// How long a server may take to answer a connection, and to send the next part of a picture.
const PATIENCE: Duration = Duration::from_secs(15);
/// Ports of servers for everybody.
const PORTS: [u16; 4] = [80, 443, 8080, 8443];
/// Longest header value that is kept for asking again.
const LONGEST_VALIDATOR: usize = 1024;

/// Why a picture could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("is no address that pictures are fetched from: {0}")]
    Refused(&'static str),
    #[error("leads into a private network; set `images.allow_private_hosts` if that is meant")]
    Private,
    #[error("leads on more than {MOST_REDIRECTS} times")]
    Redirects,
    #[error("is answered with the status {status}")]
    Status { status: u16, retry_after: Option<Duration> },
    #[error("is larger than `images.max_download` allows")]
    TooLarge,
    #[error("is empty")]
    Empty,
    #[error("takes longer than `images.download_timeout` allows")]
    TooSlow,
    #[error("cannot be reached: {0}")]
    Unreachable(String),
}

impl Trouble {
    /// Whether asking again may help.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::TooSlow | Self::Unreachable(_) => true,
            Self::Refused(_) | Self::Private | Self::Redirects | Self::TooLarge | Self::Empty => false,
        }
    }

    /// Whether a server said something.
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, Self::Redirects | Self::Status { .. } | Self::TooLarge | Self::Empty)
    }

    /// Whether it tells something about the server as a whole.
    pub(super) fn is_of_server(&self) -> bool {
        matches!(self, Self::TooSlow | Self::Unreachable(_))
    }
}

/// What a server said about a picture, for asking again.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Validators {
    etag: Option<String>,
    last_modified: Option<String>,
    /// How long it says the picture stays as it is, in seconds.
    pub(super) max_age: u64,
}

impl Validators {
    /// Keeps what an earlier answer said where this one says nothing.
    pub(super) fn or_of(&mut self, earlier: Self) {
        self.etag = self.etag.take().or(earlier.etag);
        self.last_modified = self.last_modified.take().or(earlier.last_modified);
    }
}

/// What came of a request.
pub(super) enum Answer {
    /// It is as before.
    Same(Validators),
    /// A picture, or whatever the server takes for one.
    Body(Vec<u8>, Validators),
}

/// Asks servers for pictures.
pub(super) struct Requests {
    client: Client,
    may_be_private: bool,
    max_size: u64,
    /// Room for bodies, in all and what is left of it.
    kibibytes: u32,
    budget: Semaphore,
}

impl Requests {
    /// Bodies that are in memory at once fit into the room for downloads.
    pub(super) fn new(settings: &DownloadSettings, room: Room) -> anyhow::Result<Self> {
        // The driver for MongoDB brings the same provider; whoever is first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("storegen/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Resolver { may_be_private: settings.allow_private_hosts })
            // A proxy would connect to addresses that nobody here has looked at.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(PATIENCE.min(settings.timeout))
            .read_timeout(PATIENCE.min(settings.timeout))
            .timeout(settings.timeout)
            .build()?;
        let kibibytes = u32::try_from(room.downloads / 1024).unwrap_or(u32::MAX);
        let budget = Semaphore::new(kibibytes as usize);
        let may_be_private = settings.allow_private_hosts;
        Ok(Self { client, may_be_private, max_size: settings.max_size, kibibytes, budget })
    }

    /// Fetches one picture, following redirects.
    pub(super) async fn ask(&self, url: &Url, known: Option<&Validators>) -> Result<Answer, Trouble> {
        let mut url = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            check(&url, self.may_be_private)?;
            let mut request = self.client.get(url.clone()).header(ACCEPT, "image/*, */*;q=0.5");
            if let Some(etag) = known.and_then(|known| known.etag.as_ref()) {
                request = request.header(IF_NONE_MATCH, etag);
            }
            if let Some(date) = known.and_then(|known| known.last_modified.as_ref()) {
                request = request.header(IF_MODIFIED_SINCE, date);
            }
            let response = request.send().await.map_err(|error| trouble_of(&error))?;
            let status = response.status();
            match status {
                StatusCode::NOT_MODIFIED if known.is_some() => return Ok(Answer::Same(validators(response.headers()))),
                StatusCode::OK => return self.body(response).await,
                _ if status.is_redirection() => {
                    let target = response.headers().get(LOCATION).and_then(|target| target.to_str().ok());
                    let target = target.and_then(|target| url.join(target).ok());
                    url = target.ok_or(Trouble::Refused("a redirect leads nowhere"))?;
                }
                _ => {
                    let retry_after = retry_after(response.headers());
                    return Err(Trouble::Status { status: status.as_u16(), retry_after });
                }
            }
        }
        Err(Trouble::Redirects)
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Answer, Trouble> {
        let announced = response.content_length();
        if announced.is_some_and(|length| length > self.max_size) {
            return Err(Trouble::TooLarge);
        }
        // Without an announcement it may become as large as is allowed.
        let kibibytes = announced.unwrap_or(self.max_size).div_ceil(1024).min(self.kibibytes.into());
        // The semaphore is never closed.
        let _room = self.budget.acquire_many(kibibytes as u32).await.ok();
        let validators = validators(response.headers());
        let mut bytes = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| trouble_of(&error))? {
            if (bytes.len() + part.len()) as u64 > self.max_size {
                return Err(Trouble::TooLarge);
            }
            bytes.extend_from_slice(&part);
        }
        if bytes.is_empty() { Err(Trouble::Empty) } else { Ok(Answer::Body(bytes, validators)) }
    }
}

/// Refuses addresses that no picture of a shop has.
pub(super) fn check(url: &Url, may_be_private: bool) -> Result<(), Trouble> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Trouble::Refused("only `http` and `https` are"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Trouble::Refused("it holds a user name or password"));
    }
    let address = match url.host() {
        None => return Err(Trouble::Refused("it names no server")),
        Some(Host::Domain(_)) => None,
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.into()),
    };
    if may_be_private {
        return Ok(());
    }
    if address.is_some_and(|address| !is_public(address)) {
        return Err(Trouble::Private);
    }
    if url.port_or_known_default().is_none_or(|port| !PORTS.contains(&port)) {
        return Err(Trouble::Refused("its port is none of 80, 443, 8080, 8443"));
    }
    Ok(())
}

/// Finds the addresses of a name, and keeps those that may be connected to.
struct Resolver {
    may_be_private: bool,
}

/// A name stands for addresses of a private network alone.
#[derive(Debug, thiserror::Error)]
#[error("the name stands for an address in a private network")]
struct NotPublic;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let may_be_private = self.may_be_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let is_known = !found.is_empty();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| may_be_private || is_public(address.ip())).collect();
            match allowed.is_empty() && is_known {
                true => Err(NotPublic.into()),
                false => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

fn trouble_of(error: &reqwest::Error) -> Trouble {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
        if deepest.is::<NotPublic>() {
            return Trouble::Private;
        }
    }
    if error.is_timeout() {
        return Trouble::TooSlow;
    }
    Trouble::Unreachable(deepest.to_string().trim_end_matches('.').to_lowercase())
}

fn validators(headers: &HeaderMap) -> Validators {
    let kept = |name: HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        (value.len() <= LONGEST_VALIDATOR).then(|| value.to_string())
    };
    let max_age = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok()).map_or(0, max_age);
    Validators { etag: kept(ETAG), last_modified: kept(LAST_MODIFIED), max_age }
}

/// Seconds that an answer stays fresh; 0 where the server does not say, or wants to be asked.
fn max_age(cache_control: &str) -> u64 {
    let directives = || cache_control.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    if directives().any(|directive| directive == "no-cache" || directive == "no-store") {
        return 0;
    }
    directives().find_map(|directive| directive.strip_prefix("max-age=")?.parse().ok()).unwrap_or(0)
}

/// How long a server asks to be left alone: seconds, or a date that its own clock is held against.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| OffsetDateTime::parse(text, &Rfc2822).ok();
    let now = headers.get(DATE)?.to_str().ok().and_then(date)?;
    (date(text)? - now).try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn only_addresses_for_everybody_pass() {
        for text in
            ["https://cdn.example/a.jpg", "http://cdn.example:8080/a", "https://1.1.1.1/a", "http://[2606:4700::1]/"]
        {
            assert_eq!(check(&Url::parse(text).unwrap(), false), Ok(()), "{text}");
        }
        // Spellings of 127.0.0.1 and 169.254.169.254 that a URL may have.
        for text in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://169.254.169.254/latest/",
            "http://2852039166/",
            "http://①②⑦.0.0.1/",
            "http://10.0.0.1/",
            "http://[fd00::1]/",
            "http://0/",
        ] {
            assert_eq!(check(&Url::parse(text).unwrap(), false), Err(Trouble::Private), "{text}");
            assert_eq!(check(&Url::parse(text).unwrap(), true), Ok(()), "{text}");
        }
        for text in
            ["https://cdn.example:22/", "ftp://cdn.example/", "https://ada:pw@cdn.example/", "file:///etc/passwd"]
        {
            assert!(matches!(check(&Url::parse(text).unwrap(), false), Err(Trouble::Refused(_))), "{text}");
        }
        for text in ["ftp://cdn.example/", "https://ada@cdn.example/"] {
            assert!(check(&Url::parse(text).unwrap(), true).is_err(), "{text}");
        }
    }

    #[test]
    fn headers_are_understood() {
        for (text, seconds) in
            [("max-age=60", 60), ("public, Max-Age=7, immutable", 7), ("no-cache, max-age=9", 0), ("", 0)]
        {
            assert_eq!(max_age(text), seconds, "{text}");
        }
        let of = |retry: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(retry));
            headers.insert(DATE, HeaderValue::from_static("Wed, 21 Oct 2015 07:28:00 GMT"));
            retry_after(&headers)
        };
        assert_eq!(of("120"), Some(Duration::from_secs(120)));
        assert_eq!(of("Wed, 21 Oct 2015 07:28:30 GMT"), Some(Duration::from_secs(30)));
        for wrong in ["soon", "Wed, 21 Oct 2015 07:27:00 GMT", "-3"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
