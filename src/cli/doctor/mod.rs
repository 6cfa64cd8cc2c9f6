//! `doctor`: why it does not work, or that it does: one line a check, each with what to do.
//!
//! What is said of an endpoint is what the proxy would do: the same policy decides, the same dialler connects, directly or by way of a
//! parent. Checks run beside one another, each within the proxy's own deadlines, and are printed in one order.

mod clock;
mod endpoint;
mod files;
mod http;
mod line;
mod machine;
mod parent;
mod policy;
mod running;
mod targets;

use super::{NO, OK, failed, print, run};
use crate::app;
use crate::config::Config;
use crate::destination::{Destination, Malformed};
use crate::metrics::Metrics;
use crate::upstream::examine::Examiner;
use endpoint::{Found, Tools};
use futures_util::StreamExt as _;
use futures_util::stream;
use line::{Area, Line, Report};
use std::path::Path;
use std::time::SystemTime;

/// Endpoints looked at side by side.
const ABREAST: usize = 16;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// More endpoints to look at, as `tenant.imagicle.cloud:1636`, beside those that policy and configuration name exactly.
    #[arg(value_name = "HOST:PORT", value_parser = read)]
    endpoints: Vec<Destination>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

fn read(text: &str) -> Result<Destination, Malformed> {
    Destination::from_authority(text.as_bytes())
}

/// Runs all checks.
#[must_use]
pub fn main(config: Option<&Path>, arguments: &Arguments) -> u8 {
    let runtime = match run::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(format_args!("the runtime does not start: {error}")),
    };
    let lines = match Config::load(config) {
        Ok(config) => runtime.block_on(examine(&config, &arguments.endpoints)),
        Err(wrong) => vec![Line::fail(Area::Policy, wrong.place, "").sentence(&wrong.message, "`ucx-egress check` says the same")],
    };
    let report = Report::new(lines);
    if arguments.json {
        match serde_json::to_string_pretty(&report) {
            Ok(json) => print(&(json + "\n")),
            Err(error) => return failed(error),
        }
    } else {
        print(&report.text());
    }
    if report.ok { OK } else { NO }
}

async fn examine(config: &Config, wished: &[Destination]) -> Vec<Line> {
    let targets = targets::find(config, wished);
    let (running, (endpoints, failure)) = tokio::join!(running::look(config), endpoints(config, &targets.found));
    let mut lines = policy::lines(config, SystemTime::now());
    lines.extend(files::lines(config));
    lines.extend(machine::lines(config, &running));
    lines.extend(running.line);
    let attempts: Vec<_> = endpoints.iter().flat_map(|found| &found.attempts).cloned().collect();
    lines.extend(parent::lines(config, &attempts));
    lines.extend(failure);
    let skew = endpoints.iter().find_map(|found| found.skew);
    lines.extend(endpoints.into_iter().flat_map(|found| found.lines));
    lines.extend(targets.left_out);
    lines.push(clock::line(skew));
    lines
}

/// All endpoints, in their order; or what keeps them all from being looked at.
async fn endpoints(config: &Config, targets: &[targets::Target]) -> (Vec<Found>, Option<Line>) {
    let metrics = Metrics::new();
    let dialer = match app::dialer(config, machine::own(config), &metrics, None) {
        Ok(dialer) => dialer,
        Err(problem) => return (Vec::new(), Some(Line::fail(Area::Dns, "the way out", "").sentence(&problem, "see `check`"))),
    };
    let examiner = match Examiner::new(&config.ca_files) {
        Ok(examiner) => examiner,
        Err(problem) => {
            return (Vec::new(), Some(Line::fail(Area::Tls, "root certificates", "").sentence(&problem, "mend upstream.ca_files")));
        }
    };
    let tools = Tools { config, dialer: &dialer, examiner: &examiner, name_servers: config.name_servers.shown() };
    let found = stream::iter(targets).map(|target| endpoint::examine(&tools, target)).buffered(ABREAST).collect().await;
    (found, None)
}
