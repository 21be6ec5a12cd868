//! Pictures measured: nothing overlaps, nothing is cut, arrows go around cards, the same input gives the same bytes.

use super::drawing::{BADGE, Drawing, draw};
use super::layout::{Rect, title_of};
use super::scene::{Flow, FlowKind, Mark, Node, NodeKind, Scene};
use super::{derive, dot, mark, mermaid, svg};
use crate::catalog::Catalog;
use crate::inventory::of_stacks;
use crate::plan::Plan;
use crate::render::render;
use proptest::prelude::*;
use std::path::Path;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn storefront(environment: &str) -> Scene {
    let (environment, _) = crate::environment::load(project(), environment).unwrap();
    let stacks = render(&environment, &Catalog::embedded()).unwrap();
    let title = format!("{}/{} in {}", environment.project, environment.name, environment.region);
    derive(&title, &environment.region, &of_stacks(&stacks))
}

/// What is wrong with a drawing, a sentence each.
fn faults(drawing: &Drawing) -> Vec<String> {
    let mut faults = Vec::new();
    let seen = || drawing.boxes.iter().filter(|one| !one.node.kind.is_frame() || one.node.kind.is_drawn_frame());
    let page = Rect { x: 0, y: 0, width: drawing.width, height: drawing.height };
    for one in seen() {
        if !page.contains(&one.rect) {
            faults.push(format!("{} is off the page", one.node.id));
        }
        for other in seen().filter(|other| other.node.id != one.node.id) {
            let nested = one.rect.contains(&other.rect) || other.rect.contains(&one.rect);
            let related = holds(one.node, &other.node.id) || holds(other.node, &one.node.id);
            if one.rect.overlaps(&other.rect) && !(nested && related) {
                faults.push(format!("{} and {} overlap", one.node.id, other.node.id));
            }
        }
    }
    for text in &drawing.texts {
        if !text.within.contains(&text.rect()) || !page.contains(&text.rect()) {
            faults.push(format!("`{}` leaves its box", text.text));
        }
    }
    for (index, text) in drawing.texts.iter().enumerate() {
        for other in &drawing.texts[index + 1..] {
            if text.rect().overlaps(&other.rect()) {
                faults.push(format!("`{}` and `{}` overlap", text.text, other.text));
            }
        }
    }
    for (flow, route) in &drawing.arrows {
        for pair in route.windows(2) {
            let line = Rect {
                x: pair[0].0.min(pair[1].0),
                y: pair[0].1.min(pair[1].1),
                width: (pair[0].0 - pair[1].0).abs().max(1),
                height: (pair[0].1 - pair[1].1).abs().max(1),
            };
            for one in &drawing.boxes {
                let own = one.node.id == flow.from || one.node.id == flow.to;
                let title = title_of(one);
                let in_the_way = title.or_else(|| (!one.node.kind.is_frame() && !own).then_some(one.rect));
                if in_the_way.is_some_and(|rect| rect.overlaps(&line)) {
                    faults.push(format!("{} → {} crosses {}", flow.from, flow.to, one.node.id));
                }
            }
        }
    }
    faults
}

fn holds(node: &Node, id: &str) -> bool {
    node.children.iter().any(|child| child.id == id || holds(child, id))
}

#[test]
fn nothing_overlaps_and_nothing_is_cut() {
    for environment in ["dev", "staging", "prod"] {
        let scene = storefront(environment);
        let drawing = draw(&scene);
        assert_eq!(faults(&drawing), Vec::<String>::new(), "{environment}");
        assert_eq!(drawing.arrows.len(), scene.flows.len(), "{environment}: every arrow has its way");
        let round = |at: (i32, i32)| Rect { x: at.0 - BADGE, y: at.1 - BADGE, width: 2 * BADGE, height: 2 * BADGE };
        for (index, badge) in drawing.badges.iter().enumerate() {
            let cards = drawing.boxes.iter().filter(|one| !one.node.kind.is_frame());
            assert!(cards.clone().all(|one| !one.rect.overlaps(&round(badge.at))), "{environment}: {}", badge.step);
            let others = &drawing.badges[index + 1..];
            assert!(others.iter().all(|other| !round(other.at).overlaps(&round(badge.at))), "{environment}");
        }
    }
}

