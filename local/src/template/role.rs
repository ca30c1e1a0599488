//! `AWS::IAM::Role`, for functions that name a role instead of having SAM create one.

use anyhow::Result;

use super::model::Statement;
use super::policy;
use super::properties::Properties;

/// An IAM role and what it allows.
pub(super) struct Role {
    /// Its ARN.
    pub(super) arn: String,
    /// The statements of its policies.
    pub(super) statements: Vec<Statement>,
}

/// Reads the role with this ARN.
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
        ("AssumeRolePolicyDocument", "every function may assume its role here"),
        ("Description", "shown in the console"),
        ("MaxSessionDuration", "credentials do not expire here"),
        ("Path", "a part of the ARN that nothing depends on"),
        ("RoleName", "already read as part of the ARN"),
        ("Tags", "tags are for billing"),
    ]);
    properties.finish();
    Ok(Role { arn, statements })
}
