//! `/api/status`: what is in force and what it covers, as JSON.

use super::{Shown, readiness};
use crate::audit::sink;
use crate::destination::Destination;
use crate::error::Reason;
use crate::metrics::{Coverage, QuotaCounters, ServiceMetrics};
use crate::moment::{date, seconds};
use crate::policy::ServiceInfo;
use crate::proxy::Context;
use crate::proxy::interception::{Interception, OnRejection};
use crate::proxy::reached::Health;
use crate::quota::{Limit, Quota};
use crate::tls::reception::Reception;
use crate::upstream::parent::Member;
use serde_json::{Value, json};
use std::sync::Arc;

/// The whole document.
pub fn document(context: &Context, shown: &Shown) -> String {
    let engine = &context.engine;
    let policy = &engine.policy;
    let hindrance = readiness::hindrance(context);
    let services: Vec<Value> = engine.services().map(|(info, metrics)| service(info, metrics)).collect();
    let document = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "ready": hindrance.is_none(),
        "not_ready": hindrance,
        "policy": {
            "name": policy.name(),
            "hash": policy.hash(),
            "profile": policy.options().profile.label(),
            "mode": policy.options().mode.label(),
        },
        "configuration": shown.reloads.document(),
        "started": seconds(shown.started),
        "certificates": certificates(shown),
        "upstreams": context.reached.all().iter().map(upstream).collect::<Vec<_>>(),
        "interception": context.interception.as_ref().map(|interception| self::interception(interception, &policy.intercepted_hosts())),
        "audit": context.journal.audit().map(|audit| self::audit(&audit.health())),
        "quotas": context.quotas.iter().map(quota).collect::<Vec<_>>(),
        "parents": context.dialer.parents().map(parent).collect::<Vec<_>>(),
        "services": services,
    });
    format!("{document:#}\n")
}

fn interception(interception: &Interception, hosts: &[String]) -> Value {
    json!({
        "hosts": hosts,
        "ca": {
            "name": interception.authority.name,
            "fingerprint_sha256": interception.authority.fingerprint,
            "not_after": date(interception.authority.not_after),
        },
        "max_message_bytes": interception.max_message,
        "on_client_rejection": if interception.on_rejection == OnRejection::Fail { "fail" } else { "tunnel" },
        "clients_tunnelled_after_rejection": interception.fallbacks.count(),
    })
}

fn audit(health: &sink::Health) -> Value {
    let [written, lost, refused] = health.counts;
    json!({
        "healthy": health.is_healthy,
        "on_failure": health.on_failure.label(),
        "path": health.folder.display().to_string(),
        "file": health.position.file,
        "seq": health.position.seq,
        "hash": health.position.hash,
        "key_fingerprint_sha256": health.fingerprint,
        "waiting": health.waiting,
        "written": written,
        "lost": lost,
        "refused": refused,
    })
}

/// Of this process alone.
fn quota(quota: &Quota) -> Value {
    let limit = |(limit, counters): (Limit, &QuotaCounters)| {
        json!({
            "limit": limit.label(),
            "passed": counters.passed.get(),
            "refused": counters.refused.get(),
            "slowed": counters.slowed.get(),
        })
    };
    let config = &quota.config;
    json!({
        "name": config.name,
        "clients": config.clients.as_ref().map(|clients| clients.iter().map(ToString::to_string).collect::<Vec<_>>()),
        "service": config.service,
        "each_client": config.each_client,
        "limits": quota.limits().map(limit).collect::<Vec<_>>(),
    })
}

/// Of listener.tls; the interception CA's is with interception.
fn certificates(shown: &Shown) -> Vec<Value> {
    let receptions = shown.receptions.load();
    let expiry = |reception: &Arc<Reception>| json!({ "of": "listener.tls", "not_after": reception.not_after().map(date) });
    receptions.iter().map(expiry).collect()
}

fn upstream((destination, health): &(Destination, Health)) -> Value {
    json!({
        "destination": destination.to_string(),
        "up": health.is_up(),
        "reached": health.ok,
        "failed": health.failed,
        "last_reached": health.last_ok.map(|(when, _)| seconds(when)),
        "milliseconds": health.last_ok.map(|(_, took)| took.as_secs_f64() * 1_000.0),
        "last_failure": health.last_failure.map(|(when, reason)| json!({ "at": seconds(when), "reason": reason.label() })),
    })
}

fn parent(member: &Member) -> Value {
    json!({ "parent": member.parent().shown(), "up": member.is_up() })
}

/// Coverage is the number that says how much of a service was seen at all.
fn service(info: &ServiceInfo, metrics: &ServiceMetrics) -> Value {
    json!({
        "id": &*info.id,
        "title": info.title,
        "personal_data": info.personal_data.label(),
        "treatment": info.treatment.label(),
        "tunnels": metrics.open_tunnels(),
        "coverage": {
            "inspected": metrics.coverage(Coverage::Inspected),
            "tunnelled": metrics.coverage(Coverage::Tunnelled),
            "uninspectable": metrics.coverage(Coverage::Uninspectable),
        },
        "client_rejections": metrics.denials(Reason::ClientRejectedCertificate),
        "personal_data_refused": metrics.denials(Reason::PersonalData),
        "allowed": metrics.allowances(),
        "refused": metrics.all_denials(),
        "would_refuse": metrics.all_would_denials(),
        "bytes_up": metrics.bytes_up.get(),
        "bytes_down": metrics.bytes_down.get(),
    })
}
