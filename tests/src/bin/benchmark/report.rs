//! What is printed.

use std::fmt::Display;
use std::time::Duration;

/// What was measured of one contender, in order of size.
#[derive(Debug, Clone)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn new(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        Self(samples)
    }

    pub(crate) fn of_times(times: &[Duration]) -> Self {
        Self::new(times.iter().map(Duration::as_secs_f64).collect())
    }

    /// Returns the one in the middle; of an even number the mean of the two.
    pub(crate) fn median(&self) -> f64 {
        let (below, above) = ((self.0.len() - 1) / 2, self.0.len() / 2);
        f64::midpoint(self.0[below], self.0[above])
    }

    /// Returns the one that so great a share is not above.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let place = (share * self.0.len() as f64).ceil() as usize;
        self.0[place.clamp(1, self.0.len()) - 1]
    }

    fn row(&self, name: &str, unit: Unit) -> String {
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        let Unit {
            scale,
            digits,
            name: unit,
        } = unit;
        let shown = |value: f64| format!("{:.digits$}", value * scale);
        let (median, least, most) = (shown(self.median()), shown(least), shown(most));
        format!(
            "  {name:<42}{median:>9} {unit:<3} {least:>8} – {most:<8} {:>3} runs",
            self.0.len()
        )
    }
}

/// How a number is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    scale: f64,
    digits: usize,
    name: &'static str,
}

pub(crate) const SECONDS: Unit = Unit {
    scale: 1.0,
    digits: 3,
    name: "s",
};
pub(crate) const MILLISECONDS: Unit = Unit {
    scale: 1e3,
    digits: 2,
    name: "ms",
};
pub(crate) const RATIO: Unit = Unit {
    scale: 1.0,
    digits: 2,
    name: "",
};
pub(crate) const MEGABYTES: Unit = Unit {
    scale: 1.0 / (1024.0 * 1024.0),
    digits: 1,
    name: "MB",
};

#[expect(clippy::print_stdout, reason = "this is what it is for")]
pub(crate) fn line(line: impl Display) {
    println!("{line}");
}

pub(crate) fn title(title: impl Display) {
    line(format!("\n{title}"));
    let (contender, median, spread) = ("", "median", "least – most");
    line(format!("  {contender:<42}{median:>9}     {spread:>17}"));
}

pub(crate) fn samples(name: &str, samples: &Samples, unit: Unit) {
    line(samples.row(name, unit));
}

/// Prints one number.
pub(crate) fn number(name: &str, number: f64, unit: Unit) {
    let Unit {
        scale,
        digits,
        name: unit,
    } = unit;
    line(format!("  {name:<42}{:>9.digits$} {unit}", number * scale));
}

/// Prints a measured number beside the most that it may be.
pub(crate) fn goal(name: &str, measured: f64, most: f64) {
    let verdict = if measured <= most { "met" } else { "MISSED" };
    line(format!(
        "  {name:<42}{measured:>9.2}     goal: at most {most}: {verdict}"
    ));
}

/// Says what the numbers were measured on, as they mean nothing without it.
pub(crate) fn machine() {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let model = model
        .and_then(|line| line.split(": ").nth(1))
        .unwrap_or("unknown");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    line(format!(
        "{processors} processors ({model}), load {load} at the start"
    ));
}
