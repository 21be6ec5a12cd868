//! What ARNs of a service begin with.

use crate::place::Place;

/// What an ARN says of where its resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Region and account.
    Both,
    /// The account: the service is the same in all regions.
    Account,
    /// The region.
    Region,
    None,
}

/// Services whose ARNs do not name them as their types do, or that name no region or no account: service of the type,
/// prefix, scope. Sorted by service.
///
/// Source: "Actions, resources, and condition keys for AWS services" in the service authorization reference.
#[rustfmt::skip]
const PREFIXES: &[(&str, &str, Scope)] = &[
    ("ACMPCA", "acm-pca", Scope::Both),
    ("APS", "aps", Scope::Both),
    ("ARCZonalShift", "arc-zonal-shift", Scope::Both),
    ("AccessAnalyzer", "access-analyzer", Scope::Both),
    ("AmazonMQ", "mq", Scope::Both),
    ("ApiGateway", "apigateway", Scope::Region),
    ("ApiGatewayV2", "apigateway", Scope::Region),
    ("AppIntegrations", "app-integrations", Scope::Both),
    ("ApplicationAutoScaling", "application-autoscaling", Scope::Both),
    ("ApplicationSignals", "application-signals", Scope::Both),
    ("AutoScalingPlans", "autoscaling-plans", Scope::Both),
    ("BCMDataExports", "bcm-data-exports", Scope::Both),
    ("BackupGateway", "backup-gateway", Scope::Both),
    ("BedrockAgentCore", "bedrock-agentcore", Scope::Both),
    ("Budgets", "budgets", Scope::Account),
    ("CE", "ce", Scope::Account),
    ("CertificateManager", "acm", Scope::Both),
    ("Chatbot", "chatbot", Scope::Account),
    ("CleanRoomsML", "cleanrooms-ml", Scope::Both),
    ("CloudFront", "cloudfront", Scope::Account),
    ("CodeGuruProfiler", "codeguru-profiler", Scope::Both),
    ("CodeGuruReviewer", "codeguru-reviewer", Scope::Both),
    ("CodeStarConnections", "codestar-connections", Scope::Both),
    ("CodeStarNotifications", "codestar-notifications", Scope::Both),
    ("Cognito", "cognito-idp", Scope::Both),
    ("ConnectCampaigns", "connect-campaigns", Scope::Both),
    ("ConnectCampaignsV2", "connect-campaigns", Scope::Both),
    ("CustomerProfiles", "profile", Scope::Both),
    ("DevOpsGuru", "devops-guru", Scope::Both),
    ("DirectoryService", "ds", Scope::Both),
    ("DocDB", "rds", Scope::Both),
    ("DocDBElastic", "docdb-elastic", Scope::Both),
    ("EFS", "elasticfilesystem", Scope::Both),
    ("EMR", "elasticmapreduce", Scope::Both),
    ("EMRContainers", "emr-containers", Scope::Both),
    ("EMRServerless", "emr-serverless", Scope::Both),
    ("ElasticLoadBalancing", "elasticloadbalancing", Scope::Both),
    ("ElasticLoadBalancingV2", "elasticloadbalancing", Scope::Both),
    ("Elasticsearch", "es", Scope::Both),
    ("EventSchemas", "schemas", Scope::Both),
    ("GlobalAccelerator", "globalaccelerator", Scope::Account),
    ("GreengrassV2", "greengrass", Scope::Both),
    ("HealthImaging", "medical-imaging", Scope::Both),
    ("IAM", "iam", Scope::Account),
    ("InspectorV2", "inspector2", Scope::Both),
    ("KendraRanking", "kendra-ranking", Scope::Both),
    ("KinesisAnalyticsV2", "kinesisanalytics", Scope::Both),
    ("KinesisFirehose", "firehose", Scope::Both),
    ("LicenseManager", "license-manager", Scope::Both),
    ("Location", "geo", Scope::Both),
    ("MSK", "kafka", Scope::Both),
    ("MWAA", "airflow", Scope::Both),
    ("Macie", "macie2", Scope::Both),
    ("Neptune", "rds", Scope::Both),
    ("NeptuneGraph", "neptune-graph", Scope::Both),
    ("NetworkFirewall", "network-firewall", Scope::Both),
    ("NetworkManager", "networkmanager", Scope::Account),
    ("OpenSearchServerless", "aoss", Scope::Both),
    ("OpenSearchService", "es", Scope::Both),
    ("Organizations", "organizations", Scope::Account),
    ("PCAConnectorAD", "pca-connector-ad", Scope::Both),
    ("PCAConnectorSCEP", "pca-connector-scep", Scope::Both),
    ("PaymentCryptography", "payment-cryptography", Scope::Both),
    ("Pinpoint", "mobiletargeting", Scope::Both),
    ("RedshiftServerless", "redshift-serverless", Scope::Both),
    ("RefactorSpaces", "refactor-spaces", Scope::Both),
    ("ResourceExplorer2", "resource-explorer-2", Scope::Both),
    ("ResourceGroups", "resource-groups", Scope::Both),
    ("Route53", "route53", Scope::None),
    ("Route53RecoveryControl", "route53-recovery-control", Scope::Account),
    ("Route53RecoveryReadiness", "route53-recovery-readiness", Scope::Account),
    ("S3", "s3", Scope::None),
    ("S3ObjectLambda", "s3-object-lambda", Scope::Both),
    ("S3Outposts", "s3-outposts", Scope::Both),
    ("SMSVOICE", "sms-voice", Scope::Both),
    ("SSMContacts", "ssm-contacts", Scope::Both),
    ("SSMIncidents", "ssm-incidents", Scope::Account),
    ("SSMQuickSetup", "ssm-quicksetup", Scope::Both),
    ("SSO", "sso", Scope::None),
    ("ServiceCatalog", "catalog", Scope::Both),
    ("ServiceCatalogAppRegistry", "servicecatalog", Scope::Both),
    ("ServiceDiscovery", "servicediscovery", Scope::Both),
    ("Shield", "shield", Scope::Account),
    ("StepFunctions", "states", Scope::Both),
    ("SystemsManagerSAP", "ssm-sap", Scope::Both),
    ("VpcLattice", "vpc-lattice", Scope::Both),
    ("WAF", "waf", Scope::Account),
    ("WAFRegional", "waf-regional", Scope::Both),
    ("WorkSpacesThinClient", "thinclient", Scope::Both),
    ("WorkSpacesWeb", "workspaces-web", Scope::Both),
];

