//! Reads a SAM template into a [`model`] of the project.
//!
//! A template that uses something the local cloud does not support is rejected, with an error that
//! names every such place at once. Properties without a visible effect on one machine are ignored.
//! Each reader lists the properties that it ignores, with reasons.

mod api;
mod attributes;
mod conditions;
mod diagnostics;
mod events;
mod function;
mod gateway_v2;
mod globals;
pub(crate) mod model;
mod parameters;
mod policy;
mod properties;
mod resources;
mod role;
mod rule;
mod scope;
mod storage;
#[cfg(test)]
mod tests;
mod yaml;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use yaml_serde::{Mapping, Value};

pub(crate) use self::scope::{ACCOUNT, REGION, UNKNOWN};

use self::diagnostics::Diagnostics;
use self::model::Project;
use self::properties::UNSUPPORTED;
use self::scope::Scope;

/// The inputs of a deployment other than the template.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deployment {
    /// `AWS::StackName`.
    pub(crate) stack_name: String,
    /// Values of parameters, instead of their defaults.
    pub(crate) parameters: BTreeMap<String, String>,
}

/// Sections of a template that describe no resource, each with the reason why it is ignored.
const SECTIONS_WITHOUT_EFFECT: &[(&str, &str)] = &[
    ("AWSTemplateFormatVersion", "there is only one version"),
    ("Description", "for people"),
    ("Metadata", "for tools"),
    ("Outputs", "printed after a deployment"),
    ("Rules", "checked before a deployment to AWS"),
];

/// Reads the template at `path`.
///
/// # Errors
/// When the file can't be read, or when the template is malformed or uses something that the local
/// cloud doesn't support. The message names every such place with its line.
pub(crate) fn load(path: &Path, deployment: &Deployment) -> Result<Project> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the template {}", path.display()))?;
    read(&text, deployment)
        .with_context(|| format!("the template {} is not usable", path.display()))
}

fn read(text: &str, deployment: &Deployment) -> Result<Project> {
    let mut template = yaml::parse(text)?;
    let diagnostics = Diagnostics::default();
    for (section, _reason) in SECTIONS_WITHOUT_EFFECT {
        template.remove(section);
    }
    match template.remove("Transform") {
        None => {}
        Some(Value::String(transform)) if transform == "AWS::Serverless-2016-10-31" => {}
        Some(Value::Sequence(transforms))
            if transforms.iter().all(|t| t == "AWS::Serverless-2016-10-31") => {}
        Some(_) => {
            diagnostics.add("Transform: the local cloud supports only AWS::Serverless-2016-10-31")
        }
    }
    let parameters =
        parameters::values(&section(&mut template, "Parameters")?, &deployment.parameters)?;
    let mappings = section(&mut template, "Mappings")?;
    let conditions = section(&mut template, "Conditions")?;
    let globals = section(&mut template, "Globals")?;
    let mut resources = section(&mut template, "Resources")?;
    for other in template.keys().filter_map(Value::as_str) {
        diagnostics.add(format!("{other}: {UNSUPPORTED}"));
    }
    let unmerged = resources.clone();
    globals::apply(&globals, &mut resources, &diagnostics);
    let stack_name = deployment.stack_name.clone();
    let scope = Scope {
        stack_name,
        parameters,
        mappings,
        conditions,
        resources: &resources,
        name_depth: Cell::new(0),
        diagnostics,
        notes: RefCell::default(),
    };
    let project = resources::read(&scope)?;
    if resources.is_empty() && scope.diagnostics.is_empty() {
        bail!("Resources: missing");
    }
    scope.diagnostics.into_result(text, &globals, &unmerged)?;
    Ok(project)
}

fn section(template: &mut Mapping, name: &str) -> Result<Mapping> {
    match template.remove(name) {
        None | Some(Value::Null) => Ok(Mapping::new()),
        Some(Value::Mapping(section)) => Ok(section),
        Some(_) => bail!("{name}: must be a map"),
    }
}
