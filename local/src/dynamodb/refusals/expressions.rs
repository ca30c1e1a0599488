//! Mistakes in expressions that the embedded database notices only when it evaluates them, or
//! never.

use serde_json::Value;

use super::super::tokens::tokens;

/// The functions of all expressions. Their names are case-sensitive.
const FUNCTIONS: [&str; 8] = [
    "attribute_exists",
    "attribute_not_exists",
    "attribute_type",
    "begins_with",
    "contains",
    "if_not_exists",
    "list_append",
    "size",
];

/// What `attribute_type` compares with.
const TYPES: [&str; 10] = ["S", "SS", "N", "NS", "B", "BS", "BOOL", "NULL", "L", "M"];

/// Returns the message of DynamoDB's `ValidationException` if an expression has a mistake.
pub fn message(operation: &str, body: &Value) -> Option<String> {
    if !matches!(operation, "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "Query" | "Scan")
    {
        return None;
    }
    let conditions = ["ConditionExpression", "FilterExpression"];
    let others = ["KeyConditionExpression", "ProjectionExpression", "UpdateExpression"];
    conditions.iter().chain(&others).find_map(|name| {
        let expression = body.get(*name)?.as_str()?;
        let tokens = tokens(expression);
        let mistake =
            leading_underscore(&tokens).or_else(|| unknown_function(expression)).or_else(|| {
                match *name {
                    "FilterExpression" => undefined(&tokens, body),
                    _ => None,
                }
            });
        let mistake = mistake.or_else(|| {
            let is_condition = conditions.contains(name);
            is_condition.then(|| operand(&tokens, body)).flatten()
        });
        Some(format!("Invalid {name}: {}", mistake?))
    })
}

fn leading_underscore(tokens: &[&str]) -> Option<String> {
    let token = tokens.iter().find(|token| token.starts_with('_'))?;
    Some(format!("Syntax error; token: \"_\", near: \"{token}\""))
}

fn unknown_function(expression: &str) -> Option<String> {
    let keywords = ["AND", "BETWEEN", "IN", "NOT", "OR"];
    expression.match_indices('(').find_map(|(at, _)| {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let function = expression[..at].trim_end().rsplit(|c| !is_word(c)).next()?;
        let is_known = function.is_empty()
            || FUNCTIONS.contains(&function)
            || keywords.iter().any(|keyword| function.eq_ignore_ascii_case(keyword));
        (!is_known).then(|| format!("Invalid function name; function: {function}"))
    })
}

/// A placeholder without a meaning. The embedded database accepts it in a filter of no items.
fn undefined(tokens: &[&str], body: &Value) -> Option<String> {
    tokens.iter().find_map(|token| {
        let (what, place, placeholders) = match token.chars().next()? {
            ':' => ("attribute value", "expression", "ExpressionAttributeValues"),
            '#' => ("attribute name", "the document path", "ExpressionAttributeNames"),
            _ => return None,
        };
        let name = token.split('.').next()?;
        let is_defined = body.get(placeholders).is_some_and(|p| p.get(name).is_some());
        (!is_defined)
            .then(|| format!("An expression {what} used in {place} is not defined; {what}: {name}"))
    })
}

/// An operand that its operator or function doesn't take.
fn operand(tokens: &[&str], body: &Value) -> Option<String> {
    let value =
        |token: &str| body.get("ExpressionAttributeValues")?.get(token)?.as_object()?.iter().next();
    let wrong_type = |operator: &str, kind: &str| {
        format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, \
             operand type: {kind}"
        )
    };
    let compared = tokens.windows(3).find_map(|part| {
        let [left, operator, right] = part else { return None };
        if !matches!(*operator, "=" | "<>" | "<" | "<=" | ">" | ">=") {
            return None;
        }
        if left == right {
            return Some(format!(
                "The first operand must be distinct from the remaining operands for this operator \
                 or function; operator: {operator}, first operand: [{left}]"
            ));
        }
        let mut operands = [left, right].into_iter().filter_map(|token| value(token));
        let (kind, _) = operands.find(|(kind, _)| !matches!(kind.as_str(), "S" | "N" | "B"))?;
        (!matches!(*operator, "=" | "<>")).then(|| wrong_type(operator, kind))
    });
    compared.or_else(|| {
        let at = tokens.iter().position(|token| *token == "attribute_type")?;
        let (kind, name) = tokens[at..].iter().find_map(|token| value(token))?;
        match name.as_str() {
            _ if kind != "S" => Some(wrong_type("attribute_type", kind)),
            Some(name) if !TYPES.contains(&name) => Some(format!(
                "Invalid attribute type name found; type: {name}, valid types: {{{}}}",
                TYPES.join(",")
            )),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filter(expression: &str) -> Option<String> {
        let values = json!({":b": {"BOOL": true}, ":n": {"N": "1"}, ":t": {"S": "Number"}, ":s": {"S": "SS"}});
        let names = json!({"#n": "name"});
        let body = json!({
            "FilterExpression": expression,
            "ExpressionAttributeValues": values,
            "ExpressionAttributeNames": names,
        });
        message("Query", &body)
    }

    #[test]
    fn mistakes_are_named() {
        for (expression, expected) in [
            (
                "a = :x",
                "An expression attribute value used in expression is not defined; attribute value: :x",
            ),
            (
                "#x.a = :n",
                "An expression attribute name used in the document path is not defined; attribute name: #x",
            ),
            ("SIZE(a) = :n", "Invalid function name; function: SIZE"),
            (
                "NOT (a <= :b)",
                "Incorrect operand type for operator or function; operator or function: <=, operand type: BOOL",
            ),
            (
                "a = a",
                "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
            ),
            ("_a = :n", "Syntax error; token: \"_\", near: \"_a\""),
            (
                "attribute_type(a, :n)",
                "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
            ),
        ] {
            assert_eq!(
                filter(expression),
                Some(format!("Invalid FilterExpression: {expected}")),
                "{expression}"
            );
        }
        let unknown_type = filter("attribute_type(a, :t)").unwrap();
        assert!(unknown_type.contains("found; type: Number, valid types: {S,"), "{unknown_type}");
    }

    #[test]
    fn proper_expressions_are_accepted() {
        for expression in [
            "attribute_type(a, :s) AND (b < :n OR NOT(c = :b))",
            "a in(:n, :s) and size (#n.x) between :n AND :n",
            "l[0] = l[1] AND a_b = :n AND a <> b AND b <> a",
            "size(a) > size(b)",
        ] {
            assert_eq!(filter(expression), None, "{expression}");
        }
        let update = json!({
            "UpdateExpression": "SET a = if_not_exists(a, :x) + (:y), l = list_append(l, :l) REMOVE b",
        });
        assert_eq!(message("UpdateItem", &update), None);
    }
}
