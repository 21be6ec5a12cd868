//! Storage that services enlarge in place, and never make smaller.

use serde_json::{Map, Value as Json};

/// A property that gives the size of storage.
struct Storage {
    type_name: &'static str,
    path: &'static [&'static str],
    service: &'static str,
    refusal: Words,
}

/// How a service refuses a smaller size.
enum Words {
    /// The same, whatever the sizes are.
    Fixed(&'static str),
    /// With the size that is asked for, and the present one.
    Rds,
}

/// Sources: "Requirements and limitations" of Elastic Volumes (Amazon EBS user guide), "Increasing DB instance storage
/// capacity" and "Modifying a Multi-AZ DB cluster" (Amazon RDS user guide), "Managing storage capacity" (user guides of
/// FSx for Windows File Server, Lustre and OpenZFS), "Scaling storage" (Amazon MSK developer guide), UpdateNotebookInstance
/// (SageMaker API reference). The messages of EC2, RDS and MSK are those that users report (aws/aws-cli#4216,
/// hashicorp/terraform-provider-aws#20327); of FSx and SageMaker none is on record, and their documentation's rule stands in.
const STORAGE: &[Storage] = &[
    Storage {
        type_name: "AWS::EC2::Volume",
        path: &["Size"],
        service: "Ec2",
        refusal: Words::Fixed("New size cannot be smaller than existing size"),
    },
    Storage {
        type_name: "AWS::FSx::FileSystem",
        path: &["StorageCapacity"],
        service: "FSx",
        refusal: Words::Fixed("Storage capacity can only be increased"),
    },
    Storage {
        type_name: "AWS::MSK::Cluster",
        path: &["BrokerNodeGroupInfo", "StorageInfo", "EBSStorageInfo", "VolumeSize"],
        service: "Kafka",
        refusal: Words::Fixed("To update storage, you must increase it by at least 10 GiB."),
    },
    Storage { type_name: "AWS::RDS::DBCluster", path: &["AllocatedStorage"], service: "Rds", refusal: Words::Rds },
    Storage { type_name: "AWS::RDS::DBInstance", path: &["AllocatedStorage"], service: "Rds", refusal: Words::Rds },
    Storage {
        type_name: "AWS::SageMaker::NotebookInstance",
        path: &["VolumeSizeInGB"],
        service: "SageMaker",
        refusal: Words::Fixed("The volume size can only be increased"),
    },
];

/// Storage that is asked to become smaller, in the unit of its property (GiB everywhere).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shrinkage {
    /// The property: `AllocatedStorage`.
    pub path: String,
    pub before: i64,
    pub after: i64,
    /// The service that refuses, as handlers name it.
    pub service: &'static str,
    /// What it says.
    pub message: String,
}

/// Returns the storage of a resource that would shrink by an update in place, which its service refuses. Sizes that are
/// not known are not compared.
pub fn shrinkage(type_name: &str, before: &Map<String, Json>, after: &Map<String, Json>) -> Option<Shrinkage> {
    let storage = STORAGE.iter().find(|storage| storage.type_name == type_name)?;
    if !is_fixed_by_size(type_name, after) {
        return None;
    }
    let (old, new) = (size(before, storage.path)?, size(after, storage.path)?);
    (new < old).then(|| Shrinkage {
        path: storage.path.join("."),
        before: old,
        after: new,
        service: storage.service,
        message: match storage.refusal {
            Words::Fixed(message) => message.to_owned(),
            Words::Rds => {
                format!("Requested storage size ({new}) cannot be less than the current storage size ({old})")
            }
        },
    })
}

/// Whether the size is that of the storage. The storage of Aurora follows its content, whatever the size says, and FSx for
/// ONTAP takes back what it gave.
fn is_fixed_by_size(type_name: &str, properties: &Map<String, Json>) -> bool {
    let text = |name: &str| properties.get(name).and_then(Json::as_str).unwrap_or_default();
    match type_name {
        "AWS::FSx::FileSystem" => matches!(text("FileSystemType"), "WINDOWS" | "LUSTRE" | "OPENZFS"),
        "AWS::RDS::DBCluster" | "AWS::RDS::DBInstance" => !text("Engine").starts_with("aurora"),
        _ => true,
    }
}

/// A number, which templates may write as a text.
fn size(properties: &Map<String, Json>, path: &[&str]) -> Option<i64> {
    let (first, rest) = path.split_first()?;
    let value = rest.iter().try_fold(properties.get(*first)?, |value, step| value.get(step))?;
    match value {
        Json::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::resource_type;
    use serde_json::json;

    fn shrinks(type_name: &str, before: Json, after: Json) -> Option<String> {
        let map = |json: Json| json.as_object().cloned().unwrap_or_default();
        shrinkage(type_name, &map(before), &map(after)).map(|found| found.path)
    }

    #[test]
    fn every_size_is_a_property_that_changes_in_place() {
        for Storage { type_name, path, .. } in STORAGE {
            let known = resource_type(type_name).expect(type_name);
            assert!(known.property(&path.join("/")).is_some(), "{type_name} {path:?}");
            let path = path.join(".");
            assert!(!known.create_only().iter().any(|only| path.starts_with(&only.dotted())), "{type_name} {path}");
        }
    }

    #[test]
    fn smaller_is_found_and_larger_is_not() {
        let volume = |size: Json| json!({"Size": size});
        assert_eq!(shrinks("AWS::EC2::Volume", volume(json!(100)), volume(json!(50))).as_deref(), Some("Size"));
        assert_eq!(shrinks("AWS::EC2::Volume", volume(json!(100)), volume(json!(100))), None);
        assert_eq!(shrinks("AWS::EC2::Volume", volume(json!(100)), volume(json!("200"))), None);
        assert_eq!(shrinks("AWS::EC2::Volume", volume(json!(100)), json!({})), None);
        assert_eq!(shrinks("AWS::EC2::Volume", volume(json!(100)), volume(json!("${Size}"))), None);
        let cluster =
            |size: u32| json!({"BrokerNodeGroupInfo": {"StorageInfo": {"EBSStorageInfo": {"VolumeSize": size}}}});
        let path = "BrokerNodeGroupInfo.StorageInfo.EBSStorageInfo.VolumeSize";
        assert_eq!(shrinks("AWS::MSK::Cluster", cluster(100), cluster(50)).as_deref(), Some(path));
        assert_eq!(shrinks("AWS::SQS::Queue", json!({"DelaySeconds": 60}), json!({"DelaySeconds": 5})), None);
    }

    #[test]
    fn what_is_not_fixed_by_its_size_may_shrink() {
        let database = |engine: &str, size: &str| json!({"Engine": engine, "AllocatedStorage": size});
        let smaller = |engine: &str| shrinks("AWS::RDS::DBInstance", database(engine, "100"), database(engine, "50"));
        assert_eq!(smaller("postgres").as_deref(), Some("AllocatedStorage"));
        assert_eq!(smaller("aurora-postgresql"), None);
        let files = |kind: &str, size: u32| json!({"FileSystemType": kind, "StorageCapacity": size});
        let smaller = |kind: &str| shrinks("AWS::FSx::FileSystem", files(kind, 2048), files(kind, 1024));
        assert_eq!(smaller("WINDOWS").as_deref(), Some("StorageCapacity"));
        assert_eq!(smaller("ONTAP"), None);
    }
}
