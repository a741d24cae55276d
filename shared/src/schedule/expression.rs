//! When a schedule fires: the expressions of EventBridge Scheduler, in a time zone.
//!
//! Source: Amazon EventBridge Scheduler User Guide, "Schedule types": cron with six fields, rate, and a single time.
//!
//! What the clocks do, we do not do as Scheduler does. A time that the clocks skip is a fire at the instant when they go
//! on; a time that they show twice is a fire once, the first time. A cron expression for every hour (`*` in its hours)
//! goes by the instants, and knows of neither.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use crate::model::FieldError;

const EXPRESSION: &str = "expression";
const ZONE: &str = "zone";

/// The longest period of a rate, in minutes: a year.
const LONGEST: i64 = 366 * 24 * 60;

/// How many fires are counted at a time; the rest is counted the next time.
const COUNTED: u64 = 10_000;

/// The last year that is taken.
const LAST_YEAR: i16 = 2199;

/// The fields of a cron expression, in their order: what each holds, and which signs it may have.
const FIELDS: [(&str, &str, &str); 6] = [
    ("minutes", "0 to 59", "0123456789,-*/"),
    ("hours", "0 to 23", "0123456789,-*/"),
    ("day of month", "1 to 31, L, or a day with W", "0123456789,-*/?LW"),
    (
        "month",
        "1 to 12 or JAN to DEC",
        "0123456789,-*/ABCDEFGHIJKLMNOPRSTUVY",
    ),
    (
        "day of week",
        "1 to 7 or SUN to SAT, with # or L",
        "0123456789,-*/?#ADEFHIMNORSTUWL",
    ),
    ("year", "1970 to 2199", "0123456789,-*/"),
];

/// An instant at which a schedule fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fire {
    /// When.
    pub at: Timestamp,
    /// What the clocks show then, with their zone.
    pub local: String,
    /// What the clocks do about it, if they do anything.
    pub note: Option<&'static str>,
}

