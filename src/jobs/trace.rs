//! A finished job as a trace: one span for the run and one for each phase, sent to an OpenTelemetry collector.
//!
//! In: a record, and where the environment says that traces go. Out: one request in OTLP's JSON over HTTP, with a deadline.
//! Written by hand: the usual exporter brings some forty crates for what is one small document a run. Speaks plain HTTP
//! only, as collectors beside a program do; what goes wrong is told and ends no run.

use super::record::{GenerationJob, JobStatus};
use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;
use time::OffsetDateTime;
use url::Url;

/// How long the collector may take, unless `OTEL_EXPORTER_OTLP_TIMEOUT` says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where traces go.
#[derive(Debug)]
pub struct Exporter {
    endpoint: Url,
    headers: Vec<(String, String)>,
    patience: Duration,
    service: String,
    /// Trace and span that the run is a part of, from `TRACEPARENT`.
    parent: Option<(String, String)>,
}

impl Exporter {
    /// The exporter that the usual `OTEL_*` variables ask for; `None` when they ask for none.
    ///
    /// # Errors
    /// When they ask for one that cannot be.
    pub fn of(environment: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Option<Self>> {
        let set = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let is_off = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || set("OTEL_TRACES_EXPORTER").is_some_and(|value| value.trim() == "none");
        let address = match (set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"), set("OTEL_EXPORTER_OTLP_ENDPOINT")) {
            _ if is_off => return Ok(None),
            (Some(whole), _) => whole,
            (None, Some(base)) => format!("{}/v1/traces", base.trim().trim_end_matches('/')),
            (None, None) => return Ok(None),
        };
        let endpoint = Url::parse(address.trim()).context("`OTEL_EXPORTER_OTLP_ENDPOINT` is no URL")?;
        ensure!(
            endpoint.scheme() == "http" && endpoint.host().is_some(),
            "`OTEL_EXPORTER_OTLP_ENDPOINT` must be an `http://` address, such as that of a collector on this machine"
        );
        let headers = set("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or_else(|| set("OTEL_EXPORTER_OTLP_HEADERS"));
        let headers = headers.iter().flat_map(|text| text.split(',')).filter_map(|pair| pair.split_once('='));
        let clean = |text: &str| text.trim().replace(|letter: char| letter.is_control(), "");
        let headers = headers.map(|(name, value)| (clean(name), clean(&decoded(value)))).collect();
        let patience = set("OTEL_EXPORTER_OTLP_TIMEOUT").and_then(|text| text.trim().parse().ok());
        Ok(Some(Self {
            endpoint,
            headers,
            patience: patience.map_or(PATIENCE, Duration::from_millis).max(Duration::from_millis(1)),
            service: set("OTEL_SERVICE_NAME").unwrap_or_else(|| "storegen".into()),
            parent: set("TRACEPARENT").as_deref().and_then(parent),
        }))
    }

    /// Sends the trace of a job that has ended.
    ///
    /// # Errors
    /// When the collector does not take it in time. Never names a header.
    pub fn export(&self, job: &GenerationJob) -> anyhow::Result<()> {
        let body = serde_json::to_vec(&self.trace(job))?;
        let host = self.endpoint.host_str().unwrap_or_default();
        let port = self.endpoint.port_or_known_default().unwrap_or(80);
        let sending = || format!("cannot send the trace to `{host}:{port}`");
        let mut request = format!(
            "POST {} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n",
            &self.endpoint[url::Position::BeforePath..url::Position::AfterQuery],
            body.len()
        );
        for (name, value) in &self.headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let mut addresses = (bare, port).to_socket_addrs().with_context(sending)?;
        let address = addresses.next().context("the host has no address").with_context(sending)?;
        let send = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect_timeout(&address, self.patience)?;
            stream.set_write_timeout(Some(self.patience))?;
            stream.set_read_timeout(Some(self.patience))?;
            stream.write_all(request.as_bytes())?;
            stream.write_all(&body)?;
            let mut answer = [0; 64];
            let size = stream.read(&mut answer)?;
            Ok(String::from_utf8_lossy(&answer[..size]).into_owned())
        };
        let answer = send().with_context(sending)?;
        let status = answer.split_ascii_whitespace().nth(1).unwrap_or("nothing");
        if !status.starts_with('2') {
            bail!("{}: it answered {status}", sending());
        }
        Ok(())
    }

    fn trace(&self, job: &GenerationJob) -> Value {
        let id = |part: &str, length: usize| {
            blake3::hash(format!("{} {part}", job.job_id).as_bytes()).to_hex()[..length].to_owned()
        };
        let trace = self.parent.as_ref().map_or_else(|| id("trace", 32), |(trace, _)| trace.clone());
        let run = id("run", 16);
        let began = job.started_at.unwrap_or(job.created_at);
        let ended = job.completed_at.unwrap_or(began);
        let failed = job.status != JobStatus::Completed;
        let status = match (&job.error_message, failed) {
            (_, false) => json!({ "code": 1 }),
            (message, true) => json!({ "code": 2, "message": message.as_deref().unwrap_or(job.status.words()) }),
        };
        let mut spans = vec![json!({
            "traceId": trace, "spanId": run, "name": "storegen generate", "kind": 1,
            "parentSpanId": self.parent.as_ref().map_or("", |(_, span)| span),
            "startTimeUnixNano": nanoseconds(began), "endTimeUnixNano": nanoseconds(ended), "status": status,
            "attributes": [
                text("storegen.job_id", job.job_id.as_str()),
                text("storegen.store", &job.store_name),
                text("storegen.status", job.status.key()),
                number("storegen.products", job.processed_products),
                number("storegen.skipped", job.skipped.values().sum()),
            ],
        })];
        for (phase, metrics) in &job.performance_metrics.phases {
            let start = began + time::Duration::seconds_f64(metrics.after);
            let end = start + time::Duration::seconds_f64(metrics.seconds);
            spans.push(json!({
                "traceId": trace, "spanId": id(phase.key(), 16), "parentSpanId": run, "name": phase.key(), "kind": 1,
                "startTimeUnixNano": nanoseconds(start), "endTimeUnixNano": nanoseconds(end),
                "attributes": [number("storegen.steps", metrics.count)],
            }));
        }
        json!({ "resourceSpans": [{
            "resource": { "attributes": [
                text("service.name", &self.service),
                text("service.version", env!("CARGO_PKG_VERSION")),
            ] },
            "scopeSpans": [{ "scope": { "name": "storegen", "version": env!("CARGO_PKG_VERSION") }, "spans": spans }],
        }] })
    }
}

/// Numbers of 64 bits are text in OTLP's JSON.
fn nanoseconds(time: OffsetDateTime) -> String {
    time.unix_timestamp_nanos().to_string()
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn number(key: &str, value: u64) -> Value {
    json!({ "key": key, "value": { "intValue": value.to_string() } })
}

/// Trace and span of `00-<32 digits>-<16 digits>-<flags>`.
fn parent(text: &str) -> Option<(String, String)> {
    let parts: Vec<&str> = text.trim().split('-').collect();
    let is_id = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|digit| digit.is_ascii_hexdigit())
            && text.bytes().any(|digit| digit != b'0')
    };
    match parts[..] {
        [_, trace, span, _] if is_id(trace, 32) && is_id(span, 16) => {
            Some((trace.to_ascii_lowercase(), span.to_ascii_lowercase()))
        }
        _ => None,
    }
}

/// The value of a header, which may be percent-encoded.
fn decoded(value: &str) -> String {
    let pairs = format!("x={}", value.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> anyhow::Result<Option<Exporter>> {
        Exporter::of(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn the_environment_says_where_traces_go() {
        assert!(of(&[]).unwrap().is_none());
        let exporter = of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20x+y, a = b"),
            ("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ]);
        let exporter = exporter.unwrap().unwrap();
        assert_eq!(exporter.endpoint.as_str(), "http://localhost:4318/v1/traces");
        assert_eq!(exporter.headers[0], ("Authorization".into(), "Bearer x+y".into()));
        assert_eq!(exporter.headers[1], ("a".into(), "b".into()));
        assert_eq!(exporter.parent.unwrap().1, "00f067aa0ba902b7");
        let whole = of(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://h/x"), ("TRACEPARENT", "00-0-0-0")]);
        let whole = whole.unwrap().unwrap();
        assert_eq!((whole.endpoint.as_str(), whole.parent), ("http://h/x", None));
        for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert!(of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h"), off]).unwrap().is_none());
        }
        for wrong in ["https://h", "h:4318", "file:///x"] {
            assert!(of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", wrong)]).is_err(), "{wrong}");
        }
    }
}
