use super::*;
use crate::template::scope::tests::with_scope;
use crate::template::yaml::parse;

fn check(yaml: &str, read: impl FnOnce(&mut Properties<'_>) -> Result<()>) -> String {
    let value = Value::Mapping(parse(yaml).unwrap());
    with_scope("Resources: {}", |scope| {
        let mut properties = Properties::new(scope, "Place", &value).unwrap();
        if let Err(error) = read(&mut properties) {
            return error.to_string();
        }
        properties.finish();
        let diagnostics = scope.diagnostics.take();
        if diagnostics.is_empty() { "accepted".into() } else { diagnostics.join("; ") }
    })
}

#[test]
fn every_unknown_key_is_rejected_by_name() {
    assert_eq!(
        check("{A: 1, B: 2}", |_| Ok(())),
        "Place.A: the local cloud does not support this; Place.B: the local cloud does not support this"
    );
    assert_eq!(
        check("{A: 1, B: 2}", |p| p.string("A").map(drop)),
        "Place.B: the local cloud does not support this"
    );
    assert_eq!(
        check("{A: 1, B: 2}", |p| {
            p.without_effect(&[("B", "shown nowhere")]);
            p.string("A").map(drop)
        }),
        "accepted"
    );
}

#[test]
fn an_error_about_a_malformed_value_names_its_place() {
    assert_eq!(check("{A: [1]}", |p| p.string("A").map(drop)), "Place.A: must be a string");
    assert_eq!(
        check("{A: many}", |p| p.parsed::<u32>("A").map(drop)),
        "Place.A: many is not a valid value"
    );
    assert_eq!(check("{A: 1}", |p| p.map("A").map(drop)), "Place.A: must be a map");
    assert_eq!(check("{}", |p| p.required("A").map(drop)), "Place.A: missing");
    assert_eq!(
        check("{A: x}", |p| p.only("A", &["y", "z"])),
        "Place.A: the local cloud supports only y or z, not x"
    );
}

#[test]
fn a_dynamic_reference_outside_an_environment_is_rejected() {
    let message = check("{A: '{{resolve:ssm:name}}'}", |p| p.string("A").map(drop));
    assert!(message.starts_with("Place.A: {{resolve:ssm:name}} is not known"), "{message}");
}

#[test]
fn a_single_value_counts_as_a_list_of_one() {
    assert_eq!(
        check("{A: x}", |p| {
            assert_eq!(p.strings("A")?, ["x"]);
            Ok(())
        }),
        "accepted"
    );
    assert_eq!(
        check("{A: {B: x}}", |p| {
            assert_eq!(p.maps("A")?.len(), 1);
            Ok(())
        }),
        "accepted"
    );
}
