//! Plans as people see them: text at 80 columns, Markdown within its size.

use super::{Detail, Document, human, markdown};
use crate::model::{Fingerprint, Parameter, RenderedStack, Secret, StackStatus};
use crate::plan::{Action, ChangeAction, Plan};
use crate::view::{schema_errors, text};

fn sample() -> Plan {
    serde_json::from_str(include_str!("sample.json")).unwrap()
}

const DETAIL: Detail = Detail { width: 80, verbose: false };

#[test]
fn forty_changes_in_a_terminal_of_eighty_columns() {
    insta::assert_snapshot!(text::plain(&human(&sample(), DETAIL)));
}

#[test]
fn verbose_shows_what_new_resources_are_made_of() {
    let mut plan = sample();
    plan.steps.retain(|step| matches!(step.stack.as_str(), "network" | "fastapi-a" | "dns"));
    plan.steps.iter_mut().for_each(|step| step.changes.truncate(4));
    insta::assert_snapshot!(text::plain(&human(&plan, Detail { verbose: true, ..DETAIL })));
}

#[test]
fn sentences_fit_a_narrow_terminal() {
    let plan = human(&sample(), Detail { width: 50, ..DETAIL });
    let sentences =
        plan.lines().filter(|line| !line.contains("::") && !line.contains("arn:") && !line.contains("sha256:"));
    for line in sentences.skip(1).filter(|line| line.contains("because") || line.contains("refused")) {
        assert!(text::columns(line) <= 50, "{line}");
    }
}

#[test]
fn nothing_to_do() {
    let mut plan = sample();
    plan.steps.retain(|step| step.action == Action::Nothing);
    plan.assets.clear();
    plan.findings.clear();
    let show = |plan: &Plan| text::plain(&human(plan, DETAIL));
    assert_eq!(show(&plan), "No changes. storefront/prod matches its configuration.\n");
    plan.targets = vec!["dns".to_owned()];
    assert_eq!(show(&plan), "No changes. dns in storefront/prod matches its configuration.\n");
    plan.targets.clear();
    plan.steps[0].adopt = true;
    assert_eq!(
        show(&plan),
        "Apply brings the state up to date for dns; nothing is changed there.\n\n\
         No changes. storefront/prod matches its configuration.\n"
    );
    plan.findings = vec![crate::plan::Finding {
        severity: crate::plan::FindingSeverity::Warning,
        code: "rollout-unproven".to_owned(),
        stack: "dns".to_owned(),
        logical_id: None,
        path: None,
        place: None,
        message: "was given app".to_owned(),
    }];
    assert_eq!(
        show(&plan),
        "Apply asks ECS what dns runs: the state is brought up to date where that is what\n\
         is wanted, and apply fails where it is not.\n\n\
         Findings\n  warning  dns: was given app [rollout-unproven]\n\n\
         No changes. storefront/prod matches its configuration, but whether dns runs it\nis not known.\n"
    );
    plan.findings.clear();
    assert_eq!(
        markdown(&plan, DETAIL, 1000),
        "### `storefront/prod`: No changes. storefront/prod matches its configuration.\n\n"
    );
}

#[test]
fn a_comment_for_a_pull_request() {
    insta::assert_snapshot!(markdown(&sample(), DETAIL, 65_536));
}

#[test]
fn a_comment_is_cut_to_any_size_and_stays_well_formed() {
    let whole = markdown(&sample(), DETAIL, usize::MAX).chars().count();
    for limit in (800..whole + 50).step_by(37) {
        let page = markdown(&sample(), DETAIL, limit);
        assert!(page.chars().count() <= limit, "{limit}: {}", page.chars().count());
        assert_eq!(page.matches("<details>").count(), page.matches("</details>").count(), "{limit}");
        assert_eq!(page.matches("```").count() % 2, 0, "{limit}");
        assert!(page.starts_with("### `storefront/prod`: 27 to add, 4 to change"), "{limit}");
        assert_eq!(limit < whole, page.contains("\n> "), "{limit}");
    }
}

#[test]
fn imports_are_not_counted_as_new() {
    let mut plan = sample();
    let new = plan.steps.iter_mut().flat_map(|step| &mut step.changes).find(|one| one.action == ChangeAction::Add);
    new.unwrap().action = ChangeAction::Import;
    let figures = "1 to import, 26 to add, 4 to change, 3 to replace, 4 to destroy in 7 stacks";
    assert!(text::plain(&human(&plan, Detail { width: 200, ..DETAIL })).contains(&format!("Plan: {figures}, ")));
    assert!(markdown(&plan, DETAIL, 65_536).starts_with(&format!("### `storefront/prod`: {figures}, ")));
    let summary = serde_json::to_value(Document::new(&plan)).unwrap()["summary"].clone();
    assert_eq!((&summary["import"], &summary["add"]), (&1.into(), &26.into()));
}

#[test]
fn a_value_cannot_break_out_of_its_block() {
    let mut plan = sample();
    plan.steps.retain(|step| step.stack == "data");
    plan.steps[0].changes[0].physical_id = Some("```\n</details>".to_owned());
    let page = markdown(&plan, DETAIL, 65_536);
    assert!(page.contains("\n````diff\n") && page.contains("\n````\n"), "{page}");
}

#[test]
fn the_document_is_as_the_schema_says() {
    let mut plan = sample();
    let target = plan.steps[0].target.clone();
    plan.targets = vec!["data".to_owned()];
    plan.steps[0].adopt = true;
    plan.steps[1].unprotect = true;
    plan.steps[2].fingerprint = Some(Fingerprint {
        stack_id: "arn:aws:cloudformation:us-east-1:1:stack/x/1".to_owned(),
        changed_at: plan.created,
        status: StackStatus::UpdateRollbackComplete,
    });
    let parameters = [
        ("A", Parameter::Value("1".to_owned())),
        ("B", Parameter::Output { stack: "network".to_owned(), key: "VpcId".to_owned() }),
        ("C", Parameter::Image { name: "fastapi-a".to_owned(), reference: "r@sha256:1".to_owned() }),
        ("D", Parameter::Secret { value: Secret("hush".to_owned()) }),
    ];
    plan.steps[2].wanted = Some(RenderedStack {
        name: "network".to_owned(),
        stack_name: "storefront-prod-network".to_owned(),
        target,
        template_name: "network".to_owned(),
        template: "{}".to_owned(),
        template_digest: format!("sha256:{}", "0".repeat(64)),
        parameters: parameters.into_iter().map(|(name, parameter)| (name.to_owned(), parameter)).collect(),
        tags: [("owner".to_owned(), "platform".to_owned())].into(),
        capabilities: vec!["CAPABILITY_IAM".to_owned()],
        protect: true,
        stack_policy: None,
        after: vec![],
        places: [("Vpc".to_owned(), "templates/network.yaml:4".to_owned())].into(),
    });
    let document = serde_json::to_value(Document::new(&plan)).unwrap();
    assert_eq!(schema_errors("plan", &document), Vec::<String>::new());
    assert!(!document.to_string().contains("hush"));
}
