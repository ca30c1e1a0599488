//! `AWS::IAM::Role`, for functions that name one instead of having SAM make it.

use anyhow::Result;

use super::model::Statement;
use super::policy;
use super::properties::Properties;

/// A role and what it allows.
pub(super) struct Role {
    /// Its ARN.
    pub(super) arn: String,
    /// The statements of its policies.
    pub(super) statements: Vec<Statement>,
}

/// Reads a role. `arn` is its own.
///
/// # Errors
/// When a policy is malformed.
pub(super) fn read_role(arn: String, mut properties: Properties<'_>) -> Result<Role> {
    let mut statements = Vec::new();
    for mut policy in properties.maps("Policies")? {
        policy.without_effect(&[("PolicyName", "a name for people")]);
        if let Some(document) = policy.map("PolicyDocument")? {
            statements.extend(policy::read_document(document)?);
        }
        policy.finish();
    }
    for name in properties.strings("ManagedPolicyArns")? {
        statements.extend(policy::managed(&name, &properties, "ManagedPolicyArns"));
    }
    properties.without_effect(&[
        ("AssumeRolePolicyDocument", "every function may take its role here"),
        ("Description", "shown in the console"),
        ("MaxSessionDuration", "nothing here expires"),
        ("Path", "a part of its ARN that nothing depends on"),
        ("RoleName", "read with its ARN"),
        ("Tags", "tags are for the bill"),
    ]);
    properties.finish();
    Ok(Role { arn, statements })
}
