//! Of days and hours.

use crate::moment::{Date, LocalTime};

use super::{TODAY, YESTERDAY};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// `14:02`.
pub(crate) fn time_of_day(time: LocalTime) -> String {
    format!("{:02}:{:02}", time.minute / 60, time.minute % 60)
}

/// `24 November 2026`.
pub(crate) fn date(time: LocalTime) -> String {
    let date = time.date();
    format!("{} {} {}", date.day, month(date), date.year)
}

/// A day separator, seen from `today` (both in days since 1970).
pub(crate) fn day_separator(day: i64, today: i64) -> String {
    let date = Date::of_day(day);
    match today - day {
        0 => TODAY.to_owned(),
        1 => YESTERDAY.to_owned(),
        2..=6 => weekday(date).to_owned(),
        _ if date.year == Date::of_day(today).year => format!("{} {}", date.day, month(date)),
        _ => format!("{} {} {}", date.day, month(date), date.year),
    }
}

/// The time of the newest message in the list of chats, seen from `now`.
pub(crate) fn list_time(time: LocalTime, now: LocalTime) -> String {
    let date = time.date();
    match now.day - time.day {
        0 => time_of_day(time),
        1 => YESTERDAY.to_owned(),
        2..=6 => short(weekday(date)),
        _ if date.year == now.date().year => format!("{} {}", date.day, short(month(date))),
        _ => format!("{} {}", short(month(date)), date.year),
    }
}

fn month(date: Date) -> &'static str {
    MONTHS
        .get(date.month.saturating_sub(1))
        .copied()
        .unwrap_or("")
}

fn weekday(date: Date) -> &'static str {
    WEEKDAYS.get(date.weekday).copied().unwrap_or("")
}

fn short(word: &str) -> String {
    word.chars().take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_from_near_to_far() {
        let today = 20_781; // Tuesday, 24 November 2026
        assert_eq!(day_separator(today, today), "Today");
        assert_eq!(day_separator(today - 1, today), "Yesterday");
        assert_eq!(day_separator(today - 2, today), "Sunday");
        assert_eq!(day_separator(today - 6, today), "Wednesday");
        assert_eq!(day_separator(today - 7, today), "17 November");
        assert_eq!(day_separator(today - 365, today), "24 November 2025");
        assert_eq!(day_separator(today + 1, today), "25 November");
    }

    #[test]
    fn list_times_are_short() {
        let now = LocalTime {
            day: 20_781,
            minute: 600,
        };
        let at = |day| list_time(LocalTime { day, minute: 545 }, now);
        assert_eq!(at(20_781), "09:05");
        assert_eq!(at(20_780), "Yesterday");
        assert_eq!(at(20_779), "Sun");
        assert_eq!(at(20_700), "4 Sep");
        assert_eq!(at(20_400), "Nov 2025");
    }
}