#[test]
fn the_way_of_a_request_leads_from_the_browser_to_the_table() {
    let way: Vec<String> =
        super::legend::way(&storefront("prod")).into_iter().map(|(step, text)| format!("{step}. {text}")).collect();
    assert_eq!(
        way,
        [
            "1. Browser → Route 53: looks up the name",
            "2. Browser → CloudFront: HTTPS",
            "3. CloudFront → Bucket: pages and files",
            "4. CloudFront → Load balancer: /a/*, /b/*",
            "5. Load balancer → fastapi-a: /a, /a/*; Load balancer → fastapi-b: /b, /b/*",
            "6. fastapi-a → DynamoDB table: reads and writes",
        ]
    );
    let scene = storefront("prod");
    let other = |kind: FlowKind| -> Vec<(&str, &str)> {
        let flows = scene.flows.iter().filter(|flow| flow.kind == kind);
        flows.map(|flow| (flow.from.as_str(), flow.to.as_str())).collect()
    };
    assert_eq!(other(FlowKind::Guard), [("cdn-waf/WebAcl", "site/Distribution"), ("waf/WebAcl", "alb/LoadBalancer")]);
    assert_eq!(other(FlowKind::Call), [("fastapi-b/Service", "alb/LoadBalancer")]);
}

#[test]
fn the_published_picture_is_that_of_prod() {
    let published = std::fs::read_to_string(project().join("docs/architecture.svg")).unwrap_or_default();
    assert!(
        published == svg(&storefront("prod")),
        "docs/architecture.svg is out of date: cargo run -q -- diagram --env prod -o docs/architecture.svg"
    );
}

#[test]
fn every_language_shows_every_card() {
    let scene = storefront("prod");
    let (mermaid, dot, svg) = (mermaid(&scene), dot(&scene), svg(&scene));
    scene.root.walk(&mut |node| {
        if !node.kind.is_frame() {
            assert!(dot.contains(&format!("\"{}\" [label=", node.id)), "{}", node.id);
            assert!(mermaid.contains(&format!("<b>{}</b>", node.label)), "{}", node.id);
        }
    });
    let ends = mermaid.lines().filter(|line| line.trim() == "end").count();
    assert_eq!(mermaid.matches("subgraph ").count(), ends);
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    for outside in ["<image", "@import", "href", "url(http"] {
        assert!(!svg.contains(outside), "{outside}");
    }
}

#[test]
fn a_plan_colours_what_it_changes() {
    let mut plan: Plan = serde_json::from_str(include_str!("../view/plan/sample.json")).unwrap();
    plan.steps.retain(|step| step.stack == "fastapi-a" || step.stack == "network");
    let mut scene = storefront("prod");
    mark(&mut scene, &plan);
    let mut marks = Vec::new();
    scene.root.walk(&mut |node| marks.extend(node.mark.map(|mark| (node.id.clone(), mark))));
    assert!(!marks.is_empty());
    assert!(
        marks
            .iter()
            .all(|(id, _)| id.starts_with("fastapi-a/") || id.starts_with("network/") || id.contains("eu-west-1/")),
        "{marks:?}"
    );
    assert_eq!(faults(&draw(&scene)), Vec::<String>::new());
    let word = marks[0].1.word();
    assert!(svg(&scene).contains(&format!(">{word}</text>")));
}

