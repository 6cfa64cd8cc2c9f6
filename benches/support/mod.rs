//! Messages to measure with; every value is made up.

pub mod adversarial;
pub mod protobuf;
pub mod telemetry;
