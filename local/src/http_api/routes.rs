//! Finds the route of a request.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>

use std::collections::BTreeMap;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::model::HttpRoute;

/// The path of the route for requests that match no other route.
const DEFAULT: &str = "$default";

/// The routes of an API.
#[derive(Debug)]
pub(super) struct Routes(Vec<Route>);

#[derive(Debug)]
struct Route {
    /// The `routeKey` of events: `POST /orders/{id}/accept`, or `$default`.
    key: String,
    /// The method, or `None` for any.
    method: Option<String>,
    parts: Vec<Part>,
    function: String,
}

/// One part of a route's path. The variants are in order of preference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Literal(String),
    /// `{id}`, which matches exactly one part of the request's path.
    Parameter(String),
    /// `{proxy+}`, which matches one or more parts.
    Greedy(String),
}

/// The route of one request.
#[derive(Debug)]
pub(super) struct Matched<'a> {
    pub(super) key: &'a str,
    pub(super) function: &'a str,
    /// The path parameters, decoded.
    pub(super) parameters: BTreeMap<String, String>,
}

impl Routes {
    pub(super) fn new(routes: &[HttpRoute]) -> Self {
        Self(routes.iter().map(Route::new).collect())
    }

    /// Returns the route for a method and the path that the client sent, still encoded. API Gateway
    /// prefers routes without a greedy parameter, then those with literal parts, then those that
    /// name the method. It uses `$default` last. HEAD doesn't fall back to GET.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<Matched<'_>> {
        let path: Vec<_> = path.strip_prefix('/')?.split('/').map(decode).collect();
        let candidates = self
            .0
            .iter()
            .filter(|route| route.method.as_deref().is_none_or(|m| m == method.as_str()));
        let matching = candidates.filter_map(|route| Some((route.matches(&path)?, route)));
        let (parameters, route) = matching.min_by_key(|(_, route)| route.preference())?;
        Some(Matched { key: &route.key, function: &route.function, parameters })
    }
}

impl Route {
    fn new(route: &HttpRoute) -> Self {
        let function = route.function.clone();
        if route.path == DEFAULT {
            return Self { key: DEFAULT.to_owned(), method: None, parts: Vec::new(), function };
        }
        let method = route.method.to_ascii_uppercase();
        Self {
            key: format!("{method} {}", route.path),
            method: (method != "ANY").then_some(method),
            parts: route.path.trim_start_matches('/').split('/').map(Part::new).collect(),
            function,
        }
    }

    fn is_default(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns the sort key of the route. The route with the smallest key is preferred. The key has
    /// only the kinds of the parts, because routes that match the same path have the same literals.
    fn preference(&self) -> (bool, bool, Vec<u8>, bool) {
        let kinds: Vec<_> = self.parts.iter().map(Part::kind).collect();
        (self.is_default(), kinds.last() == Some(&2), kinds, self.method.is_none())
    }

    fn matches(&self, path: &[String]) -> Option<BTreeMap<String, String>> {
        let mut parameters = BTreeMap::new();
        if self.is_default() {
            return Some(parameters);
        }
        let mut rest = path;
        for part in &self.parts {
            let (first, after) = rest.split_first()?;
            rest = after;
            match part {
                Part::Literal(literal) if literal == first => {}
                Part::Parameter(name) if !first.is_empty() => {
                    parameters.insert(name.clone(), first.clone());
                }
                Part::Greedy(name) if !(first.is_empty() && after.is_empty()) => {
                    parameters.insert(name.clone(), path[path.len() - after.len() - 1..].join("/"));
                    return Some(parameters);
                }
                _ => return None,
            }
        }
        rest.is_empty().then_some(parameters)
    }
}

impl Part {
    fn new(part: &str) -> Self {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            None => Self::Literal(part.to_owned()),
            Some(name) => match name.strip_suffix('+') {
                None => Self::Parameter(name.to_owned()),
                Some(name) => Self::Greedy(name.to_owned()),
            },
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Parameter(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}

/// Percent-decodes a part of a path, where `+` is a plus. Bytes that are not UTF-8 become U+FFFD,
/// because events are JSON.
pub(super) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(keys: &[&str]) -> Routes {
        let route = |key: &&str| {
            let (method, path) = key.split_once(' ').unwrap_or(("ANY", key));
            HttpRoute {
                method: method.to_owned(),
                path: path.to_owned(),
                function: key.to_lowercase(),
            }
        };
        Routes::new(&keys.iter().map(route).collect::<Vec<_>>())
    }

    fn key<'a>(routes: &'a Routes, request: &str) -> Option<&'a str> {
        let (method, path) = request.split_once(' ').unwrap();
        routes.find(&method.parse().unwrap(), path).map(|matched| matched.key)
    }

    #[test]
    fn the_most_specific_route_wins_as_in_the_example_of_aws() {
        let routes = routes(&[
            "$default",
            "ANY /{proxy+}",
            "GET /pets/{proxy+}",
            "GET /pets/dog/{id}",
            "GET /pets/dog/1",
        ]);
        assert_eq!(key(&routes, "GET /pets/dog/1"), Some("GET /pets/dog/1"));
        assert_eq!(key(&routes, "GET /pets/dog/2"), Some("GET /pets/dog/{id}"));
        assert_eq!(key(&routes, "GET /pets/cat/1"), Some("GET /pets/{proxy+}"));
        assert_eq!(key(&routes, "POST /test/5"), Some("ANY /{proxy+}"));
        assert_eq!(key(&routes, "POST /"), Some("$default"));
    }

    #[test]
    fn routes_without_a_greedy_part_and_routes_that_name_the_method_are_preferred() {
        let routes =
            routes(&["GET /x/{rest+}", "GET /{a}/b", "ANY /orders/{id}", "GET /orders/{id}"]);
        assert_eq!(key(&routes, "GET /x/b"), Some("GET /{a}/b"));
        assert_eq!(key(&routes, "GET /orders/1"), Some("GET /orders/{id}"));
        assert_eq!(key(&routes, "PUT /orders/1"), Some("ANY /orders/{id}"));
    }

    #[test]
    fn another_method_or_another_path_has_no_route() {
        let routes = routes(&["GET /orders", "GET /orders/{id}", "GET /files/{path+}"]);
        for request in [
            "POST /orders",
            "HEAD /orders",
            "GET /orders/",
            "GET /orders/1/2",
            "GET /files",
            "GET /files/",
        ] {
            assert_eq!(key(&routes, request), None, "{request}");
        }
    }

    #[test]
    fn parameters_are_decoded_part_by_part() {
        let routes = routes(&["GET /orders/{id}/files/{path+}"]);
        let matched = routes.find(&Method::GET, "/orders/a%2Fb+%C3%A9/files/x%20y/z").unwrap();
        assert_eq!(matched.parameters["id"], "a/b+é");
        assert_eq!(matched.parameters["path"], "x y/z");
        assert_eq!(matched.function, "get /orders/{id}/files/{path+}");
    }
}
