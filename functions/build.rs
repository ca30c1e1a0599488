//! The routes of `template.yaml`, as a list for the function that answers when no route fits (`src/site/fallback.rs`). The template stays the
//! only place where routes are written down.

use std::error::Error;
use std::fmt::Write as _;

use serde_norway::Value;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={TEMPLATE}");
    let template: Value = serde_norway::from_str(&std::fs::read_to_string(TEMPLATE)?)?;
    let resources = template["Resources"].as_mapping().ok_or("template.yaml has no Resources")?;
    let functions = resources.values().filter(|resource| resource["Type"] == "AWS::Serverless::Function");
    let events =
        functions.filter_map(|function| function["Properties"]["Events"].as_mapping()).flat_map(|e| e.values());
    let mut list =
        String::from("/// Method and path of every route but `$default`.\nconst ROUTES: &[(&str, &str)] = &[\n");
    for event in events.filter(|event| event["Type"] == "HttpApi") {
        let properties = &event["Properties"];
        if let (Some(method), Some(path)) = (properties["Method"].as_str(), properties["Path"].as_str()) {
            writeln!(list, "    ({method:?}, {path:?}),")?;
        }
    }
    list.push_str("];\n");
    std::fs::write(std::path::Path::new(&std::env::var("OUT_DIR")?).join("routes.rs"), list)?;
    Ok(())
}
