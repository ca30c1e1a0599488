//! Whatever no route takes (`$default`): 405 with `Allow` for an address that has other methods,
//! 404 for one that is none. Without it, API Gateway would say 404 to both, and not as a problem
//! document.

use http::Method;
use http::header::ALLOW;
use shared::error::{Error, Result, catalogue};

use crate::http::{Reply, Request};
use crate::runtime::context::Nothing;

include!(concat!(env!("OUT_DIR"), "/routes.rs"));

/// Says what is wrong with the address or the method; `OPTIONS` is answered with `Allow` (RFC 9110,
/// section 9.3.7).
///
/// # Errors
/// 405 and 404, always.
pub async fn handle(_: &Nothing, request: Request) -> Result<Reply> {
    let path = request.path();
    let methods = methods(path);
    if methods.is_empty() {
        let nothing = match path.strip_suffix('/') {
            Some(path) if !self::methods(path).is_empty() => {
                "There is nothing here. Leave out the slash at the end."
            }
            _ => "There is nothing here. GET / says where things are.",
        };
        return Err(Error::new(&catalogue::NOT_FOUND, nothing));
    }
    if request.method() == Method::OPTIONS {
        return Reply::no_content().header(ALLOW, &methods.join(", "));
    }
    Err(Error::method_not_allowed(&methods))
}

/// The methods of the routes that take this path, and OPTIONS; empty when there are none.
fn methods(path: &str) -> Vec<&'static str> {
    let matching = ROUTES.iter().filter(|(_, route)| takes(route, path));
    let mut methods: Vec<_> = matching.map(|(method, _)| *method).collect();
    if !methods.is_empty() {
        methods.push("OPTIONS");
    }
    methods.sort_unstable();
    methods.dedup();
    methods
}

/// Whether a path is one of this route's: as API Gateway matches them, part by part.
fn takes(route: &str, path: &str) -> bool {
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
    fn a_route_takes_the_paths_that_api_gateway_gives_it() {
        for (route, path) in [
            ("/", "/"),
            ("/orders/{id}/accept", "/orders/1/accept"),
            ("/docs/{path+}", "/docs/a/b"),
        ] {
            assert!(takes(route, path), "{route} {path}");
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
            assert!(!takes(route, path), "{route} {path}");
        }
    }

    #[test]
    fn the_methods_of_an_address_are_those_of_all_its_routes() {
        assert_eq!(methods("/services"), ["GET", "HEAD", "OPTIONS", "POST"]);
        assert_eq!(methods("/nowhere"), [""; 0]);
    }
}
