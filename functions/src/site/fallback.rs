//! `$default`: answers requests that match no route: with 405 and `Allow` when the path has other
//! methods, otherwise with 404. API Gateway itself would answer both with a 404 that is not a
//! problem document.

use http::Method;
use http::header::ALLOW;
use shared::error::{Error, Result, catalogue};

use crate::http::{Reply, Request};
use crate::runtime::context::Nothing;

include!(concat!(env!("OUT_DIR"), "/routes.rs"));

/// Answers `OPTIONS` with `Allow` (RFC 9110, section 9.3.7), and refuses everything else.
///
/// # Errors
/// 405 or 404, for every method but `OPTIONS`.
pub async fn handle(_: &Nothing, request: Request) -> Result<Reply> {
    let path = request.path();
    let methods = methods(path);
    if methods.is_empty() {
        let detail = match path.strip_suffix('/') {
            Some(path) if !self::methods(path).is_empty() => {
                "There is nothing at this path. Remove the trailing slash."
            }
            _ => "There is nothing at this path. GET / lists the main endpoints.",
        };
        return Err(Error::new(&catalogue::NOT_FOUND, detail));
    }
    if request.method() == Method::OPTIONS {
        return Reply::no_content().header(ALLOW, &methods.join(", "));
    }
    Err(Error::method_not_allowed(&methods))
}

/// The methods of the routes that match this path, and OPTIONS. Empty when no route matches.
fn methods(path: &str) -> Vec<&'static str> {
    let matching = ROUTES.iter().filter(|(_, route)| route_matches(route, path));
    let mut methods: Vec<_> = matching.map(|(method, _)| *method).collect();
    if !methods.is_empty() {
        methods.push("OPTIONS");
    }
    methods.sort_unstable();
    methods.dedup();
    methods
}

/// Whether a route matches a path, part by part as in API Gateway.
fn route_matches(route: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for expected in route.split('/') {
        let is_parameter = expected.starts_with('{');
        match parts.next() {
            Some(part) if !part.is_empty() && expected.ends_with("+}") => return true,
            Some(part) if if is_parameter { !part.is_empty() } else { part == expected } => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_matches_the_same_paths_as_in_api_gateway() {
        for (route, path) in [
            ("/", "/"),
            ("/orders/{id}/accept", "/orders/1/accept"),
            ("/docs/{path+}", "/docs/a/b"),
        ] {
            assert!(route_matches(route, path), "{route} {path}");
        }
        for (route, path) in [
            ("/", "/x"),
            ("/orders", "/orders/"),
            ("/orders/{id}", "/orders/"),
            ("/orders/{id}", "/orders/1/2"),
            ("/orders/{id}/accept", "/orders/1"),
            ("/docs/{path+}", "/docs"),
            ("/docs/{path+}", "/docs/"),
        ] {
            assert!(!route_matches(route, path), "{route} {path}");
        }
    }

    #[test]
    fn the_methods_of_a_path_are_those_of_all_its_routes() {
        assert_eq!(methods("/services"), ["GET", "HEAD", "OPTIONS", "POST"]);
        assert_eq!(methods("/nowhere"), [""; 0]);
    }
}
