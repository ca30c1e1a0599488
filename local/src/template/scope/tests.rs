use super::*;
use crate::template::yaml::parse;

/// Runs `check` with the scope of `template`, which has the sections `Mappings`, `Conditions` and
/// `Resources`, and in `Parameters` the value of each parameter.
pub(crate) fn with_scope<T>(template: &str, check: impl FnOnce(&Scope<'_>) -> T) -> T {
    let template = parse(template).unwrap();
    let section =
        |name: &str| template.get(name).and_then(Value::as_mapping).cloned().unwrap_or_default();
    let scope = Scope {
        stack_name: "shop".into(),
        parameters: section("Parameters")
            .into_iter()
            .map(|(k, v)| (k.as_str().unwrap().to_owned(), v))
            .collect(),
        mappings: section("Mappings"),
        conditions: section("Conditions"),
        resources: &section("Resources"),
        name_depth: Cell::new(0),
        diagnostics: Diagnostics::default(),
        notes: RefCell::default(),
    };
    check(&scope)
}

const TEMPLATE: &str = "
    Parameters: {Stage: prod, Origins: [https://a.example, https://b.example]}
    Mappings: {Sizes: {prod: {Memory: 512}, dev: {Memory: 128}}}
    Conditions: {IsProd: !Equals [!Ref Stage, prod], IsDev: !Not [{Condition: IsProd}]}
    Resources:
      Orders: {Type: 'AWS::DynamoDB::Table', Properties: {TableName: !Sub '${AWS::StackName}-orders'}}";

fn resolved(value: &str) -> Result<Option<Value>> {
    let value = parse(&format!("v: {value}")).unwrap().get("v").unwrap().clone();
    with_scope(TEMPLATE, |scope| scope.resolve(&value, "Place"))
}

#[test]
fn intrinsics_are_evaluated() {
    for (written, expected) in [
        ("!Ref Stage", "prod"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref AWS::AccountId", "'000000000000'"),
        ("!Ref Orders", "shop-orders"),
        ("!GetAtt Orders.Arn", "arn:aws:dynamodb:us-east-1:000000000000:table/shop-orders"),
        (
            "!Sub '${Orders.Arn}/index/* ${!Kept} ${AWS::Partition}'",
            "'arn:aws:dynamodb:us-east-1:000000000000:table/shop-orders/index/* ${Kept} aws'",
        ),
        ("!Sub ['${A}-${Stage}', {A: !Ref AWS::StackName}]", "shop-prod"),
        ("!Join [',', !Ref Origins]", "'https://a.example,https://b.example'"),
        ("!Select [1, !Split ['-', a-b-c]]", "b"),
        ("!FindInMap [Sizes, !Ref Stage, Memory]", "512"),
        ("!If [IsProd, yes please, !Ref Missing]", "yes please"),
        ("!If [IsDev, 1, 2]", "2"),
        ("{a: !Ref AWS::NoValue, b: [1, !If [IsDev, 2, !Ref AWS::NoValue]]}", "{b: [1]}"),
    ] {
        let expected = parse(&format!("v: {expected}")).unwrap().get("v").unwrap().clone();
        assert_eq!(resolved(written).unwrap(), Some(expected), "{written}");
    }
}

#[test]
fn an_error_names_the_intrinsic_that_cannot_be_evaluated_and_its_place() {
    for (written, error) in [
        ("{a: !ImportValue x}", "Place.a: the local cloud does not support Fn::ImportValue"),
        ("!GetAZs x", "Place: the local cloud does not support Fn::GetAZs"),
        ("[!Ref AWS::StackId]", "Place[0]: the local cloud does not support !Ref AWS::StackId"),
        ("!Ref Nothing", "Place: the template has no resource or parameter Nothing"),
        (
            "!GetAtt Orders.Color",
            "Place: the local cloud does not know the attribute Color of Orders",
        ),
        ("!Select [7, [a]]", "Place: Fn::Select 7 of a list of length 1"),
        ("!FindInMap [Sizes, prod, Disk]", "Place: Mappings has no Sizes.prod.Disk"),
        ("!If [Unknown, 1, 2]", "Place: Conditions has no Unknown"),
        ("!Equals [1, 1]", "Place: Fn::Equals is only for Conditions"),
        ("{'Fn::Sub': a, Other: b}", "Place: Fn::Sub can't be combined with other keys"),
    ] {
        assert_eq!(resolved(written).unwrap_err().to_string(), error, "{written}");
    }
}
