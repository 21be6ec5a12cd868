//! Macros: `AWS::Include` is run here, and the serverless transform as far as it has nothing to do; all others are
//! functions of somebody's, and none of them exists.

use super::as_json;
use crate::cloudformation::engine::scene::{account_facts, environment};
use crate::cloudformation::model::Stack;
use crate::place::Place;
use crate::world::World;
use bytes::Bytes;
use cloudformation::evaluate::{Evaluator, Resources, Value};
use cloudformation::source;
use cloudformation::template::{LANGUAGE_EXTENSIONS, Template, read_value};
use serde_json::{Map, Value as Json};

const INCLUDE: &str = "AWS::Include";
const SERVERLESS: &str = "AWS::Serverless-2016-10-31";

/// The template with all macros run; `None` if it has none. The language extensions are left in place.
///
/// # Errors
/// What the transform's failure is reported as.
pub(super) async fn expand(world: &World, stack: &Stack, template: &Template) -> Result<Option<Json>, String> {
    let json = template.to_json();
    if template.macros().next().is_none() && !has_transform(&json) {
        return Ok(None);
    }
    let mut includer = Includer { world, stack, template, rounds: 0 };
    let expanded = includer.value(json).await?;
    let Json::Object(root) = expanded else { return Ok(None) };
    includer.globals(root).await.map(Some)
}

/// The Serverless Application Model's transform, for templates that have it and none of its resources: the AWS SAM CLI
/// deploys any template with it.
///
/// # Errors
/// There are such resources: what they stand for is not known here.
fn serverless(root: &mut Map<String, Json>) -> Result<(), String> {
    let resources = root.get("Resources").and_then(Json::as_object).into_iter().flatten();
    let is_its = |resource: &Json| resource["Type"].as_str().is_some_and(|name| name.starts_with("AWS::Serverless::"));
    let ids: Vec<&str> = resources.filter(|(_, resource)| is_its(resource)).map(|(id, _)| id.as_str()).collect();
    if !ids.is_empty() {
        return Err(format!(
            "Transform {SERVERLESS} failed with: this local AWS does not translate AWS::Serverless resources, which are [{}]; \
             write them as the CloudFormation resources that they stand for",
            ids.join(", ")
        ));
    }
    root.shift_remove("Globals");
    Ok(())
}

/// Without the transforms that were run.
pub(super) fn without_transform(mut template: Json) -> Json {
    if let Some(root) = template.as_object_mut() {
        root.shift_remove("Transform");
        root.shift_remove("Fn::Transform");
    }
    template
}

fn has_transform(json: &Json) -> bool {
    match json {
        Json::Object(members) => members.contains_key("Fn::Transform") || members.values().any(has_transform),
        Json::Array(items) => items.iter().any(has_transform),
        _ => false,
    }
}

struct Includer<'i> {
    world: &'i World,
    stack: &'i Stack,
    template: &'i Template,
    rounds: usize,
}

/// Files that one template may include.
const ROUNDS: usize = 1_000;

