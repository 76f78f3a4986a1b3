//! The server's lines of log, each with the id of the request that it is about.
//!
//! The id travels with the request's task, and is looked for only where a line is written. A span for each request would
//! do the same, and costs more than many a request does.

use std::fmt;

use axum::http::HeaderValue;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

tokio::task_local! {
    static REQUEST_ID: HeaderValue;
}

/// Has every line that `answering` writes carry the request's id.
pub async fn of_request<T>(request_id: HeaderValue, answering: impl Future<Output = T>) -> T {
    REQUEST_ID.scope(request_id, answering).await
}

/// The id of the request that is being answered here, which what it decides carries as well.
pub fn request_id() -> Option<String> {
    REQUEST_ID.try_with(|request_id| request_id.to_str().ok().map(str::to_owned)).ok().flatten()
}

/// Lines in another format, with the request's id at their end.
pub struct WithRequestId<Format>(pub Format);

impl<S, Fields, Format> FormatEvent<S, Fields> for WithRequestId<Format>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    Fields: for<'w> FormatFields<'w> + 'static,
    Format: FormatEvent<S, Fields>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, Fields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Ok(request_id) = REQUEST_ID.try_with(HeaderValue::clone) else {
            return self.0.format_event(context, writer, event);
        };
        let request_id = request_id.to_str().unwrap_or_default();
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{} request_id={request_id}", line.trim_end_matches('\n'))
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
        let format = WithRequestId(tracing_subscriber::fmt::format().with_ansi(false).without_time());
        let lines = tracing_subscriber::fmt().event_format(format).with_writer(written.clone()).finish();
        let _guard = tracing::subscriber::set_default(lines);
        of_request(HeaderValue::from_static("abc"), async { tracing::warn!(took = 3, "within") }).await;
        tracing::warn!("without");
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let (within, without) = written.split_once('\n').unwrap();
        assert!(within.ends_with("within took=3 request_id=abc"), "{within}");
        assert!(without.ends_with("without\n"), "{without}");
    }
}
