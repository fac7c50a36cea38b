//! Ended calls as spans of OpenTelemetry, sent to a collector over OTLP in batches.
//!
//! Invariant: no call waits for the collector. Spans wait in a bounded queue; when it is full they are dropped, and that, as every
//! batch that could not be sent, is in the log. It does not know what a call does, and makes no ids: they are the ones that the
//! caller was told.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor};
use serde::Deserialize;
use thiserror::Error;

use crate::service::{CallListener, EndedCall};

/// Sends spans to a collector.
#[derive(Clone, Debug)]
pub struct SpanSender {
    processor: Arc<BatchSpanProcessor>,
}

/// Where a collector takes spans.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OtlpEndpoint(String);

/// A text that is no place for spans.
#[derive(Debug, Error)]
#[error(
    "{0:?} is no place for spans: write it as http://localhost:4317, without a path; for https let a collector on this machine pass \
     them on"
)]
pub struct NoEndpoint(String);

/// Why spans cannot be sent.
#[derive(Debug, Error)]
#[error(
    "spans cannot be sent to {endpoint}: {source}; look at --otlp-endpoint and the OTEL_ variables of the environment"
)]
pub struct SpansError {
    endpoint: String,
    source: opentelemetry_otlp::ExporterBuildError,
}

impl FromStr for OtlpEndpoint {
    type Err = NoEndpoint;

    fn from_str(text: &str) -> Result<Self, NoEndpoint> {
        let wrong = || NoEndpoint(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        if uri.scheme_str() == Some("http") && has_host && uri.path() == "/" && uri.query().is_none() {
            Ok(Self(text.to_owned()))
        } else {
            Err(wrong())
        }
    }
}

impl TryFrom<String> for OtlpEndpoint {
    type Error = NoEndpoint;

    fn try_from(text: String) -> Result<Self, NoEndpoint> {
        text.parse()
    }
}

impl SpanSender {
    /// Begins to send. It is not held up by a collector that is not there yet. Called within the runtime that carries the
    /// connection.
    ///
    /// # Errors
    /// What the environment says about OTLP cannot be followed.
    pub fn start(endpoint: &OtlpEndpoint) -> Result<Self, SpansError> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(&endpoint.0)
            .build()
            .map_err(|source| SpansError {
                endpoint: endpoint.0.clone(),
                source,
            })?;
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder()
            .with_service_name("binnacle")
            .with_attribute(version);
        processor.set_resource(&resource.build());
        Ok(Self {
            processor: Arc::new(processor),
        })
    }

    /// Sends every call that it hears of.
    #[must_use]
    pub fn listener(&self) -> CallListener {
        let processor = Arc::clone(&self.processor);
        let scope = InstrumentationScope::builder("binnacle")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        Arc::new(move |call: EndedCall<'_>| processor.on_end(span(call, scope.clone())))
    }

    /// Sends what still waits, for 5 s at most. It blocks, and the runtime has to run on meanwhile.
    pub fn end(self) {
        if let Err(error) = self.processor.shutdown() {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// A call as the conventions of OpenTelemetry for RPC have it.
fn span(call: EndedCall<'_>, scope: InstrumentationScope) -> SpanData {
    let EndedCall {
        method,
        called,
        request_id,
        place,
        caller,
        began,
        ended,
        code,
        is_error,
    } = call;
    let mut attributes = vec![
        KeyValue::new("rpc.system.name", "grpc"),
        KeyValue::new("rpc.response.status_code", code),
        KeyValue::new("binnacle.request_id", request_id.to_owned()),
    ];
    let name = match method {
        Some(method) => {
            attributes.push(KeyValue::new("rpc.method", method.to_owned()));
            Cow::Owned(method.to_owned())
        }
        // Who makes up methods must not make up names.
        None => {
            attributes.push(KeyValue::new("rpc.method", "_OTHER"));
            attributes.push(KeyValue::new("rpc.method_original", called.to_owned()));
            Cow::Borrowed("other")
        }
    };
    let flags = if place.is_sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::NOT_SAMPLED
    };
    SpanData {
        span_context: SpanContext::new(
            TraceId::from_bytes(place.trace_id),
            SpanId::from_bytes(place.span_id),
            flags,
            false,
            TraceState::NONE,
        ),
        parent_span_id: caller.map_or(SpanId::INVALID, |caller| SpanId::from_bytes(caller.span_id)),
        parent_span_is_remote: caller.is_some(),
        span_kind: SpanKind::Server,
        name,
        start_time: began,
        end_time: ended,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: if is_error {
            Status::error(code)
        } else {
            Status::Unset
        },
        instrumentation_scope: scope,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::service::TraceContext;

    #[test]
    fn a_place_for_spans_is_an_address_without_a_path_or_tls() {
        for text in [
            "http://localhost:4317",
            "http://127.0.0.1:1",
            "http://[::1]:4317/",
        ] {
            assert!(text.parse::<OtlpEndpoint>().is_ok(), "{text}");
        }
        for text in [
            "",
            "localhost:4317",
            "https://localhost:4317",
            "http://",
            "http://localhost:4317/v1/traces",
            "http://localhost:4317?x",
            "grpc://localhost:4317",
        ] {
            let refused = text.parse::<OtlpEndpoint>().expect_err(text).to_string();
            assert!(refused.contains("http://localhost:4317"), "{refused}");
        }
    }

    #[test]
    fn a_call_is_a_span_below_its_caller_and_what_was_made_up_is_no_name() {
        let place = |first: u8| TraceContext {
            trace_id: [1; 16],
            span_id: [first; 8],
            is_sampled: true,
        };
        let call = EndedCall {
            method: Some("binnacle.v1.KpiService/GetKpi"),
            called: "binnacle.v1.KpiService/GetKpi",
            request_id: "7",
            place: place(2),
            caller: Some(place(3)),
            began: SystemTime::UNIX_EPOCH,
            ended: SystemTime::UNIX_EPOCH + Duration::from_millis(5),
            code: "INTERNAL",
            is_error: true,
        };
        let made = span(call, InstrumentationScope::default());
        assert_eq!(made.name, "binnacle.v1.KpiService/GetKpi");
        assert_eq!(made.span_context.trace_id(), TraceId::from_bytes([1; 16]));
        assert_eq!(made.parent_span_id, SpanId::from_bytes([3; 8]));
        assert_eq!(made.status, Status::error("INTERNAL"));
        assert!(
            made.attributes
                .contains(&KeyValue::new("binnacle.request_id", "7"))
        );

        let made_up = EndedCall {
            method: None,
            called: "a/b",
            caller: None,
            code: "NOT_FOUND",
            is_error: false,
            ..call
        };
        let made = span(made_up, InstrumentationScope::default());
        assert_eq!(
            (made.name.as_ref(), made.parent_span_id, made.status),
            ("other", SpanId::INVALID, Status::Unset)
        );
        assert!(
            made.attributes
                .contains(&KeyValue::new("rpc.method_original", "a/b"))
        );
    }
}
