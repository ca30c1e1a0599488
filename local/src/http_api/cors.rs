//! CORS as configured in the template. The gateway answers preflights itself and replaces the CORS
//! headers of functions.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN,
};
use http::{HeaderMap, Method};

use crate::model::Cors;

/// Whether a request is a preflight, which the gateway answers without a function.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

impl Cors {
    /// Replaces the CORS headers of a response. `request` has the headers of the request. An origin
    /// that is not allowed gets no CORS headers.
    pub(super) fn apply(&self, request: &HeaderMap, is_preflight: bool, response: &mut HeaderMap) {
        let from_function: Vec<_> = response
            .keys()
            .filter(|name| name.as_str().starts_with("access-control-"))
            .cloned()
            .collect();
        for name in from_function {
            response.remove(name);
        }
        let Some(allowed) = request.get(ORIGIN).and_then(|origin| self.allowed_origin(origin))
        else {
            return;
        };
        response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        let mut list = |name: HeaderName, values: &[String]| {
            if let (false, Ok(value)) = (values.is_empty(), values.join(",").parse()) {
                response.insert(name, value);
            }
        };
        list(ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose_headers);
        if is_preflight {
            list(ACCESS_CONTROL_ALLOW_METHODS, &self.allow_methods);
            list(ACCESS_CONTROL_ALLOW_HEADERS, &self.allow_headers);
            if let Some(seconds) = self.max_age {
                response.insert(ACCESS_CONTROL_MAX_AGE, seconds.into());
            }
        }
        if self.allow_credentials {
            response.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    /// Returns the `Access-Control-Allow-Origin` for this origin: `*` if all are allowed, otherwise
    /// the origin itself. `https://*` in the template allows every origin with that scheme.
    fn allowed_origin(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.allow_origins.iter().any(|allowed| allowed == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        let text = origin.to_str().ok()?;
        let matches = |allowed: &String| match allowed.strip_suffix('*') {
            Some(start) => text.starts_with(start),
            None => allowed == text,
        };
        self.allow_origins.iter().any(matches).then(|| origin.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response_headers(
        cors: &Cors,
        origin: Option<&'static str>,
        is_preflight: bool,
    ) -> HeaderMap {
        let mut request = HeaderMap::new();
        if let Some(origin) = origin {
            request.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        let mut response = HeaderMap::new();
        response
            .insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("https://from.function"));
        cors.apply(&request, is_preflight, &mut response);
        response
    }

    fn cors(origins: &[&str]) -> Cors {
        let strings = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Cors {
            allow_origins: strings(origins),
            allow_methods: strings(&["GET", "POST"]),
            allow_headers: strings(&["authorization"]),
            expose_headers: strings(&["etag", "link"]),
            max_age: Some(600),
            allow_credentials: false,
        }
    }

    #[test]
    fn a_preflight_gets_methods_headers_and_age_and_a_request_gets_exposed_headers() {
        let preflight = response_headers(&cors(&["*"]), Some("https://shop.example"), true);
        assert_eq!(preflight[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(preflight[ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
        assert_eq!(preflight[ACCESS_CONTROL_ALLOW_HEADERS], "authorization");
        assert_eq!(preflight[ACCESS_CONTROL_MAX_AGE], "600");
        let request = response_headers(&cors(&["*"]), Some("https://shop.example"), false);
        assert_eq!(request[ACCESS_CONTROL_EXPOSE_HEADERS], "etag,link");
        assert!(!request.contains_key(ACCESS_CONTROL_ALLOW_METHODS));
        assert!(!request.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }

    #[test]
    fn a_listed_origin_is_echoed_and_others_get_no_cors_headers_of_the_function() {
        let mut listed = cors(&["https://shop.example", "http://*"]);
        listed.allow_credentials = true;
        for origin in ["https://shop.example", "http://localhost:5173"] {
            let headers = response_headers(&listed, Some(origin), false);
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], origin);
            assert_eq!(headers[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        }
        assert!(response_headers(&listed, Some("https://evil.example"), true).is_empty());
        assert!(response_headers(&listed, None, false).is_empty());
    }
}
