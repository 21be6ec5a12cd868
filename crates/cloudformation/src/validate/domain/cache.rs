//! ElastiCache: what cluster mode asks of a replication group.

use super::{Subject, plain};
use crate::validate::finding::Finding;
use crate::validate::rules;

/// With cluster mode, automatic failover must be on ("AutomaticFailoverEnabled" of `AWS::ElastiCache::ReplicationGroup`).
pub fn check(subject: &Subject<'_, '_>, found: &mut Vec<Finding>) {
    if subject.resource_type != "AWS::ElastiCache::ReplicationGroup" {
        return;
    }
    for failover in subject.at("AutomaticFailoverEnabled") {
        let off = plain(failover.value).is_some_and(|text| text.eq_ignore_ascii_case("false"));
        let groups = subject.spots(subject.properties, "CacheParameterGroupName", &failover.assumed);
        let in_clusters = groups.iter().any(|group| match subject.facts.referred(group.value) {
            Some(name) => {
                let settings = subject.facts.property(name, &["Properties", "cluster-enabled"], &group.assumed);
                settings.iter().any(|(setting, assumed)| {
                    plain(setting) == Some("yes") && subject.facts.conditions.possible(assumed)
                })
            }
            // `default.redis7.cluster.on`: the parameter groups that AWS has for it.
            None => {
                plain(group.value).is_some_and(|name| name.starts_with("default.") && name.ends_with(".cluster.on"))
            }
        });
        if off && in_clusters {
            let message = "AutomaticFailoverEnabled must be true: the parameter group turns cluster mode on";
            let finding = subject.finding(rules::CACHE_FAILOVER, message, failover.value.span, &failover.path);
            found.push(finding.with_remedy("Set AutomaticFailoverEnabled to true, or take another parameter group."));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::validate::{Options, validate_text};

    #[test]
    fn cluster_mode_needs_failover() {
        let errors = |group: &str, failover: &str| {
            let text = format!(
                "Parameters: {{Mode: {{Type: String}}}}\nConditions: {{On: !Equals [!Ref Mode, on]}}\nResources:\n  \
                 P: {{Type: AWS::ElastiCache::ParameterGroup, Properties: {{CacheParameterGroupFamily: redis7, \
                 Description: d, Properties: {{cluster-enabled: !If [On, 'yes', 'no']}}}}}}\n  \
                 G: {{Type: AWS::ElastiCache::ReplicationGroup, Properties: {{ReplicationGroupDescription: d, \
                 CacheNodeType: cache.t3.micro, NumNodeGroups: 2, CacheParameterGroupName: {group}, \
                 AutomaticFailoverEnabled: {failover}}}}}\n"
            );
            let found = validate_text(&text, &Options::default());
            found.iter().filter(|one| one.rule.id == "cache-failover").map(|one| one.path.clone()).collect::<Vec<_>>()
        };
        let wrong = ["/Resources/G/Properties/AutomaticFailoverEnabled"];
        assert_eq!(errors("!Ref P", "false"), wrong);
        assert_eq!(errors("!Ref P", "true"), [""; 0]);
        assert_eq!(errors("!Ref P", "!If [On, true, false]"), [""; 0]);
        assert_eq!(errors("default.redis7.cluster.on", "'false'"), wrong);
        assert_eq!(errors("default.redis7", "false"), [""; 0]);
    }
}