#[test]
fn texts_cannot_break_out_of_a_picture() {
    let hostile = "<script>alert(1)</script> \"&\\ end\n]";
    let card = Node::new(NodeKind::Other, "a\"b", hostile).detail(hostile);
    let scene = Scene {
        title: hostile.to_owned(),
        root: Node::frame(NodeKind::Column, "all", "", vec![card]),
        flows: Vec::new(),
        gone: vec![hostile.to_owned()],
    };
    assert!(!svg(&scene).contains("<script"));
    assert!(!mermaid(&scene).lines().skip(3).any(|line| line.contains("<script")));
    assert!(dot(&scene).contains("\"a\\\"b\""));
}

/// A card with some text, in one of the kinds.
fn any_card() -> impl Strategy<Value = (String, Vec<String>, bool)> {
    ("[ -~]{0,60}", prop::collection::vec("[ -~äß→環]{0,80}", 0..4), any::<bool>())
}

fn any_scene() -> impl Strategy<Value = Scene> {
    let frames = prop::collection::vec(prop::collection::vec(any_card(), 1..4), 1..4);
    (frames, prop::collection::vec((0usize..12, 0usize..12), 0..8), "[ -~]{0,40}").prop_map(|(frames, pairs, title)| {
        let kinds = [NodeKind::Region, NodeKind::Vpc, NodeKind::Edge, NodeKind::Support];
        let mut ids = Vec::new();
        let mut children = Vec::new();
        for (outer, cards) in frames.into_iter().enumerate() {
            let mut nodes = Vec::new();
            for (inner, (label, details, marked)) in cards.into_iter().enumerate() {
                let id = format!("{outer}/{inner}");
                ids.push(id.clone());
                let mark = marked.then_some(Mark::Changes);
                nodes.push(Node { details, mark, ..Node::new(NodeKind::Other, id, label) });
            }
            let inside = Node::frame(NodeKind::Row, format!("{outer}/row"), "", nodes);
            children.push(Node::frame(kinds[outer % kinds.len()], format!("frame {outer}"), "A frame", vec![inside]));
        }
        let flow = |(index, (from, to)): (usize, (usize, usize))| Flow {
            from: ids[from % ids.len()].clone(),
            to: ids[to % ids.len()].clone(),
            kind: FlowKind::Request,
            label: "does".to_owned(),
            step: Some(index + 1),
        };
        let flows: Vec<Flow> = pairs.into_iter().enumerate().map(flow).filter(|flow| flow.from != flow.to).collect();
        Scene { title, root: Node::frame(NodeKind::Column, "all", "", children), flows, gone: Vec::new() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_scene_is_drawn_cleanly(scene in any_scene()) {
        let drawing = draw(&scene);
        prop_assert_eq!(faults(&drawing), Vec::<String>::new());
        prop_assert_eq!(drawing.arrows.len(), scene.flows.len());
        prop_assert_eq!(svg(&scene), svg(&scene));
    }
}

/// The picture of one template.
fn of_template(template: &str) -> Scene {
    let target =
        crate::model::Target { account: "111122223333".to_owned(), region: "eu-west-1".to_owned(), role: None };
    derive("t", "eu-west-1", &crate::inventory::of_template("t", &target, "shop-dev-t", template, &Default::default()))
}

/// The ids of the nodes from the root to a card.
fn way_to<'s>(node: &'s Node, id: &str, way: &mut Vec<&'s str>) -> bool {
    way.push(&node.id);
    if node.id == id || node.children.iter().any(|child| way_to(child, id, way)) {
        return true;
    }
    way.pop();
    false
}

const PRIVATE: &str = r#"
  V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  S: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref V, CidrBlock: 10.0.0.0/24, AvailabilityZone: eu-west-1a}}
  G: {Type: AWS::EC2::SecurityGroup, Properties: {VpcId: !Ref V, GroupDescription: g}}
"#;

