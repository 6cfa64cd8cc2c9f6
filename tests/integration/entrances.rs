//! Every way in: TLS to the proxy, HTTP/2, a balancer in front, raw TLS. The same decision, record and answer behind each of them.

mod balancer;
mod raw;
mod streams;
mod tls;
