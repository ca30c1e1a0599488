//! Writes two things into `OUT_DIR`, which the functions include at compile time:
//!
//! - `routes.rs`, the routes of `template.yaml`, for the function that answers requests that match
//!   no route (`src/site/fallback.rs`). People write the routes only in the template.
//! - The files of Swagger UI, for the documentation page (`src/docs/files.rs`).

use std::error::Error;
use std::fmt::Write as _;
use std::io::Cursor;
use std::path::Path;

use yaml_serde::Value;

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");

/// The files of Swagger UI that the documentation page needs.
const SWAGGER_UI: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> Result<(), Box<dyn Error>> {
    write_routes()?;
    extract_swagger_ui()
}

fn extract_swagger_ui() -> Result<(), Box<dyn Error>> {
    let out = std::env::var("OUT_DIR")?;
    let mut archive =
        zip::ZipArchive::new(Cursor::new(utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let path = entry.enclosed_name().unwrap_or_default();
        if let Some(name) =
            SWAGGER_UI.iter().find(|name| path.ends_with(Path::new("dist").join(name)))
        {
            std::io::copy(&mut entry, &mut std::fs::File::create(Path::new(&out).join(name))?)?;
        }
    }
    Ok(())
}

fn write_routes() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={TEMPLATE}");
    let template: Value = yaml_serde::from_str(&std::fs::read_to_string(TEMPLATE)?)?;
    let resources = template["Resources"].as_mapping().ok_or("template.yaml has no Resources")?;
    let functions =
        resources.values().filter(|resource| resource["Type"] == "AWS::Serverless::Function");
    let events = functions
        .filter_map(|function| function["Properties"]["Events"].as_mapping())
        .flat_map(|e| e.values());
    let mut list = String::from(
        "/// Method and path of every route but `$default`.\nconst ROUTES: &[(&str, &str)] = &[\n",
    );
    for event in events.filter(|event| event["Type"] == "HttpApi") {
        let properties = &event["Properties"];
        if let (Some(method), Some(path)) =
            (properties["Method"].as_str(), properties["Path"].as_str())
        {
            writeln!(list, "    ({method:?}, {path:?}),")?;
        }
    }
    list.push_str("];\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("routes.rs"), list)?;
    Ok(())
}