#[test]
fn databases_and_caches_stand_in_their_network() {
    let scene = of_template(&format!(
        "Resources:{PRIVATE}
  DG: {{Type: AWS::RDS::DBSubnetGroup, Properties: {{DBSubnetGroupDescription: d, SubnetIds: [!Ref S]}}}}
  D: {{Type: AWS::RDS::DBInstance, Properties: {{Engine: postgres, DBSubnetGroupName: !Ref DG, VPCSecurityGroups: [!Ref G]}}}}
  C: {{Type: AWS::RDS::DBCluster, Properties: {{Engine: aurora-mysql, DBSubnetGroupName: !Ref DG}}}}
  I: {{Type: AWS::RDS::DBInstance, Properties: {{Engine: aurora-mysql, DBClusterIdentifier: !Ref C}}}}
  CG: {{Type: AWS::ElastiCache::SubnetGroup, Properties: {{Description: d, SubnetIds: [!Ref S]}}}}
  R: {{Type: AWS::ElastiCache::ReplicationGroup, Properties: {{Engine: valkey, CacheNodeType: cache.t4g.small, NumCacheClusters: 2,
    CacheSubnetGroupName: !Ref CG, SecurityGroupIds: [!Ref G]}}}}
  L: {{Type: AWS::ElastiCache::ServerlessCache, Properties: {{Engine: redis, SubnetIds: [!Ref S]}}}}
"
    ));
    for card in ["t/D", "t/C", "t/R", "t/L"] {
        let mut way = Vec::new();
        assert!(way_to(&scene.root, card, &mut way), "{card} is not drawn");
        assert!(way.contains(&"t/V"), "{card} is outside of the network: {way:?}");
    }
    assert!(!way_to(&scene.root, "t/I", &mut Vec::new()), "an instance of a cluster stands on its card");
    assert!(mermaid::mermaid(&scene).contains("2 × cache.t4g.small"));
}

#[test]
fn apis_lead_to_their_functions() {
    let function = "F: {Type: AWS::Lambda::Function, Properties: {}}\n  A: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref F}}";
    for rest in [
        "X: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: x, Target: !GetAtt F.Arn}}",
        "X: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: x}}\n  I: {Type: AWS::ApiGatewayV2::Integration, Properties: \
         {ApiId: !Ref X, IntegrationUri: !Ref A}}",
        "X: {Type: AWS::ApiGateway::RestApi, Properties: {Name: x}}\n  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref X, \
         Integration: {Uri: !Sub \"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${F.Arn}/invocations\"}}}",
        "X: {Type: AWS::ApiGateway::RestApi, Properties: {Body: {}}}\n  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, \
         SourceArn: !Sub \"arn:aws:execute-api:eu-west-1:111122223333:${X}/*\"}}",
    ] {
        let scene = of_template(&format!("Resources:\n  {function}\n  {rest}\n"));
        let ties = scene.flows.iter().any(|flow| flow.from == "t/X" && flow.to == "t/F");
        assert!(ties, "{rest}: {:?}", scene.flows);
    }
}

#[test]
fn an_entry_is_reached_by_what_its_listeners_speak() {
    let listener = |name: &str, protocol: &str, action: &str| {
        format!(
            "  {name}: {{Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {{LoadBalancerArn: !Ref B, Protocol: {protocol}, \
             Port: 80, DefaultActions: [{{Type: {action}}}]}}}}\n"
        )
    };
    let label = |listeners: &str| {
        let balancer = "B: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {}}";
        of_template(&format!("Resources:\n  {balancer}\n{listeners}")).flows[0].label.clone()
    };
    assert_eq!(label(&listener("A", "HTTP", "forward")), "HTTP");
    assert_eq!(label(&(listener("A", "HTTP", "redirect") + &listener("C", "HTTPS", "forward"))), "HTTPS");
    assert_eq!(label(&(listener("A", "HTTP", "forward") + &listener("C", "HTTPS", "forward"))), "HTTP, HTTPS");
    assert_eq!(label(&listener("A", "TCP", "forward")), "TCP");
    assert_eq!(label(""), "requests");
}
