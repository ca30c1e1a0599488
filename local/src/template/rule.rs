//! `AWS::Events::Rule` with a schedule, for templates that don't use a function's `Schedule` event.

use anyhow::{Context, Result, ensure};

use super::events::json_text;
use super::gateway_v2::Permissions;
use super::model::{Project, Schedule};
use super::properties::Properties;

/// The service principal that invokes the targets of rules.
const PRINCIPAL: &str = "events.amazonaws.com";

/// A schedule and the functions it invokes.
pub(super) struct Rule {
    logical_id: String,
    expression: String,
    targets: Vec<Target>,
}

struct Target {
    /// Where the template names the function.
    place: String,
    arn: String,
    input: Option<serde_json::Value>,
}

/// Reads a rule. Returns `None` if it is disabled.
///
/// # Errors
/// When a property is malformed, or a target has no ARN.
pub(super) fn read_rule(logical_id: &str, mut properties: Properties<'_>) -> Result<Option<Rule>> {
    if properties.reject_if_present("EventPattern") {
        properties.without_effect(&[("ScheduleExpression", "the whole rule is rejected")]);
    }
    let expression = properties.string("ScheduleExpression")?.unwrap_or_default();
    properties.only("EventBusName", &["default"])?;
    let enabled = properties.string("State")?.is_none_or(|state| state == "ENABLED");
    let mut targets = Vec::new();
    for mut target in properties.maps("Targets")? {
        target.without_effect(&[("Id", "a name for people")]);
        targets.push(Target {
            place: target.at("Arn"),
            arn: target.required("Arn")?,
            input: json_text(&mut target, "Input")?,
        });
        target.finish();
    }
    properties.without_effect(&[
        ("Description", "shown in the console"),
        ("Name", "shown in the console"),
        ("Tags", "tags are for billing"),
    ]);
    properties.finish();
    Ok(enabled.then_some(Rule { logical_id: logical_id.to_owned(), expression, targets }))
}

impl Rule {
    /// Adds the schedule to the functions that are the rule's targets.
    ///
    /// # Errors
    /// When a target is not a function of the template, or EventBridge may not invoke it.
    pub(super) fn connect(&self, project: &mut Project, permissions: &Permissions) -> Result<()> {
        for Target { place, arn, input } in &self.targets {
            let function = project.functions.iter_mut().find(|f| f.arn == *arn);
            let function = function
                .with_context(|| format!("{place}: {arn} is not a function of this template"))?;
            ensure!(
                permissions.allow(function, PRINCIPAL),
                "{place}: {} has no AWS::Lambda::Permission for {PRINCIPAL}",
                function.logical_id
            );
            function.schedules.push(Schedule {
                name: format!("{}/{}", function.name, self.logical_id),
                expression: self.expression.clone(),
                input: input.clone(),
            });
        }
        Ok(())
    }
}
