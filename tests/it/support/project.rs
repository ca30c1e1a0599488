//! Files of this project.

use yaml_serde::Value;

use super::workspace;

/// Reads a file, by its path from the root of the workspace.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(workspace().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Parses template.yaml.
pub fn template() -> Value {
    yaml_serde::from_str(&read("template.yaml")).expect("the template is YAML")
}

/// Returns the logical id and the properties of each resource of a type.
pub fn resources(template: &Value, kind: &str) -> Vec<(String, Value)> {
    let all = template["Resources"].as_mapping().expect("resources");
    let of_kind = all.iter().filter(|(_, resource)| resource["Type"] == kind);
    let name = |id: &Value| id.as_str().expect("a logical id").to_owned();
    of_kind.map(|(id, resource)| (name(id), resource["Properties"].clone())).collect()
}
