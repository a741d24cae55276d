use super::*;

fn expression(text: &str, zone: &str) -> Expression {
    Expression::read(text, zone).unwrap_or_else(|errors| panic!("{text} {zone}: {errors:?}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn fires(text: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let (expression, mut last) = (expression(text, zone), at(after));
    (0..count)
        .map_while(|_| {
            let fire = expression.next(at("2026-01-01T00:00:00Z"), last)?;
            last = fire.at;
            Some(fire.at.to_string())
        })
        .collect()
}

#[test]
fn a_time_that_the_clocks_skip_fires_when_they_go_on() {
    for (after, day, on) in [
        (
            "2026-03-27T12:00:00Z",
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:00:00Z",
        ),
        (
            "2027-03-26T12:00:00Z",
            "2027-03-27T01:30:00Z",
            "2027-03-28T01:00:00Z",
        ),
    ] {
        assert_eq!(fires("cron(30 2 * * ? *)", "Europe/Oslo", after, 2), [day, on]);
    }
    let expression = expression("cron(30 2 * * ? *)", "Europe/Oslo");
    let fire = expression
        .next(Timestamp::UNIX_EPOCH, at("2026-03-28T12:00:00Z"))
        .unwrap();
    assert_eq!(fire.local, "Sun 2026-03-29 03:00 CEST");
    assert!(fire.note.unwrap().contains("skip"));
    let next = expression.next(Timestamp::UNIX_EPOCH, fire.at).unwrap();
    assert_eq!((next.at, next.note), (at("2026-03-30T00:30:00Z"), None));
}

#[test]
fn a_time_that_the_clocks_show_twice_fires_once() {
    for (after, twice, next) in [
        (
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z",
        ),
        (
            "2027-10-30T12:00:00Z",
            "2027-10-31T00:30:00Z",
            "2027-11-01T01:30:00Z",
        ),
    ] {
        assert_eq!(
            fires("cron(30 2 * * ? *)", "Europe/Oslo", after, 2),
            [twice, next]
        );
        let stepped = fires("cron(30 2/12 * * ? *)", "Europe/Oslo", after, 3);
        assert_eq!(stepped, fires("cron(30 2,14 * * ? *)", "Europe/Oslo", after, 3));
        let among_others = fires("cron(30 2,14 * * ? *)", "Europe/Oslo", after, 3);
        assert_eq!(
            among_others.iter().filter(|fire| *fire == twice).count(),
            1,
            "{among_others:?}"
        );
        assert!(
            among_others.iter().all(|fire| !fire.contains("T01:30")),
            "{among_others:?}"
        );
    }
}

#[test]
fn what_fires_every_hour_goes_by_the_instants() {
    let spring = fires("cron(0 * * * ? *)", "Europe/Oslo", "2026-03-29T00:30:00Z", 3);
    assert_eq!(
        spring,
        [
            "2026-03-29T01:00:00Z",
            "2026-03-29T02:00:00Z",
            "2026-03-29T03:00:00Z"
        ]
    );
    let autumn = fires("cron(0 * * * ? *)", "Europe/Oslo", "2026-10-24T23:30:00Z", 3);
    assert_eq!(
        autumn,
        [
            "2026-10-25T00:00:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T02:00:00Z"
        ]
    );
}

#[test]
fn a_rate_counts_from_its_beginning_whatever_the_clocks_do() {
    let days = fires("rate(1 day)", "Europe/Oslo", "2026-03-27T12:00:00Z", 3);
    assert_eq!(
        days,
        [
            "2026-03-28T00:00:00Z",
            "2026-03-29T00:00:00Z",
            "2026-03-30T00:00:00Z"
        ]
    );
    let first = fires("rate(5 minutes)", "UTC", "2025-12-31T12:00:00Z", 2);
    assert_eq!(first, ["2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"]);
}

#[test]
fn a_single_time_fires_once() {
    assert_eq!(
        fires("at(2099-12-31T23:59:59)", "UTC", "2026-01-01T00:00:00Z", 3),
        ["2099-12-31T23:59:59Z"]
    );
    assert_eq!(
        fires(
            "at(2028-02-29T12:00:00)",
            "Europe/Oslo",
            "2026-01-01T00:00:00Z",
            3
        ),
        ["2028-02-29T11:00:00Z"]
    );
    assert_eq!(
        fires("at(2026-01-01T00:00:00)", "UTC", "2026-01-01T00:00:00Z", 3),
        [""; 0]
    );
}

#[test]
fn the_signs_of_scheduler_mean_what_they_mean_there() {
    // The examples of Scheduler's own guide, and its count of weekdays: 1 is Sunday.
    let after = "2026-01-01T00:00:00Z";
    for (cron, first) in [
        ("cron(15 10 ? * 6L 2026-2027)", "2026-01-30T10:15:00Z"),
        ("cron(0 9 ? * 2#1 *)", "2026-01-05T09:00:00Z"),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-01T18:00:00Z"),
        ("cron(0 8 1 * ? *)", "2026-01-01T08:00:00Z"),
        ("cron(0 8 L * ? *)", "2026-01-31T08:00:00Z"),
        ("cron(0 8 3W * ? *)", "2026-01-02T08:00:00Z"),
        ("cron(0/15 * * * ? *)", "2026-01-01T00:15:00Z"),
        ("cron(0 8 ? * L *)", "2026-01-03T08:00:00Z"),
        ("cron(0 8 29 2 ? *)", "2028-02-29T08:00:00Z"),
        ("cron(0 8 ? * 1 *)", "2026-01-04T08:00:00Z"),
        ("cron(0 8 ? jan,JUL sun *)", "2026-01-04T08:00:00Z"),
    ] {
        assert_eq!(fires(cron, "UTC", after, 1), [first], "{cron}");
    }
}

#[test]
fn what_is_wrong_is_named_by_its_field() {
    for (text, named) in [
        ("", "must be cron("),
        ("nonsense", "must be cron("),
        ("cron()", "six fields"),
        ("cron(0 2 * * ?)", "six fields"),
        ("cron(0  2 * * ? *)", "six fields"),
        ("cron(60 2 * * ? *)", "minutes"),
        ("cron(0 25 * * ? *)", "hours"),
        ("cron(0 2 32 * ? *)", "day of month"),
        ("cron(0 2 * 13 ? *)", "month"),
        ("cron(0 2 ? * 8 *)", "day of week"),
        ("cron(0 2 ? * FOO *)", "day of week"),
        ("cron(0 2 * * ? 1969)", "year"),
        ("cron(0 2 * * ? 2200)", "year"),
        ("cron(0 2 * * * *)", "exactly one must be ?"),
        ("cron(0 2 ? * ? *)", "exactly one must be ?"),
        ("cron(0 2 31 2 ? *)", "never fires"),
        ("cron(@daily)", "six fields"),
        ("cron(a 2 * * ? *)", "minutes"),
        ("cron(/5 2 * * ? *)", "minutes"),
        ("rate(0 minutes)", "at least 1"),
        ("rate(1 minutes)", "whole number and a unit"),
        ("rate(2 minute)", "whole number and a unit"),
        ("rate(-1 minutes)", "whole number and a unit"),
        ("rate(1.5 hours)", "whole number and a unit"),
        ("rate(1 week)", "whole number and a unit"),
        ("rate(9999999999999999999 days)", "whole number and a unit"),
        ("rate(999999999999 days)", "at most a year"),
        ("at(2026-02-30T00:00:00)", "at(…) must be"),
        ("at(2026-02-28)", "at(…) must be"),
        ("at(2026-12-24T12:00+05)", "at(…) must be"),
        ("at(2026-12-24 12:00:00)", "at(…) must be"),
        ("at(2026-12-24t12:00:00)", "at(…) must be"),
        ("at(2026-12-24T12:00:60)", "at(…) must be"),
        ("at(9999-12-30T21:59:30)", "at(…) must be"),
        ("at(2026-02-28T00:00:00Z)", "at(…) must be"),
        (&format!("cron({} 2 * * ? *)", "1,".repeat(200)), "at most 256"),
    ] {
        let errors = Expression::read(text, "Europe/Oslo").expect_err(text);
        assert_eq!(errors[0].field, "expression", "{text}");
        assert!(errors[0].reason.contains(named), "{text}: {}", errors[0].reason);
    }
    for zone in [
        "",
        "Oslo",
        "europe/oslo",
        "Etc/Unknown",
        "Europe/Nowhere",
        "+01:00",
        "../etc",
        &"x".repeat(60),
    ] {
        let errors = Expression::read("rate(1 hour)", zone).expect_err(zone);
        assert_eq!(errors[0].field, "zone", "{zone}");
    }
    assert_eq!(Expression::read("x", "y").unwrap_err().len(), 2);
}

#[test]
fn it_is_read_out_in_words() {
    let words = expression("cron(30 2 * * ? *)", "Europe/Oslo").reading();
    assert!(
        words.contains("02:30") && words.contains("Europe/Oslo"),
        "{words}"
    );
    assert_eq!(
        expression("rate(90 minutes)", "UTC").reading(),
        "Every 90 minutes, whatever the clocks show."
    );
    assert_eq!(
        expression("rate(1 hour)", "UTC").reading(),
        "Every 1 hour, whatever the clocks show."
    );
}

#[test]
fn those_that_were_missed_are_counted() {
    let hourly = expression("cron(0 * * * ? *)", "UTC");
    let latest = |after: &str, until: &str| hourly.latest(Timestamp::UNIX_EPOCH, at(after), at(until));
    let three = latest("2026-01-01T00:00:00Z", "2026-01-01T03:59:00Z");
    assert_eq!(three, Some((at("2026-01-01T03:00:00Z"), 3)));
    assert_eq!(latest("2026-01-01T00:00:00Z", "2026-01-01T00:59:59Z"), None);
}

/// Random fields of cron, as both this module and another library write them.
fn random_cron(dice: &mut fastrand::Rng) -> (String, String) {
    let range = |dice: &mut fastrand::Rng, least: u32, most: u32| match dice.u32(0..6) {
        0 => "*".to_owned(),
        1 => format!("{}-{}", least + (most - least) / 4, least + (most - least) / 2),
        2 => format!("*/{}", dice.u32(2..=(most - least).min(20))),
        3 => format!("{},{}", dice.u32(least..=most), dice.u32(least..=most)),
        _ => dice.u32(least..=most).to_string(),
    };
    let (minutes, hours) = (range(dice, 0, 59), range(dice, 0, 23));
    let month = if dice.bool() {
        "*".to_owned()
    } else {
        range(dice, 1, 12)
    };
    let days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
    let (day, weekday) = match dice.u32(0..3) {
        0 => (range(dice, 1, 28), "?".to_owned()),
        1 => ("?".to_owned(), days[dice.usize(0..7)].to_owned()),
        _ => (
            "?".to_owned(),
            format!("{}#{}", days[dice.usize(0..7)], dice.u32(1..=4)),
        ),
    };
    let plain = |field: &str| {
        if field == "?" {
            "*".to_owned()
        } else {
            field.to_owned()
        }
    };
    (
        format!("cron({minutes} {hours} {day} {month} {weekday} *)"),
        format!("{minutes} {hours} {} {month} {}", plain(&day), plain(&weekday)),
    )
}

#[test]
fn a_hundred_thousand_random_expressions_fire_when_another_library_says_so() {
    // The other library does not end where the clocks change by half an hour.
    const ZONES: [&str; 5] = [
        "UTC",
        "Europe/Oslo",
        "America/New_York",
        "Asia/Kolkata",
        "Asia/Kathmandu",
    ];
    let seed = 5;
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut compared = 0;
    for _ in 0..100_000 {
        let (ours, theirs) = random_cron(&mut dice);
        let zone = ZONES[dice.usize(0..ZONES.len())];
        let after = Timestamp::from_second(1_767_225_600 + dice.i64(0..100_000_000)).unwrap();
        let expression = expression(&ours, zone);
        let next = expression.next(Timestamp::UNIX_EPOCH, after).unwrap();
        let other = cronexpr::parse_crontab(&format!("{theirs} {zone}")).unwrap();
        let other = other.find_next(&*after.to_string()).unwrap().timestamp();
        // Where the clocks change, every library has rules of its own: ours are tested by themselves.
        let changes = |at: Timestamp| {
            let zone = TimeZone::get(zone).unwrap();
            let near =
                |hours: i64| zone.to_offset(at.checked_add(SignedDuration::from_hours(hours)).unwrap());
            (-26..=26).any(|hours| near(hours) != near(0))
        };
        if !changes(next.at) && !changes(other) && !changes(after) {
            assert_eq!(next.at, other, "{ours} {zone} after {after}, seed {seed}");
            compared += 1;
        }
    }
    assert!(compared > 90_000, "{compared}");
}

#[test]
fn a_day_of_every_minute_and_a_year_of_every_hour_lose_no_fire_and_double_none_for_five_thousand_integrations()
 {
    let mut dice = fastrand::Rng::with_seed(11);
    let anchor = at("2026-03-28T12:00:00Z");
    let minutely = expression("rate(1 minute)", "Europe/Oslo");
    let calls = 24 * 60;
    for _ in 0..5_000 {
        let (mut last, mut seen) = (anchor, 0);
        for minute in 1..=calls {
            let now = anchor.checked_add(SignedDuration::from_mins(minute)).unwrap();
            // Some calls get lost, and some come twice.
            for _ in 0..[0, 1, 1, 1, 1, 1, 1, 2][dice.usize(0..8)] {
                if let Some((fire, count)) = minutely.latest(anchor, last, now) {
                    (last, seen) = (fire, seen + count);
                }
            }
        }
        let rest = minutely
            .latest(anchor, last, now_after(anchor, calls))
            .map_or(0, |(_, count)| count);
        assert_eq!(seen + rest, u64::try_from(calls).unwrap());
    }
    // There are six ways in which the hourly schedules of all integrations are moved.
    for minute in 0..6 {
        let hourly = expression(&format!("cron({minute} * * * ? *)"), "Europe/Oslo");
        let (begin, mut last, mut fires) = (at("2026-01-01T00:30:00Z"), at("2026-01-01T00:30:00Z"), 0);
        while let Some(fire) = hourly
            .instant(begin, last)
            .filter(|(fire, _)| *fire < at("2027-01-01T00:30:00Z"))
        {
            let step = fire.0.duration_since(last).as_secs();
            assert!(
                fires == 0 || step == 3_600,
                "{minute}: {} s before {}",
                step,
                fire.0
            );
            (last, fires) = (fire.0, fires + 1);
        }
        assert_eq!(fires, 365 * 24, "{minute}");
    }
}

fn now_after(anchor: Timestamp, minutes: i64) -> Timestamp {
    anchor.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}
