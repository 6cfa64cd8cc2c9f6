//! What becomes of audit records.

use super::families::Families;
use prometheus::{Gauge, IntCounter};

/// The handles of the audit.
#[derive(Debug, Clone)]
pub struct AuditMetrics {
    /// Records in the files.
    pub written: IntCounter,
    /// Records of exchanges that went on and are in no file.
    pub lost: IntCounter,
    /// Exchanges refused, and not recorded, because no file could be written.
    pub refused: IntCounter,
    /// Panics of the proxy, its writer's among them.
    pub panics: IntCounter,
    /// 1 while files can be written, or none are to be.
    pub healthy: Gauge,
}

impl AuditMetrics {
    pub(super) fn new(family: &Families, panics: &IntCounter) -> Self {
        let records = family.counters(
            "audit_records_total",
            "Audit records: written, lost (the exchange went on), refused (so was the exchange).",
            &["outcome"],
        );
        let outcome = |outcome| records.with_label_values(&[outcome]);
        let healthy = family.gauge("audit_healthy", "1 while audit files can be written, or none are configured; else 0.");
        healthy.set(1.0);
        Self { written: outcome("written"), lost: outcome("lost"), refused: outcome("refused"), panics: panics.clone(), healthy }
    }
}