impl Includer<'_> {
    /// Runs what stands inside a value, innermost first.
    fn value<'f>(
        &'f mut self,
        json: Json,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Json, String>> + Send + 'f>> {
        Box::pin(async move {
            match json {
                Json::Array(items) => {
                    let mut done = Vec::with_capacity(items.len());
                    for item in items {
                        done.push(self.value(item).await?);
                    }
                    Ok(Json::Array(done))
                }
                Json::Object(members) => {
                    let mut done = Map::new();
                    let mut transform = None;
                    for (key, value) in members {
                        if key == "Fn::Transform" {
                            transform = Some(value);
                        } else {
                            done.insert(key, self.value(value).await?);
                        }
                    }
                    // There may be several, which are run in their order.
                    let transforms = match transform {
                        None => return Ok(Json::Object(done)),
                        Some(Json::Array(all)) => all,
                        Some(one) => vec![one],
                    };
                    for transform in transforms {
                        match self.run(&transform).await? {
                            Json::Object(included) => done.extend(included),
                            other if done.is_empty() => return Ok(other),
                            _ => {
                                return Err(format!(
                                    "Transform {INCLUDE} failed with: The content does not fit where it is included."
                                ));
                            }
                        }
                    }
                    Ok(Json::Object(done))
                }
                scalar => Ok(scalar),
            }
        })
    }

    /// Runs the transforms of the whole template, in their order.
    async fn globals(&mut self, mut root: Map<String, Json>) -> Result<Json, String> {
        let transforms = match root.shift_remove("Transform") {
            None => Vec::new(),
            Some(Json::Array(all)) => all,
            Some(one) => vec![one],
        };
        let mut kept = Vec::new();
        for transform in transforms {
            if transform == LANGUAGE_EXTENSIONS || transform["Name"] == LANGUAGE_EXTENSIONS {
                kept.push(transform);
                continue;
            }
            if transform == SERVERLESS {
                serverless(&mut root)?;
                continue;
            }
            let included = match &transform {
                Json::String(name) => return Err(self.missing(name)),
                other => self.run(other).await?,
            };
            merge(&mut root, included);
        }
        if !kept.is_empty() {
            root.insert("Transform".to_owned(), Json::Array(kept));
        }
        Ok(Json::Object(root))
    }

    /// The content that one transform stands for.
    async fn run(&mut self, transform: &Json) -> Result<Json, String> {
        let name = transform["Name"].as_str().unwrap_or_default();
        if name != INCLUDE {
            return Err(self.missing(name));
        }
        self.rounds += 1;
        let failed = |why: &str| format!("Transform {INCLUDE} failed with: {why}");
        if self.rounds > ROUNDS {
            return Err(failed("The template includes too many files."));
        }
        let location = self.text(&transform["Parameters"]["Location"]);
        let location = location.ok_or_else(|| failed("The Location parameter is required."))?;
        let object = location.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        let Some((bucket, key)) = object else {
            return Err(failed("The location parameter is not a valid S3 uri."));
        };
        let text = read_object(self.world, &self.stack.place, bucket, key).await.map_err(|why| failed(&why))?;
        as_json(&text).ok_or_else(|| failed("The specified S3 object's content should be valid Yaml/JSON"))
    }

    /// A location may be put together of parameters.
    fn text(&self, value: &Json) -> Option<String> {
        let mut problems = Vec::new();
        let node = source::parse_as(&value.to_string(), source::Limits::default(), source::Dialect::TEMPLATE).ok()?;
        let expr = read_value(&node, "/Transform", &mut problems);
        let environment = environment(self.stack, &self.stack.current);
        let mut facts = account_facts(self.world, &self.stack.place);
        facts.ssm.clear();
        let evaluator = Evaluator::new(self.template, &self.stack.current.parameters, &environment, &facts);
        evaluator.evaluate(&expr, &Nothing, "/Transform").value.as_text()
    }

    /// Why a macro is not run. One without a namespace is of this account: a stack may have registered it, but its
    /// function does not run here, and failures of functions are reported in these words.
    fn missing(&self, name: &str) -> String {
        let full = match name.contains("::") {
            true => name.to_owned(),
            false => format!("{}::{name}", self.stack.place.account),
        };
        let registered =
            self.world.resources.lock().get(&self.stack.place, "AWS::CloudFormation::Macro", name).is_some();
        match registered {
            true => format!("Transform {full} failed with: This embedded AWS runs no functions"),
            false => format!("No transform named {full} found."),
        }
    }
}

/// Puts the sections of an included template into the one that includes it.
fn merge(root: &mut Map<String, Json>, included: Json) {
    let Json::Object(included) = included else { return };
    for (section, content) in included {
        match (root.get_mut(&section), content) {
            (Some(Json::Object(members)), Json::Object(more)) => members.extend(more),
            (_, content) => drop(root.insert(section, content)),
        }
    }
}

/// The text of an object in S3, or why there is none.
async fn read_object(world: &World, place: &Place, bucket: &str, key: &str) -> Result<String, String> {
    let request = http::Request::get(format!("/{bucket}/{key}")).header(http::header::HOST, "s3.amazonaws.com");
    let request = request.body(Bytes::new()).map_err(|_| "The location parameter is not a valid S3 uri.".to_owned())?;
    let response = world.services.call(place, "s3", request).await;
    let response = response.ok_or_else(|| "S3 is not there.".to_owned())?;
    if response.status().is_success() {
        let text = String::from_utf8(response.body().to_vec());
        return text.map_err(|_| "The specified S3 object's content should be valid Yaml/JSON".to_owned());
    }
    let body = String::from_utf8_lossy(response.body());
    Err(match body.contains("NoSuchBucket") {
        true => format!("S3 bucket [{bucket}] does not exist."),
        false => format!("S3 object [{key}] does not exist in bucket [{bucket}]."),
    })
}

/// Macros run before there is any resource.
struct Nothing;

impl Resources for Nothing {
    fn reference(&self, _: &str) -> Option<Value> {
        None
    }

    fn attribute(&self, _: &str, _: &str) -> Option<Value> {
        None
    }
}