/// The start of an ARN of a resource of a type: `arn:aws:events:eu-west-1:111122223333:`.
pub(in crate::resources) fn arn_prefix(type_name: &str, place: &Place) -> String {
    let service = type_name.split("::").nth(1).unwrap_or_default();
    let found = PREFIXES.binary_search_by(|(name, ..)| (*name).cmp(service)).ok().map(|at| PREFIXES[at]);
    let prefix = found.map_or_else(|| service.to_lowercase(), |(_, prefix, _)| prefix.to_owned());
    let (region, account) = match found.map_or(Scope::Both, |(.., scope)| scope) {
        Scope::Both => (place.region.as_str(), place.account.as_str()),
        Scope::Account => ("", place.account.as_str()),
        Scope::Region => (place.region.as_str(), ""),
        Scope::None => ("", ""),
    };
    format!("arn:{}:{prefix}:{region}:{account}:", place.partition())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloudformation::schema::resource_type_names;

    #[test]
    fn the_table_is_sorted_and_names_services_that_exist() {
        assert!(PREFIXES.is_sorted_by_key(|(name, ..)| *name));
        for (service, ..) in PREFIXES {
            assert!(resource_type_names().any(|name| name.split("::").nth(1) == Some(service)), "{service}");
        }
    }

    #[test]
    fn arns_say_where_a_resource_is() {
        let place = Place::new("111122223333", "eu-west-1");
        assert_eq!(arn_prefix("AWS::Events::Rule", &place), "arn:aws:events:eu-west-1:111122223333:");
        assert_eq!(arn_prefix("AWS::CloudFront::Function", &place), "arn:aws:cloudfront::111122223333:");
        assert_eq!(arn_prefix("AWS::ApiGatewayV2::Api", &place), "arn:aws:apigateway:eu-west-1::");
        assert_eq!(arn_prefix("AWS::S3::StorageLens", &place), "arn:aws:s3:::");
        let place = Place::new("111122223333", "cn-north-1");
        assert_eq!(arn_prefix("AWS::StepFunctions::Activity", &place), "arn:aws-cn:states:cn-north-1:111122223333:");
    }
}
