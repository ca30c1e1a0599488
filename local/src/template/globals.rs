//! `Globals`, merged into each resource as SAM does: maps are merged, lists are concatenated, and
//! other values are overridden.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>

use yaml_serde::{Mapping, Value};

use super::diagnostics::Diagnostics;
use super::properties::UNSUPPORTED;
use super::scope::intrinsic;

/// The sections of `Globals` and the resource type of each.
const SECTIONS: [(&str, &str); 4] = [
    ("Function", "AWS::Serverless::Function"),
    ("HttpApi", "AWS::Serverless::HttpApi"),
    ("SimpleTable", "AWS::Serverless::SimpleTable"),
    ("WebSocketApi", "AWS::Serverless::WebSocketApi"),
];

/// Merges each section of `Globals` into the `Properties` of the resources of its type. Unsupported
/// sections are added to `diagnostics`.
pub(super) fn apply(globals: &Mapping, resources: &mut Mapping, diagnostics: &Diagnostics) {
    for (section, defaults) in globals {
        let section = section.as_str().unwrap_or_default();
        let Some((_, resource_type)) = SECTIONS.iter().find(|(name, _)| *name == section) else {
            diagnostics.add(format!("Globals.{section}: {UNSUPPORTED}"));
            continue;
        };
        for resource in resources.values_mut().filter_map(Value::as_mapping_mut) {
            if resource.get("Type").and_then(Value::as_str) == Some(resource_type) {
                let own =
                    resource.remove("Properties").unwrap_or_else(|| Value::Mapping(Mapping::new()));
                resource.insert("Properties".into(), merged(defaults, own));
            }
        }
    }
}

fn merged(global: &Value, own: Value) -> Value {
    // SAM treats an intrinsic as a scalar.
    if intrinsic(global).is_some() || intrinsic(&own).is_some() {
        return own;
    }
    match (global, own) {
        (Value::Mapping(global), Value::Mapping(mut own)) => {
            for (key, global) in global {
                let value = match own.remove(key) {
                    Some(own) => merged(global, own),
                    None => global.clone(),
                };
                own.insert(key.clone(), value);
            }
            Value::Mapping(own)
        }
        (Value::Sequence(global), Value::Sequence(own)) => {
            Value::Sequence(global.iter().cloned().chain(own).collect())
        }
        (_, own) => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::yaml::parse;

    fn apply_to(template: &str) -> (Mapping, Vec<String>) {
        let mut template = parse(template).unwrap();
        let mut resources = template.remove("Resources").unwrap().as_mapping().unwrap().clone();
        let diagnostics = Diagnostics::default();
        apply(template["Globals"].as_mapping().unwrap(), &mut resources, &diagnostics);
        (resources, diagnostics.take())
    }

    #[test]
    fn maps_merge_lists_are_concatenated_and_scalars_are_overridden() {
        let (resources, _) = apply_to(
            "
            Globals: {Function: {Timeout: 3, MemorySize: 128, Layers: [a], Environment: {Variables: {A: 1, B: 1}}, Tags: {T: 1}}}
            Resources:
              F: {Type: 'AWS::Serverless::Function', Properties: {Timeout: 9, Layers: [b], Environment: {Variables: {B: !Ref X}}, Tags: !Ref T}}
              G: {Type: 'AWS::Serverless::Function'}
              Q: {Type: 'AWS::SQS::Queue'}",
        );
        let expected = parse(
            "
            F: {Type: 'AWS::Serverless::Function', Properties: {Timeout: 9, MemorySize: 128, Layers: [a, b], Environment: {Variables: {A: 1, B: !Ref X}}, Tags: !Ref T}}
            G: {Type: 'AWS::Serverless::Function', Properties: {Timeout: 3, MemorySize: 128, Layers: [a], Environment: {Variables: {A: 1, B: 1}}, Tags: {T: 1}}}
            Q: {Type: 'AWS::SQS::Queue'}",
        );
        assert_eq!(resources, expected.unwrap());
    }

    #[test]
    fn an_unsupported_section_is_rejected_by_name() {
        let (_, diagnostics) = apply_to("{Globals: {StateMachine: {}}, Resources: {}}");
        assert_eq!(diagnostics, ["Globals.StateMachine: the local cloud does not support this"]);
    }
}
