//! What the settings about shops mean: countries, addresses, opening hours.

use super::Location;
use super::file::LocationFile;
use super::meaning::{Reading, worded};
use super::shape::joined;
use icu_locale_core::subtags::Region;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Reading<'_> {
    pub(super) fn locations(&mut self, file: Vec<LocationFile>) -> Option<Vec<Location>> {
        let locations: Vec<Option<Location>> =
            file.into_iter().enumerate().map(|(index, location)| self.location(index, location)).collect();
        locations.into_iter().collect()
    }

    fn location(&mut self, index: usize, file: LocationFile) -> Option<Location> {
        let path = joined("locations", &index.to_string());
        let mut location = Location {
            name: worded(Some(file.name)).unwrap_or_default(),
            street: worded(file.street),
            postal_code: worded(file.postal_code),
            city: worded(file.city),
            phone: worded(file.phone),
            email: worded(file.email),
            ..Location::default()
        };
        if location.name.is_empty() {
            return self.fault(
                &joined(&path, "name"),
                "a location has a blank name",
                "write what customers know it by",
            );
        }
        if let Some(country) = worded(file.country) {
            let region = country.to_ascii_uppercase();
            if region.len() != 2 || region.parse::<Region>().is_err() {
                let message = format!("`{country}` is no ISO 3166 code of a country");
                return self.fault(&joined(&path, "country"), &message, "write two letters such as `DE`");
            }
            location.country = Some(region);
        }
        if location.email.as_ref().is_some_and(|email| !email.contains('@') || email.contains(char::is_whitespace)) {
            return self.fault(
                &joined(&path, "email"),
                "a location has a faulty e-mail address",
                "write `a@shop.example`",
            );
        }
        let mut whole = true;
        for (days, hours) in &file.hours {
            let read = days_of(days).zip(hours.as_str().and_then(hours_of));
            match read {
                Some((days, hours)) => days.for_each(|day| location.hours[day].clone_from(&hours)),
                None => {
                    whole = false;
                    let message = format!("the hours of `{}` cannot be read", super::shape::shortened(days));
                    let hint = "write them like `mon-fri: \"9:00-12:30, 14:00-18:00\"` or `sun: closed`";
                    let _: Option<()> = self.fault(&joined(&joined(&path, "hours"), days), &message, hint);
                }
            }
        }
        whole.then_some(location)
    }
}

/// `mon` or `mon-fri`, as places of days in the week.
fn days_of(text: &str) -> Option<std::ops::RangeInclusive<usize>> {
    let day = |text: &str| DAYS.iter().position(|day| text.trim().to_ascii_lowercase().get(..3) == Some(*day));
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (day(from)?, day(to)?);
    (from <= to).then_some(from..=to)
}

/// `9:00-12:30, 14:00-18:00`, or `closed`.
fn hours_of(text: &str) -> Option<Vec<(String, String)>> {
    if text.trim().eq_ignore_ascii_case("closed") {
        return Some(Vec::new());
    }
    let time = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}"))
    };
    let span = |text: &str| {
        let (from, to) = text.split_once('-')?;
        let (from, to) = (time(from)?, time(to)?);
        (from < to).then_some((from, to))
    };
    text.split(',').map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_read_as_people_write_them() {
        assert_eq!(days_of("mon-fri"), Some(0..=4));
        assert_eq!(days_of("Sunday"), Some(6..=6));
        assert_eq!(days_of("fri-mon"), None);
        let two = [("09:00", "12:30"), ("14:00", "18:00")].map(|(from, to)| (from.to_string(), to.to_string()));
        assert_eq!(hours_of("9:00-12:30, 14:00-18:00"), Some(two.to_vec()));
        assert_eq!(hours_of("closed"), Some(Vec::new()));
        assert_eq!(hours_of("18:00-9:00"), None);
        assert_eq!(hours_of("nine to five"), None);
    }
}
