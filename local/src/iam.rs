//! IAM for the functions: finds out which function is calling, and whether its policy allows the
//! call. Each function has its own access key id, so that a permission that the template lacks is
//! denied here as well. Keys that belong to no function (those of a developer's CLI or of the local
//! cloud itself) may do everything. Signatures are not checked.

use std::collections::HashMap;

use data_encoding::BASE32_NOPAD;
use ring::digest;

use crate::model::{Project, Statement};

/// Returns the access key id of a function (`AWS_ACCESS_KEY_ID` in its environment): 20 characters,
/// the same in every run.
pub fn access_key_id(function_name: &str) -> String {
    let hash = digest::digest(&digest::SHA256, function_name.as_bytes());
    let mut id = BASE32_NOPAD.encode(&hash.as_ref()[..10]);
    id.insert_str(0, "AKIA");
    id
}

/// Returns the access key id in a SigV4 `Authorization` header: `AWS4-HMAC-SHA256
/// Credential=<id>/<date>/<region>/<service>/aws4_request, ...`.
pub fn credential(authorization: &str) -> Option<&str> {
    let (_, after) = authorization.split_once("Credential=")?;
    after.split(['/', ',', ' ']).next().filter(|id| !id.is_empty())
}

/// Evaluates the functions' policies.
#[derive(Debug, Clone, Default)]
pub struct Iam {
    callers: HashMap<String, Caller>,
}

/// A function as an IAM principal.
#[derive(Debug, Clone)]
pub struct Caller {
    /// [`crate::model::Function::name`].
    pub function: String,
    session: String,
    policy: Vec<Statement>,
}

impl Iam {
    /// Reads the policies of a project's functions.
    pub fn new(project: &Project) -> Self {
        let caller = |f: &crate::model::Function| Caller {
            function: f.name.clone(),
            // As on AWS, the session has the function's deployed name. SAM would generate a name
            // for the role. Here the role is named after the function.
            session: format!(
                "arn:aws:sts::{}:assumed-role/{}/{}",
                account(&f.arn),
                f.name,
                f.function_name
            ),
            policy: f.policy.clone(),
        };
        Self {
            callers: project
                .functions
                .iter()
                .map(|f| (access_key_id(&f.name), caller(f)))
                .collect(),
        }
    }

    /// Returns the function with this access key id, or `None` for a key that may do everything.
    pub fn caller(&self, access_key_id: &str) -> Option<&Caller> {
        self.callers.get(access_key_id)
    }

    /// Whether the owner of a key may perform `action` (`lambda:InvokeFunction`) on `resource` (an
    /// ARN).
    pub fn allows(&self, access_key_id: &str, action: &str, resource: &str) -> bool {
        self.caller(access_key_id).is_none_or(|caller| caller.allows(action, resource, &[]))
    }
}

impl Caller {
    /// Whether one of the function's statements allows `action` on `resource`, for a request about
    /// items with the partition keys `leading_keys`.
    ///
    /// `dynamodb:LeadingKeys` is a `ForAllValues` condition, which also holds for requests without
    /// such keys, such as a Scan:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.
    pub fn allows(&self, action: &str, resource: &str, leading_keys: &[String]) -> bool {
        self.policy.iter().any(|statement| {
            // Actions are case-insensitive, but ARNs are not.
            statement
                .actions
                .iter()
                .any(|a| matches(&a.to_ascii_lowercase(), &action.to_ascii_lowercase()))
                && statement.resources.iter().any(|r| matches(r, resource))
                && statement.leading_keys.as_ref().is_none_or(|patterns| {
                    leading_keys.iter().all(|key| patterns.iter().any(|p| matches(p, key)))
                })
        })
    }

    /// Returns AWS's message for a denied action.
    pub fn denial(&self, action: &str, resource: &str) -> String {
        format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} because no \
             identity-based policy allows the {action} action",
            self.session
        )
    }
}

/// Whether `text` matches a pattern with IAM's wildcards: `*` stands for any number of characters,
/// including `:` and `/`, and `?` for exactly one.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // The position of the last `*` in the pattern, and the end of the text that it stands for. If
    // the rest doesn't match, the `*` takes one more character.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, end)) => {
                    retry = Some((star, end + 1));
                    p = star + 1;
                    t = end + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// Returns the account id in an ARN.
fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn iam(statements: Vec<Statement>) -> Iam {
        Iam::new(&Project {
            functions: vec![testing::function("orders-get", statements)],
            ..Project::default()
        })
    }

    fn statement(action: &str, resource: &str) -> Statement {
        Statement {
            actions: vec![action.into()],
            resources: vec![resource.into()],
            leading_keys: None,
        }
    }

    const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/marketplace";

    #[test]
    fn access_key_ids_are_stable_and_look_like_aws_ids() {
        let id = access_key_id("orders-get");
        assert_eq!(id, access_key_id("orders-get"));
        assert_ne!(id, access_key_id("orders-list"));
        assert_eq!(id.len(), 20);
        assert!(
            id.starts_with("AKIA")
                && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        );
    }

    #[test]
    fn the_access_key_id_is_found_in_an_authorization_header() {
        let header = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20250101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00";
        assert_eq!(credential(header), Some("AKIAEXAMPLE"));
        assert_eq!(credential("Bearer abc"), None);
    }

    #[test]
    fn a_function_may_only_do_what_its_policy_allows() {
        let iam = iam(vec![statement("dynamodb:GetItem", TABLE)]);
        let key = access_key_id("orders-get");
        assert!(iam.allows(&key, "dynamodb:GetItem", TABLE));
        assert!(!iam.allows(&key, "dynamodb:PutItem", TABLE));
        assert!(!iam.allows(&key, "dynamodb:GetItem", &format!("{TABLE}/index/by-state")));
        assert!(!iam.allows(&key, "dynamodb:GetItem", &TABLE.to_uppercase()));
    }

    #[test]
    fn an_unknown_key_may_do_everything() {
        assert!(iam(vec![]).allows("AKIADEVELOPER", "dynamodb:DeleteTable", TABLE));
    }

    #[test]
    fn actions_are_case_insensitive_and_may_have_wildcards() {
        let key = access_key_id("orders-get");
        assert!(iam(vec![statement("dynamodb:getitem", TABLE)]).allows(
            &key,
            "dynamodb:GetItem",
            TABLE
        ));
        assert!(iam(vec![statement("dynamodb:*Get*", TABLE)]).allows(
            &key,
            "dynamodb:BatchGetItem",
            TABLE
        ));
        assert!(!iam(vec![statement("lambda:*", TABLE)]).allows(&key, "dynamodb:GetItem", TABLE));
    }

    #[test]
    fn wildcards_in_resources_match_across_separators() {
        let index = format!("{TABLE}/index/by-state");
        for (pattern, matching) in [
            ("*", true),
            ("arn:aws:dynamodb:*:*:table/marketplace/index/*", true),
            ("arn:aws:dynamodb:us-east-?:000000000000:table/marketplace*", true),
            ("arn:*:table/marketplace/index/by-state", true),
            ("arn:aws:dynamodb:*:*:table/marketplace", false),
            ("arn:aws:dynamodb:*:*:table/marketplace/index/by-state?", false),
            ("*index", false),
        ] {
            assert_eq!(matches(pattern, &index), matching, "{pattern}");
        }
        assert!(matches("a*b*c", "a-b-b-c") && !matches("a*b*c", "a-b-b-d"));
    }

    #[test]
    fn every_leading_key_must_match_a_pattern() {
        let statement = Statement {
            leading_keys: Some(vec!["ORDER#*".into(), "FEED".into()]),
            ..statement("dynamodb:*", TABLE)
        };
        let iam = iam(vec![statement]);
        let key = access_key_id("orders-get");
        let caller = iam.caller(&key).unwrap();
        let keys = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(caller.allows("dynamodb:GetItem", TABLE, &keys(&["ORDER#1", "FEED"])));
        assert!(!caller.allows("dynamodb:GetItem", TABLE, &keys(&["ORDER#1", "USER#1"])));
        assert!(caller.allows("dynamodb:Scan", TABLE, &[]));
    }

    #[test]
    fn a_denial_has_the_message_of_aws() {
        let iam = iam(vec![]);
        let key = access_key_id("orders-get");
        assert_eq!(
            iam.caller(&key).unwrap().denial("dynamodb:PutItem", TABLE),
            "User: arn:aws:sts::000000000000:assumed-role/orders-get/orders-get is not authorized \
             to perform: dynamodb:PutItem on resource: \
             arn:aws:dynamodb:us-east-1:000000000000:table/marketplace because no identity-based \
             policy allows the dynamodb:PutItem action"
        );
    }
}
