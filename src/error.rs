//! Why an exchange was refused: the one table from reason to status, side, gRPC code, `Proxy-Status` token and title.
//!
//! A [`Reason`] is a closed list: it is the label in metrics, the word in the answer's body, in the log and in the audit.
//! A [`Refusal`] is a reason with the sentence for the person who reads it and the rule that decided.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Whose doing it was: what a person should look at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client sent something that cannot be served.
    Client,
    /// The policy says no.
    Policy,
    /// The cloud, or the way to it, failed.
    Upstream,
    /// This proxy is the limit.
    Proxy,
}

/// One row of the table behind [`Reason`].
struct Row {
    label: &'static str,
    status: u16,
    side: Side,
    /// gRPC status code (<https://grpc.io/docs/guides/status-codes/>).
    grpc: u8,
    /// Error type of RFC 9209 section 2.3.
    proxy_status: &'static str,
    title: &'static str,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident: $label:literal $status:literal $side:ident $grpc:literal $token:literal $title:literal;)*) => {
        /// Why an exchange was refused. The closed list of the contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason, in the order of its discriminant.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            const fn row(self) -> Row {
                match self {
                    $(Self::$name => Row {
                        label: $label, status: $status, side: Side::$side, grpc: $grpc, proxy_status: $token, title: $title,
                    },)*
                }
            }
        }
    };
}

reasons! {
    /// The client's address is not in `clients.allow`.
    ClientNotAllowed: "client_not_allowed" 403 Policy 7 "http_request_denied" "this client may not use the proxy";
    /// Proxy credentials are missing or wrong.
    ProxyAuthRequired: "proxy_auth_required" 407 Client 16 "http_request_denied" "proxy credentials are needed";
    /// The method is not one this proxy forwards.
    MethodNotAllowed: "method_not_allowed" 405 Client 7 "http_request_denied" "the method is not forwarded";
    /// The request is malformed, too large or too slow.
    BadRequest: "bad_request" 400 Client 3 "http_request_error" "the request is malformed";
    /// No rule of the policy names the host.
    HostNotAllowed: "host_not_allowed" 403 Policy 7 "http_request_denied" "the host is not on the allow list";
    /// The host is allowed, the port is not.
    PortNotAllowed: "port_not_allowed" 403 Policy 7 "http_request_denied" "the host is allowed, the port is not";
    /// The destination is an address where only names are allowed.
    IpLiteral: "ip_literal" 403 Policy 7 "http_request_denied" "the destination is an address, only names are allowed";
    /// The name resolves to addresses that must not be reached.
    AddressNotAllowed: "address_not_allowed" 403 Policy 7 "destination_ip_prohibited" "the host resolves to an address that is not public";
    /// The connection would come back to this proxy.
    LoopDetected: "loop_detected" 403 Policy 7 "proxy_loop_detected" "the destination is this proxy";
    /// The client spoke something else than TLS where TLS is documented.
    NotTls: "not_tls" 403 Client 7 "http_request_denied" "the tunnel does not carry TLS";
    /// The ClientHello names no server.
    SniMissing: "sni_missing" 403 Client 7 "http_request_denied" "the ClientHello names no server";
    /// The ClientHello names another server than the destination.
    SniMismatch: "sni_mismatch" 403 Client 7 "http_request_denied" "the ClientHello names another server";
    /// The real server name is hidden and the visible one is another than the destination.
    EchRefused: "ech_refused" 403 Client 7 "http_request_denied" "the ClientHello hides the server name";
    /// The Host header or `:authority` names another server than the destination.
    AuthorityMismatch: "authority_mismatch" 421 Client 7 "http_request_denied" "the request names another host than its destination";
    /// Upgrades (WebSocket, h2c) cannot be inspected.
    UpgradeNotAllowed: "upgrade_not_allowed" 403 Client 7 "http_request_denied" "upgrades are not forwarded";
    /// The client does not trust the interception CA.
    ClientRejectedCertificate: "client_rejected_certificate" 403 Client 7 "tls_alert_received" "the client rejected the interception certificate";
    /// Personal data was found where the vendor promises none.
    PersonalData: "personal_data" 403 Policy 7 "http_request_denied" "the message carries personal data";
    /// A field outside the documented shape.
    UndocumentedField: "undocumented_field" 403 Policy 7 "http_request_denied" "the message carries an undocumented field";
    /// The payload cannot be read, so it cannot be cleared.
    Uninspectable: "uninspectable" 403 Policy 7 "http_request_denied" "the message cannot be inspected";
    /// The message is above the inspection limit.
    MessageTooLarge: "message_too_large" 413 Client 8 "http_request_error" "the message is too large to inspect";
    /// DNS gave no address.
    ResolveFailed: "resolve_failed" 502 Upstream 14 "dns_error" "the host does not resolve";
    /// No address accepted the connection.
    ConnectFailed: "connect_failed" 502 Upstream 14 "connection_refused" "the destination did not accept the connection";
    /// No address answered in time.
    ConnectTimeout: "connect_timeout" 504 Upstream 14 "connection_timeout" "the destination did not answer in time";
    /// The upstream's certificate or handshake is invalid.
    UpstreamTlsInvalid: "upstream_tls_invalid" 502 Upstream 14 "tls_certificate_error" "the upstream's TLS is invalid";
    /// The upstream broke off, or answered something that is not HTTP.
    UpstreamFailed: "upstream_failed" 502 Upstream 14 "http_protocol_error" "the upstream failed";
    /// Nothing moved for longer than the service's idle limit.
    IdleTimeout: "idle_timeout" 504 Upstream 4 "http_response_timeout" "nothing moved for too long";
    /// A reloaded policy no longer allows the destination.
    RevokedByReload: "revoked_by_reload" 403 Policy 7 "http_request_denied" "the policy no longer allows the destination";
    /// The client used up its quota.
    QuotaExceeded: "quota_exceeded" 429 Policy 8 "connection_limit_reached" "the quota is used up";
    /// This proxy is at one of its limits.
    Overloaded: "overloaded" 503 Proxy 14 "connection_limit_reached" "the proxy is at its limit";
    /// This proxy is stopping.
    ShuttingDown: "shutting_down" 503 Proxy 14 "proxy_internal_error" "the proxy is stopping";
}

