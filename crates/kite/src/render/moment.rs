//! Moments and spans of time, in words.

use jiff::{Timestamp, tz::TimeZone};

/// How long ago `at` (RFC 3339) was, such as `40 s ago`; `at` itself where it cannot be read.
#[must_use]
pub(crate) fn ago(at: &str, now: Timestamp) -> String {
    match at.parse::<Timestamp>() {
        Ok(moment) => match now.as_second() - moment.as_second() {
            ..2 => "just now".to_owned(),
            seconds => format!("{} ago", span(seconds)),
        },
        Err(_) => at.to_owned(),
    }
}

/// How long until `at`, such as `in 29 min`.
#[must_use]
pub(crate) fn until(at: &str, now: Timestamp) -> String {
    match at.parse::<Timestamp>() {
        Ok(moment) => match moment.as_second() - now.as_second() {
            ..1 => "now".to_owned(),
            seconds => format!("in {}", span(seconds)),
        },
        Err(_) => at.to_owned(),
    }
}

/// The local time of day, such as `14:02:11`; `at` itself where it cannot be read.
#[must_use]
pub(crate) fn clock(at: &str) -> String {
    match at.parse::<Timestamp>() {
        Ok(moment) => moment
            .to_zoned(TimeZone::system())
            .strftime("%H:%M:%S")
            .to_string(),
        Err(_) => at.to_owned(),
    }
}

/// Seconds in the largest unit that says enough: `40 s`, `5 min`, `3 h`, `2 days`.
#[must_use]
pub(crate) fn span(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => match (seconds / 3_600, seconds % 3_600 / 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
        86_400..172_800 => "1 day".to_owned(),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Reads a span as people type it: `30s`, `10m`, `2h`, `1d`, or plain seconds.
pub(crate) fn parse_span(text: &str) -> Result<std::time::Duration, String> {
    const DAYS_MAX: u64 = 3_650;
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_s = match unit.trim() {
        "" | "s" | "sec" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => {
            return Err(
                "a number with s, m, h or d is expected, such as 30s, 10m, 2h or 1d".to_owned(),
            );
        }
    };
    number
        .parse::<u64>()
        .map_err(|_| {
            "a number with s, m, h or d is expected, such as 30s, 10m, 2h or 1d".to_owned()
        })?
        .checked_mul(unit_s)
        .filter(|seconds| *seconds <= DAYS_MAX * 86_400)
        .map(std::time::Duration::from_secs)
        .ok_or_else(|| format!("at most {DAYS_MAX}d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_say_them() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!(ago("2026-11-22T11:59:20Z", now), "40 s ago");
        assert_eq!(ago("2026-11-22T13:55:00+02:00", now), "5 min ago");
        assert_eq!(ago("2026-11-22T12:00:00Z", now), "just now");
        assert_eq!(until("2026-11-22T12:29:59Z", now), "in 29 min");
        assert_eq!(ago("yesterday", now), "yesterday");
        assert_eq!(span(5_400), "1 h 30 min");
    }

    #[test]
    fn spans_are_read_with_their_unit() {
        assert_eq!(parse_span("10m").unwrap().as_secs(), 600);
        assert_eq!(parse_span("45").unwrap().as_secs(), 45);
        for bad in ["", "m", "10 weeks", "-1s", "99999999999999999999d", "4000d"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
    }
}
