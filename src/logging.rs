//! The lines that the program writes to standard error, each with the id of the request that it is about.
//!
//! The id is stored with the request's task, and is read only when a line is written. A span for each request would
//! have the same effect, but would cost more than many requests do.

use std::fmt;
use std::io::IsTerminal;
use std::str::FromStr;

use axum::http::HeaderValue;
use clap::ValueEnum;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::standard_error;

tokio::task_local! {
    static REQUEST_ID: HeaderValue;
}

/// Runs `answering`, and adds the request's id to every line that it writes.
pub async fn of_request<T>(request_id: HeaderValue, answering: impl Future<Output = T>) -> T {
    REQUEST_ID.scope(request_id, answering).await
}

/// The id of the request that is being answered here. Its commands carry this id as well.
pub fn request_id() -> Option<String> {
    REQUEST_ID.try_with(|request_id| request_id.to_str().ok().map(str::to_owned)).ok().flatten()
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: each line is one JSON object.
    Json,
}

/// A parsed filter of lines.
#[derive(Debug, Clone)]
pub struct LogLevel(Targets);

impl FromStr for LogLevel {
    type Err = String;

    /// Checks the words of a filter. The library treats every word as the name of a module, so a wrong level would
    /// silence all lines.
    fn from_str(text: &str) -> Result<Self, String> {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let is_level = |directive: &str| {
            let level = directive.rsplit('=').next().unwrap_or_default();
            LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level.trim()))
        };
        let filter = text.parse().ok().filter(|_| text.split(',').all(is_level));
        filter.map(Self).ok_or_else(|| {
            format!("a level is one of {}; or name one for a module: `info,reprise::api=debug`", LEVELS.join(", "))
        })
    }
}

/// Starts writing lines to standard error.
pub fn start(level: &LogLevel, format: LogFormat) {
    let no_colours = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = std::io::stderr().is_terminal() && !no_colours;
    // A line that cannot be written is not reported anywhere. The default would report it on standard error.
    let lines = tracing_subscriber::fmt::layer().log_internal_errors(false).with_writer(standard_error::start());
    let filter = tracing_subscriber::registry().with(level.0.clone());
    match format {
        LogFormat::Text => filter.with(lines.event_format(WithRequestId::text(colours))).init(),
        LogFormat::Json => {
            filter.with(lines.fmt_fields(JsonFields::new()).event_format(WithRequestId::json())).init();
        }
    }
}

/// A format of lines that adds the request's id at the end.
pub struct WithRequestId<Format> {
    format: Format,
    is_json: bool,
}

impl WithRequestId<Format> {
    fn text(colours: bool) -> Self {
        Self { format: tracing_subscriber::fmt::format().with_ansi(colours), is_json: false }
    }
}

impl WithRequestId<Format<Json>> {
    fn json() -> Self {
        Self { format: tracing_subscriber::fmt::format().json().flatten_event(true), is_json: true }
    }
}

impl<S, Fields, Inner> FormatEvent<S, Fields> for WithRequestId<Inner>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    Fields: for<'w> FormatFields<'w> + 'static,
    Inner: FormatEvent<S, Fields>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Fields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Ok(request_id) = REQUEST_ID.try_with(HeaderValue::clone) else {
            return self.format.format_event(context, writer, event);
        };
        let request_id = request_id.to_str().unwrap_or_default();
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end_matches('\n');
        match line.strip_suffix('}').filter(|_| self.is_json) {
            // An id has no character that JSON must escape.
            Some(members) => writeln!(writer, "{members},\"request_id\":\"{request_id}\"}}"),
            None => writeln!(writer, "{line} request_id={request_id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[tokio::test]
    async fn a_line_of_a_request_carries_its_id_and_any_other_none() {
        let written = Written::default();
        let lines = tracing_subscriber::fmt().event_format(WithRequestId::text(false)).with_writer(written.clone());
        let lines = lines.finish();
        let _guard = tracing::subscriber::set_default(lines);
        of_request(HeaderValue::from_static("abc"), async { tracing::warn!(took = 3, "within") }).await;
        tracing::warn!("without");
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let (within, without) = written.split_once('\n').unwrap();
        assert!(within.ends_with("within took=3 request_id=abc"), "{within}");
        assert!(without.ends_with("without\n"), "{without}");
    }
    #[tokio::test]
    async fn a_line_for_programs_is_one_json_object_with_the_id_in_it() {
        let written = Written::default();
        let lines = tracing_subscriber::fmt().fmt_fields(JsonFields::new()).event_format(WithRequestId::json());
        let lines = lines.with_writer(written.clone()).finish();
        let _guard = tracing::subscriber::set_default(lines);
        of_request(HeaderValue::from_static("abc"), async { tracing::warn!(took = 3, "a \"quoted\"\nline") }).await;
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!((&line["request_id"], &line["took"], &line["level"]), (&"abc".into(), &3.into(), &"WARN".into()));
        assert_eq!(line["message"], "a \"quoted\"\nline");
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        for right in ["info", "WARN", "off", "info,reprise::api=debug", "reprise=trace"] {
            assert!(right.parse::<LogLevel>().is_ok(), "{right}");
        }
        for wrong in ["nonsense", "", "info,nonsense", "reprise=loud", "reprise::api"] {
            assert!(wrong.parse::<LogLevel>().is_err(), "{wrong}");
        }
    }
}