impl Reason {
    /// The word in answers, logs, audit and metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        self.row().label
    }

    /// HTTP status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().status
    }

    /// Whose doing it was.
    #[must_use]
    pub const fn side(self) -> Side {
        self.row().side
    }

    /// gRPC status code of the answer.
    #[must_use]
    pub const fn grpc_code(self) -> u8 {
        self.row().grpc
    }

    /// Error type for the `Proxy-Status` header (RFC 9209 section 2.3).
    #[must_use]
    pub const fn proxy_status(self) -> &'static str {
        self.row().proxy_status
    }

    /// One line for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// Whether an exchange that was let through can be cut for this reason. What is found in a later message of a gRPC call is
    /// found in a call that was let through.
    #[must_use]
    pub const fn cuts(self) -> bool {
        matches!(
            self,
            Self::IdleTimeout
                | Self::UpstreamFailed
                | Self::RevokedByReload
                | Self::ShuttingDown
                | Self::PersonalData
                | Self::UndocumentedField
                | Self::Uninspectable
                | Self::MessageTooLarge
                | Self::BadRequest
                | Self::Overloaded
        )
    }

    /// Whether `mode = "observe"` lets the exchange pass and only records the refusal.
    ///
    /// What guards the proxy itself (client addresses, private addresses, loops, malformed requests, limits) is enforced in
    /// either mode: observing must not turn the proxy into a way into the customer's own network.
    #[must_use]
    pub const fn observable(self) -> bool {
        matches!(
            self,
            Self::HostNotAllowed
                | Self::PortNotAllowed
                | Self::IpLiteral
                | Self::NotTls
                | Self::SniMissing
                | Self::SniMismatch
                | Self::EchRefused
                | Self::AuthorityMismatch
                | Self::MethodNotAllowed
                | Self::UpgradeNotAllowed
                | Self::PersonalData
                | Self::UndocumentedField
                | Self::Uninspectable
                | Self::MessageTooLarge
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// The name of the rule that decided: `service/host:port` of the policy, or one of the built-in names.
///
/// A rule of the policy shares its name with every exchange it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleName {
    /// A rule that is part of the program.
    Builtin(&'static str),
    /// A rule of the policy in force.
    Policy(Arc<str>),
}

impl RuleName {
    /// What is not named is refused.
    pub const DEFAULT_DENY: Self = Self::Builtin("default-deny");
    /// The request itself is at fault, whatever the policy.
    pub const WELL_FORMED: Self = Self::Builtin("well-formed-requests");

    /// The name as shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Builtin(name) => name,
            Self::Policy(name) => name,
        }
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: the reason, the sentence for people, the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The closed-list reason.
    pub reason: Reason,
    /// What happened and what to do; never a payload value.
    pub detail: Cow<'static, str>,
    /// What decided.
    pub rule: RuleName,
    /// After which time it is worth trying again, where that is known.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal by a rule.
    pub fn new(reason: Reason, detail: impl Into<Cow<'static, str>>, rule: RuleName) -> Self {
        Self { reason, detail: detail.into(), rule, retry_after: None }
    }

    /// The same, to be tried again after that time.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// The request is malformed.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Reason::BadRequest, detail, RuleName::WELL_FORMED)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (rule {})", self.reason, self.detail, self.rule)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_reason_has_a_label_of_its_own() {
        let labels: HashSet<_> = Reason::ALL.iter().map(|reason| reason.label()).collect();
        assert_eq!(labels.len(), Reason::ALL.len());
        assert_eq!(Reason::ALL.len(), 30);
    }

    #[test]
    fn statuses_are_those_of_the_contract() {
        for (reason, status) in [
            (Reason::HostNotAllowed, 403),
            (Reason::ProxyAuthRequired, 407),
            (Reason::AuthorityMismatch, 421),
            (Reason::MessageTooLarge, 413),
            (Reason::QuotaExceeded, 429),
            (Reason::ResolveFailed, 502),
            (Reason::ConnectFailed, 502),
            (Reason::UpstreamTlsInvalid, 502),
            (Reason::ConnectTimeout, 504),
            (Reason::ShuttingDown, 503),
            (Reason::Overloaded, 503),
        ] {
            assert_eq!(reason.status(), status, "{reason}");
        }
    }

    #[test]
    fn observing_never_opens_the_customers_own_network() {
        for reason in [Reason::AddressNotAllowed, Reason::LoopDetected, Reason::ClientNotAllowed, Reason::BadRequest, Reason::Overloaded] {
            assert!(!reason.observable(), "{reason}");
        }
    }
}
