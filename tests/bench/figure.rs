//! A measured figure beside its target, and how figures are printed.

use serde::Serialize;

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// Nobody said; it is printed.
    Told,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// What came out.
    pub(crate) value: f64,
    /// Of what: `ms`, `MB`, `×` for a ratio.
    pub(crate) unit: &'static str,
    /// What it should be.
    pub(crate) target: Target,
    /// Whether it is.
    pub(crate) met: bool,
    /// The limit that was measured in the same run, and what else helps to read the figure.
    pub(crate) beside: String,
}

impl Figure {
    /// A figure, held against its target.
    pub(crate) fn new(
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        target: Target,
        beside: impl Into<String>,
    ) -> Self {
        let met = match target {
            Target::AtLeast(least) => value >= least,
            Target::AtMost(most) => value <= most,
            Target::Told => true,
        };
        Self { name: name.into(), value, unit, target, met, beside: beside.into() }
    }
}

/// The figures as a Markdown table, so that it can be pasted into docs/performance.md.
pub(crate) fn table(figures: &[Figure]) -> String {
    let mut lines = vec![
        "| measure | measured | target | met | beside it, in the same run |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(figures.iter().map(|figure| {
        let Figure { name, value, unit, target, met, beside } = figure;
        let target = match target {
            Target::AtLeast(least) => format!("≥{least} {unit}"),
            Target::AtMost(most) => format!("≤{most} {unit}"),
            Target::Told => "printed".to_owned(),
        };
        let met = match (figure.target, met) {
            (Target::Told, _) => "",
            (_, true) => "yes",
            (_, false) => "**no**",
        };
        format!("| {name} | {} {unit} | {target} | {met} | {beside} |", number(*value))
    }));
    lines.join("\n")
}

/// Three digits that count: `0.62`, `4.1`, `212`.
fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
