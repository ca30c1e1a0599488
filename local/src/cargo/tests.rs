use super::*;

const PACKAGES: &str = r#"[
    {"name": "shared", "manifest_path": "/shop/shared/Cargo.toml", "targets": [],
     "dependencies": [{"path": "/elsewhere", "kind": null}, {"kind": null}]},
    {"name": "cloud", "manifest_path": "/shop/cloud/Cargo.toml", "targets": []},
    {"name": "functions", "manifest_path": "/shop/functions/Cargo.toml",
     "dependencies": [{"path": "/shop/shared", "kind": null}, {"path": "/shop/cloud", "kind": "dev"}],
     "targets": [{"name": "shop", "kind": ["bin"]}, {"name": "functions", "kind": ["lib"]}]},
    {"name": "greet", "manifest_path": "/shop/greet/Cargo.toml", "default_run": "greet-http",
     "targets": [{"name": "greet", "kind": ["bin"]}, {"name": "greet-http", "kind": ["bin"]}]}]"#;

fn metadata(metadata: &str) -> Vec<u8> {
    format!(
        r#"{{"workspace_root": "/shop", "target_directory": "/shop/target",
            "metadata": {metadata}, "packages": {PACKAGES}}}"#
    )
    .into_bytes()
}

fn workspace(text: &str) -> Result<Workspace> {
    Workspace::from_metadata(&metadata(text), Path::new("/shop/cloud"))
}

#[test]
fn the_sources_of_a_binary_include_path_dependencies() {
    let sources = |binaries: &[&str]| workspace("null").unwrap().sources(binaries);
    let expected = ["/shop/functions", "/shop/shared", "/elsewhere", "/shop/Cargo.toml"];
    assert_eq!(sources(&["shop"]), expected.map(PathBuf::from));
    let expected = ["/shop/greet", "/shop/Cargo.toml"];
    assert_eq!(sources(&["greet", "greet-http"]), expected.map(PathBuf::from));
}

#[test]
fn this_programs_package_is_found_in_its_own_workspace() {
    assert_eq!(workspace("null").unwrap().own_package.as_deref(), Some("cloud"));
    let elsewhere = Path::new("/home/me/.cargo/registry/src/local-0.1.0");
    assert_eq!(Workspace::from_metadata(&metadata("null"), elsewhere).unwrap().own_package, None);
}

#[test]
fn settings_and_binaries_are_read() {
    let local = r#"{"local": {"multicall": "shop", "webhook": "/hook"}}"#;
    let workspace = workspace(local).unwrap();
    let settings = &workspace.settings;
    assert_eq!(
        (settings.stack.as_str(), settings.webhook.as_deref(), settings.multicall.as_deref()),
        ("local", Some("/hook"), Some("shop"))
    );
    assert!(workspace.has_binary("shop") && !workspace.has_binary("functions"));
    let error = workspace.built("nothing", false).unwrap_err().to_string();
    assert!(error.starts_with("there is no binary /shop/target/debug/nothing"), "{error}");
}

#[test]
fn a_workspace_without_settings_has_the_defaults() {
    for metadata in ["null", "{}", r#"{"lambda": {"watch": {}}}"#] {
        let workspace = workspace(metadata).unwrap();
        assert_eq!(workspace.settings.stack, "local");
        assert_eq!(workspace.settings.webhook, None);
    }
}

#[test]
fn the_main_binary_of_a_package_is_its_only_or_default_one() {
    let workspace = workspace("null").unwrap();
    let binary = |directory| workspace.binary_of_package(Path::new(directory));
    assert_eq!(binary("/shop/functions"), Some("shop"));
    assert_eq!(binary("/shop/greet"), Some("greet-http"));
    assert_eq!(binary("/shop"), None);
}

#[test]
fn malformed_settings_are_an_error() {
    let message =
        |local: &str| format!("{:#}", workspace(&format!(r#"{{"local": {local}}}"#)).unwrap_err());
    let unknown = message(r#"{"color": 1}"#);
    assert!(unknown.contains("unknown field `color`"), "{unknown}");
}

#[tokio::test]
async fn a_folder_outside_any_workspace_has_no_workspace() {
    let directory = crate::testing::TempDir::new();
    assert!(Workspace::find(&directory.0).await.unwrap().is_none());
}

#[tokio::test]
async fn a_missing_binary_is_named_before_anything_is_built() {
    let workspace = workspace("null").unwrap();
    let error = workspace.build(&["orders-create"], false, Progress::Shown).await.unwrap_err();
    assert_eq!(error.to_string(), "the workspace /shop has no binary orders-create");
}
