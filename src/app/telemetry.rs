//! Logs and metrics.

use augenmass_core::station::StationView;
use augenmass_core::verdict::Verdict;
use augenmass_core::weighing::Scale;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;

/// Writes logs to standard error, filtered by `RUST_LOG`; ONNX Runtime's own chatter only from warnings on.
pub fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,ort=warn"));
    // A second start (tests) keeps the first.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// The process's metrics, for `/metrics`.
pub fn metrics_page() -> Option<&'static PrometheusHandle> {
    static PAGE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    PAGE.get_or_init(|| match PrometheusBuilder::new().install_recorder() {
        Ok(handle) => Some(handle),
        Err(error) => {
            tracing::warn!(%error, "no metrics");
            None
        }
    })
    .as_ref()
}

/// A verdict was told.
pub fn told(verdict: &Verdict) {
    counter!("augenmass_verdicts_total", "outcome" => verdict.outcome.as_str()).increment(1);
    histogram!("augenmass_time_to_verdict_seconds").record(verdict.elapsed_ms as f64 / 1000.0);
}

/// The station as of now.
pub fn station(view: &StationView, scale: &Scale) {
    for sense in &view.senses {
        gauge!("augenmass_sense_ok", "sense" => sense.name).set(f64::from(u8::from(sense.ok)));
    }
    gauge!("augenmass_open_validations").set(view.open as f64);
    gauge!("augenmass_zero_shift_grams").set(scale.zero_shift_g());
    gauge!("augenmass_twist_grams").set(scale.twist_g());
    let link = scale.counters();
    counter!("augenmass_scale_samples_total").absolute(link.samples);
    counter!("augenmass_scale_damaged_frames_total").absolute(link.damaged);
    counter!("augenmass_scale_missing_frames_total").absolute(link.missing);
    counter!("augenmass_scale_duplicate_frames_total").absolute(link.duplicates);
    counter!("augenmass_scale_reboots_total").absolute(link.reboots);
}