/// An instant, and what the clocks do about it.
type Instant = (Timestamp, Option<&'static str>);

const TWICE: &str = "the clocks show this time twice; it fires the first time";
pub(super) const SKIPPED: &str = "the clocks skip this time; it fires when they go on";

/// When a schedule fires.
#[derive(Debug, Clone)]
pub struct Expression {
    kind: Kind,
    zone: TimeZone,
}

#[derive(Debug, Clone)]
enum Kind {
    /// At the times of a pattern, as the clocks show them; or by the instants.
    Cron { cron: Box<Cron>, by_instants: bool },
    /// Every so often.
    Rate(SignedDuration),
    /// Once.
    At(Timestamp),
}

impl Expression {
    /// Reads an expression and a zone.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, by field; nothing is repeated.
    pub fn read(text: &str, zone: &str) -> Result<Self, Vec<FieldError>> {
        let known = zone_of(zone);
        let for_kind = known.clone().unwrap_or(TimeZone::UTC);
        match (kind_of(text, &for_kind), known) {
            (Ok(kind), Ok(zone)) => Ok(Self { kind, zone }),
            (kind, zone) => Err(kind.err().into_iter().chain(zone.err()).collect()),
        }
    }

    /// Says whether it fires once and never again.
    #[must_use]
    pub const fn is_once(&self) -> bool {
        matches!(self.kind, Kind::At(_))
    }

    /// Returns the period, where it fires every so often.
    #[must_use]
    pub const fn period(&self) -> Option<SignedDuration> {
        match self.kind {
            Kind::Rate(period) => Some(period),
            _ => None,
        }
    }

    /// Returns the first fire after an instant; what fires every so often counts from `anchor`.
    #[must_use]
    pub fn next(&self, anchor: Timestamp, after: Timestamp) -> Option<Fire> {
        let (at, note) = self.instant(anchor, after)?;
        let local = self.shown(at);
        Some(Fire { at, local, note })
    }

    fn instant(&self, anchor: Timestamp, after: Timestamp) -> Option<Instant> {
        let plain = |at: Timestamp| (at, None);
        match &self.kind {
            Kind::At(at) => (*at > after).then(|| plain(*at)),
            Kind::Rate(period) => next_of(*period, anchor, after).map(plain),
            Kind::Cron { cron, by_instants } if *by_instants => {
                let next = cron.find_next_occurrence(&after.to_zoned(self.zone.clone()), false);
                next.ok().map(|next| plain(next.timestamp()))
            }
            Kind::Cron { cron, .. } => self.next_shown(cron, after),
        }
    }

    /// Returns the last fire after one instant and not after another, and how many there are between the two.
    #[must_use]
    pub fn latest(&self, anchor: Timestamp, after: Timestamp, until: Timestamp) -> Option<(Timestamp, u64)> {
        if let Kind::Rate(period) = self.kind {
            return latest_of(period, anchor, after, until);
        }
        let (mut found, mut count) = (None, 0);
        let mut next = self.instant(anchor, after);
        while let Some((at, _)) = next.filter(|(at, _)| *at <= until && count < COUNTED) {
            count += 1;
            next = self.instant(anchor, at);
            found = Some((at, count));
        }
        found
    }

    /// Finds the next time that the clocks show, or would show if they did not skip it.
    fn next_shown(&self, cron: &Cron, after: Timestamp) -> Option<Instant> {
        // The clocks may go back by some hours: begin before that.
        let mut shown = self
            .zone
            .to_datetime(after.checked_sub(SignedDuration::from_hours(4)).ok()?);
        loop {
            shown = cron.find_next_occurrence(&shown, false).ok()?;
            let instant = self.instant_of(shown)?;
            if instant.0 > after {
                return Some(instant);
            }
        }
    }

    fn instant_of(&self, shown: DateTime) -> Option<Instant> {
        match self.zone.to_ambiguous_zoned(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => Some((offset.to_timestamp(shown).ok()?, None)),
            AmbiguousOffset::Fold { before, .. } => Some((before.to_timestamp(shown).ok()?, Some(TWICE))),
            AmbiguousOffset::Gap { after, .. } => {
                // With the later offset the time lies before the clocks go on.
                let before = after.to_timestamp(shown).ok()?;
                let on = self.zone.following(before).next()?.timestamp();
                Some((on, Some(SKIPPED)))
            }
        }
    }

    /// Says what the clocks show at an instant.
    fn shown(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(self.zone.clone());
        zoned.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
    }

    /// Says in words when it fires.
    #[must_use]
    pub fn reading(&self) -> String {
        let zone = self.zone.iana_name().unwrap_or("UTC");
        match &self.kind {
            Kind::Cron { cron, .. } => format!("{}, by the clocks of {zone}", cron.describe()),
            Kind::Rate(period) => {
                let minutes = period.as_mins();
                let (count, unit) = match minutes {
                    _ if minutes % (24 * 60) == 0 => (minutes / (24 * 60), "day"),
                    _ if minutes % 60 == 0 => (minutes / 60, "hour"),
                    _ => (minutes, "minute"),
                };
                let plural = if count == 1 { "" } else { "s" };
                format!("Every {count} {unit}{plural}, whatever the clocks show.")
            }
            Kind::At(at) => format!("Once, {}.", self.shown(*at)),
        }
    }
}

fn zone_of(name: &str) -> Result<TimeZone, FieldError> {
    let refused = || FieldError::new(ZONE, "must be the IANA name of a time zone, such as Europe/Oslo");
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_+-/".contains(letter);
    if name.is_empty() || name.len() > 50 || !name.chars().all(plain) {
        return Err(refused());
    }
    // Others read names by their letters' case.
    let zone = TimeZone::get(name).map_err(|_| refused())?;
    let known = zone.iana_name() == Some(name) && name != "Etc/Unknown";
    if known { Ok(zone) } else { Err(refused()) }
}

fn kind_of(text: &str, zone: &TimeZone) -> Result<Kind, FieldError> {
    let refuse = |reason: String| FieldError::new(EXPRESSION, reason);
    let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if text.len() > 256 {
        return Err(refuse("must have at most 256 characters".to_owned()));
    }
    if let Some(fields) = inner("cron") {
        return cron_of(fields).map_err(refuse);
    }
    if let Some(rate) = inner("rate") {
        return rate_of(rate).map_err(refuse);
    }
    if let Some(at) = inner("at") {
        return at_of(at, zone).map_err(refuse);
    }
    Err(refuse(
        "must be cron(minutes hours day-of-month month day-of-week year), rate(number unit) or at(yyyy-mm-ddThh:mm:ss)"
            .to_owned(),
    ))
}

fn cron_of(text: &str) -> Result<Kind, String> {
    let upper = text.to_ascii_uppercase();
    let fields: Vec<&str> = upper.split(' ').collect();
    let Ok(fields) = <[&str; 6]>::try_from(fields) else {
        return Err("cron(…) must have six fields with one space between: minutes, hours, day of month, month, day of week, year".to_owned());
    };
    for (position, ((name, rule, signs), field)) in FIELDS.iter().zip(fields).enumerate() {
        let known = !field.is_empty() && field.chars().all(|sign| signs.contains(sign));
        if !known || !is_sound(position, field) {
            return Err(format!(
                "the {name} of cron(…) must be {rule}, or *, with , - and / between"
            ));
        }
    }
    if (fields[2] == "?") == (fields[4] == "?") {
        return Err("of day of month and day of week exactly one must be ?".to_owned());
    }
    let cron = parsed(fields).ok_or_else(|| "cron(…) cannot be read".to_owned())?;
    let by_instants = ["*", "*/1", "0/1"].contains(&fields[1]);
    // A day that no month has, or a year that is over.
    let begin = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    if cron.find_next_occurrence(&begin, true).is_err() {
        return Err("cron(…) never fires".to_owned());
    }
    Ok(Kind::Cron {
        cron: Box::new(cron),
        by_instants,
    })
}

/// Says whether a field alone can be read, and holds years that Scheduler knows.
fn is_sound(position: usize, field: &str) -> bool {
    let mut alone = ["*", "*", "*", "*", "?", "*"];
    if position == 4 {
        alone[2] = "?";
    }
    alone[position] = field;
    let years = || {
        field
            .split([',', '-', '/'])
            .filter_map(|year| year.parse::<u16>().ok())
    };
    let in_range = position != 5 || years().all(|year| (1970..=2199).contains(&year) || year < 230);
    let begins = field.split(',').all(|part| !part.starts_with('/'));
    in_range && begins && parsed(alone).is_some()
}

fn parsed(fields: [&str; 6]) -> Option<Cron> {
    let [minutes, hours, day, month, weekday, year] = fields;
    // The last day of the week is Saturday.
    let weekday = if weekday == "L" { "7" } else { weekday };
    let any = |field: &str| {
        if field == "?" {
            "*".to_owned()
        } else {
            field.to_owned()
        }
    };
    let pattern = format!("0 {minutes} {hours} {} {month} {} {year}", any(day), any(weekday));
    let parser = CronParser::builder()
        .seconds(Seconds::Required)
        .year(Year::Required)
        .alternative_weekdays(true)
        // Scheduler knows 0/15: from 0 on, each 15.
        .sloppy_ranges(true)
        .build();
    parser.parse(&pattern).ok()
}

fn rate_of(text: &str) -> Result<Kind, String> {
    let rule = || {
        "rate(…) must be a whole number and a unit: rate(1 hour), rate(5 minutes), rate(2 days)".to_owned()
    };
    let (count, unit) = text.split_once(' ').ok_or_else(rule)?;
    let plain = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let count: i64 = count.parse().ok().filter(|_| plain).ok_or_else(rule)?;
    let minutes = match (unit, count) {
        (_, 0) => return Err("rate(…) must be at least 1".to_owned()),
        ("minute", 1) | ("minutes", 2..) => 1,
        ("hour", 1) | ("hours", 2..) => 60,
        ("day", 1) | ("days", 2..) => 24 * 60,
        _ => return Err(rule()),
    };
    let minutes = count.checked_mul(minutes).filter(|minutes| *minutes <= LONGEST);
    let minutes = minutes.ok_or_else(|| "rate(…) must be at most a year".to_owned())?;
    Ok(Kind::Rate(SignedDuration::from_mins(minutes)))
}

fn at_of(text: &str, zone: &TimeZone) -> Result<Kind, String> {
    let rule = || "at(…) must be a time as yyyy-mm-ddThh:mm:ss, without an offset".to_owned();
    let shown: DateTime = text.parse().map_err(|_| rule())?;
    if shown.strftime("%Y-%m-%dT%H:%M:%S").to_string() != text || shown.year() > LAST_YEAR {
        return Err(rule());
    }
    let at = zone.to_ambiguous_zoned(shown).compatible().map_err(|_| rule())?;
    Ok(Kind::At(at.timestamp()))
}

fn latest_of(
    period: SignedDuration,
    anchor: Timestamp,
    after: Timestamp,
    until: Timestamp,
) -> Option<(Timestamp, u64)> {
    let first = next_of(period, anchor, after).filter(|first| *first <= until)?;
    let more = until.duration_since(first).as_secs() / period.as_secs();
    let last = SignedDuration::from_secs(period.as_secs().checked_mul(more)?);
    Some((first.checked_add(last).ok()?, u64::try_from(more).ok()? + 1))
}

fn next_of(period: SignedDuration, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
    if after < anchor {
        return Some(anchor);
    }
    let passed = after.duration_since(anchor).as_secs() / period.as_secs();
    let seconds = period.as_secs().checked_mul(passed + 1)?;
    anchor.checked_add(SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
