//! Points in time, and the calendar that a person reads.

/// A point in time by this computer's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Milliseconds since 1970 (UTC).
    pub unix_millis: i64,
}

/// A date and time of day where the person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalTime {
    /// Days since 1970-01-01.
    pub(crate) day: i64,
    /// Minutes since midnight, 0 to 1439.
    pub(crate) minute: i64,
}

/// A day of the (proleptic Gregorian) calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    /// The year.
    pub(crate) year: i64,
    /// The month, 1 to 12.
    pub(crate) month: usize,
    /// The day of the month, 1 to 31.
    pub(crate) day: i64,
    /// The day of the week, 0 is Monday.
    pub(crate) weekday: usize,
}

const MINUTE_MILLIS: i64 = 60_000;
const DAY_MINUTES: i64 = 1440;

impl LocalTime {
    /// The local time at `unix_millis`, `utc_offset_secs` east of Greenwich.
    pub(crate) fn new(unix_millis: i64, utc_offset_secs: i32) -> Self {
        let local = unix_millis.saturating_add(i64::from(utc_offset_secs) * 1000);
        let minutes = local.div_euclid(MINUTE_MILLIS);
        Self {
            day: minutes.div_euclid(DAY_MINUTES),
            minute: minutes.rem_euclid(DAY_MINUTES),
        }
    }

    /// The date.
    pub(crate) fn date(self) -> Date {
        Date::of_day(self.day)
    }

    /// Seconds until the next midnight, at least one minute.
    pub(crate) fn secs_to_midnight(self) -> u64 {
        u64::try_from((DAY_MINUTES - self.minute) * 60).unwrap_or(60)
    }
}

impl Date {
    /// The date `day` days after 1970-01-01.
    ///
    /// Counts in eras of 400 years that begin on 1 March, so that the leap day comes last.
    pub(crate) fn of_day(day: i64) -> Self {
        let shifted = day.saturating_add(719_468);
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: usize::try_from(month).unwrap_or(1),
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            weekday: usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(day: i64) -> (i64, usize, i64, usize) {
        let date = Date::of_day(day);
        (date.year, date.month, date.day, date.weekday)
    }

    #[test]
    fn known_days_have_their_dates() {
        assert_eq!(date(0), (1970, 1, 1, 3)); // a Thursday
        assert_eq!(date(-1), (1969, 12, 31, 2));
        assert_eq!(date(11_016), (2000, 2, 29, 1));
        assert_eq!(date(19_723), (2024, 1, 1, 0));
        assert_eq!(date(20_781), (2026, 11, 24, 1));
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut last = Date::of_day(-800_000);
        for day in -799_999..800_000 {
            let next = Date::of_day(day);
            assert_eq!(next.weekday, (last.weekday + 1) % 7);
            let same_month = next.month == last.month && next.day == last.day + 1;
            let next_month = next.day == 1 && next.month == last.month % 12 + 1;
            assert!(same_month || next_month, "{last:?} then {next:?}");
            last = next;
        }
    }

    #[test]
    fn local_time_follows_the_offset_across_midnight() {
        let late = 20_781 * 86_400_000 + 23 * 3_600_000 + 30 * 60_000;
        assert_eq!(LocalTime::new(late, 0).minute, 23 * 60 + 30);
        assert_eq!(
            LocalTime::new(late, 3600),
            LocalTime {
                day: 20_782,
                minute: 30
            }
        );
        assert_eq!(LocalTime::new(late, 0).secs_to_midnight(), 1800);
    }

    #[test]
    fn extreme_clocks_do_not_panic() {
        for millis in [i64::MIN, i64::MAX, 0] {
            for offset in [i32::MIN, i32::MAX] {
                let _ = LocalTime::new(millis, offset).date();
            }
        }
    }
}
