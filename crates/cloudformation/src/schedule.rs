//! Schedule expressions: `rate(…)` and `cron(…)` of EventBridge, and `at(…)` beside them in EventBridge Scheduler and
//! Application Auto Scaling. (EventBridge user guide, "Setting a schedule pattern"; Scheduler user guide, "Schedule types".)

/// Why a text is no schedule of an EventBridge rule; `None` if it is one.
pub fn problem(expression: &str) -> Option<String> {
    if let Some(rate) = inner(expression, "rate") {
        return rate_problem(rate);
    }
    match inner(expression, "cron") {
        Some(cron) => cron_problem(cron),
        None => Some(format!("{expression} is neither rate(…) nor cron(…)")),
    }
}

/// The same of services that take a single time, too: `at(2030-01-31T12:00:00)`.
pub fn problem_with_times(expression: &str) -> Option<String> {
    match inner(expression, "at") {
        Some(time) if is_time(time) => None,
        Some(_) => Some(format!("{expression}: the time must look like 2030-01-31T12:00:00")),
        None => problem(expression),
    }
}

fn inner<'e>(expression: &'e str, name: &str) -> Option<&'e str> {
    expression.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

fn rate_problem(rate: &str) -> Option<String> {
    let mut words = rate.split(' ');
    let (value, unit) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let number = value.parse::<u64>().ok().filter(|number| *number > 0);
    let units = if number == Some(1) { ["minute", "hour", "day"] } else { ["minutes", "hours", "days"] };
    match number {
        None => Some(format!("rate({rate}): the value must be a whole number greater than 0")),
        Some(_) if words.next().is_some() || !units.contains(&unit) => {
            Some(format!("rate({rate}): after {value} the unit must be one of {}", units.join(", ")))
        }
        Some(_) => None,
    }
}

fn cron_problem(cron: &str) -> Option<String> {
    let fields: Vec<&str> = cron.split(' ').collect();
    match fields.as_slice() {
        [_, _, day, _, weekday, _] if *day != "?" && *weekday != "?" => {
            Some(format!("cron({cron}): one of day of month and day of week must be ?"))
        }
        [_, _, _, _, _, _] => None,
        _ => Some(format!("cron({cron}) has {} fields: it needs six, minutes to year", fields.len())),
    }
}

/// `2030-01-31T12:00:00`.
fn is_time(text: &str) -> bool {
    text.len() == 19
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            10 => byte == b'T',
            13 | 16 => byte == b':',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_rates_crons_and_times() {
        for right in ["rate(1 minute)", "rate(5 minutes)", "cron(0 12 * * ? *)", "cron(0/5 8-17 ? * MON-FRI *)"] {
            assert_eq!(problem(right), None, "{right}");
        }
        for wrong in [
            "",
            "every day",
            "rate(1 minutes)",
            "rate(5 minute)",
            "rate(5)",
            "rate(0 days)",
            "rate(5 weeks)",
            "cron(0 12 * *)",
            "cron(0 12 * * *)",
            "cron(0 12 * * * *)",
            "5 minutes",
        ] {
            assert!(problem(wrong).is_some(), "{wrong}");
            assert!(problem_with_times(wrong).is_some(), "{wrong}");
        }
        assert!(problem("at(2030-01-31T12:00:00)").is_some());
        assert_eq!(problem_with_times("at(2030-01-31T12:00:00)"), None);
        assert!(problem_with_times("at(tomorrow)").is_some());
    }
}
