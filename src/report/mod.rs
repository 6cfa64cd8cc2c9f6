//! Evidence for a period: what audit files say, joined with what the policy documents, for whoever answers for data protection.
//!
//! `figures` adds up in the one pass in which the chain is verified; `evidence` joins; `html`, `json` and `csv` say the same figures.

pub mod chart;
pub mod csv;
pub mod evidence;
pub mod figures;
pub mod html;

pub use evidence::{Facts, Report};
pub use figures::{Figures, Period};
