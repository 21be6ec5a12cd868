//! Reads a text as a template, writes it, evaluates it, and predicts the change from a second one. Nothing may panic,
//! hang, or take more memory than libFuzzer allows.

#![no_main]

use cloudformation::order::Order;
use cloudformation::predict::{Deployment, PropertyValues, describe, predict};
use cloudformation::template::Template;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Two templates, separated by U+0001, which neither JSON nor YAML has.
    let (before, after) = text.split_once('\u{1}').unwrap_or((text, text));
    let (Some(before), Some(after)) = (read(before), read(after)) else { return };
    for pair in [(Some(&before), Some(&after)), (None, Some(&after)), (Some(&after), None)] {
        if let Ok(prediction) = predict(pair.0, pair.1) {
            describe(&prediction.changes, PropertyValues::Included);
            describe(&prediction.changes, PropertyValues::Omitted);
        }
    }
});

fn read(text: &str) -> Option<Deployment> {
    let (template, problems) = Template::read(text).ok()?;
    let written = template.to_json();
    match Template::read(&written.to_string()) {
        Ok((again, more)) => {
            assert_eq!(again.to_json(), written);
            // A tag that is no function is written as a key, which is no mistake by itself.
            assert!(!problems.is_empty() || more.is_empty(), "{more:?}");
        }
        // JSON is a little larger and deeper than the YAML it came from, so it may pass a limit.
        Err(problem) => assert!(limits(&problem.to_string()), "{problem}"),
    }
    let _ = Order::of(&template).map(|order| order.waves().len());
    Some(Deployment::new(template))
}

fn limits(message: &str) -> bool {
    ["nested deeper", "grow to more than", "bytes; at most"].iter().any(|limit| message.contains(limit))
}
