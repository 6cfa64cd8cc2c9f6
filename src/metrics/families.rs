//! Makes metric families under the product's prefix.

use prometheus::core::{Collector, MetricVec, MetricVecBuilder};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};
use std::collections::HashMap;

/// Makes families under the product's prefix and registers them.
#[derive(Debug)]
pub(super) struct Families(pub(super) Registry);

impl Families {
    fn register<C: Collector + Clone + 'static>(&self, collector: &C) {
        self.0.register(Box::new(collector.clone())).expect("metric names are constants, each used once");
    }

    fn made<C: Collector + Clone + 'static>(&self, collector: prometheus::Result<C>) -> C {
        let collector = collector.expect("metric names and labels are constants in the accepted form");
        self.register(&collector);
        collector
    }

    pub(super) fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.made(IntCounterVec::new(opts(name, help), labels))
    }

    pub(super) fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.made(IntCounter::with_opts(opts(name, help)))
    }

    pub(super) fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.made(IntGaugeVec::new(opts(name, help), labels))
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> Gauge {
        self.made(Gauge::with_opts(opts(name, help)))
    }

    pub(super) fn histograms(&self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
        let options = HistogramOpts::from(opts(name, help)).buckets(buckets.to_vec());
        self.made(HistogramVec::new(options, labels))
    }
}

/// Removes the series of a family of which `stays` says no, given the value of one label and, of a gauge, its own.
pub(super) fn retain<T: MetricVecBuilder>(family: &MetricVec<T>, label: &str, stays: impl Fn(&str, f64) -> bool) {
    for metric in family.collect().iter().flat_map(MetricFamily::get_metric) {
        let labels: HashMap<&str, &str> = metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
        if !stays(labels.get(label).copied().unwrap_or_default(), metric.get_gauge().get_value()) {
            // Somebody else may have removed it just now.
            let _ = family.remove(&labels);
        }
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("ucx_egress")
}
