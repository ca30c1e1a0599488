//! The outgoing response.

use headers::{ETag, HeaderMapExt, IfNoneMatch};
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, InvalidHeaderValue, LINK, LOCATION, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lambda_http::{Body, BoxFuture, IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use shared::domain::ids::Fingerprint;
use shared::error::{Error, Result, catalogue};

use super::request::etag;

/// A response: status, headers and body.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Reply {
    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Self { status, headers, body: serde_json::to_string(body).map_err(Error::internal)? })
    }

    /// 200 with a JSON body.
    ///
    /// # Errors
    /// `internal` when `body` can't be serialized.
    pub fn ok(body: &impl Serialize) -> Result<Self> {
        Self::json(StatusCode::OK, body)
    }

    /// 200 with text of this media type. The `ETag` is a hash of the text.
    ///
    /// # Errors
    /// None in practice: every hash makes a valid tag.
    pub fn text(media_type: &'static str, text: &str) -> Result<Self> {
        let tag = format!("\"{}\"", Fingerprint::of(&[text.as_bytes()]).as_str());
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.typed_insert::<ETag>(tag.parse().map_err(Error::internal)?);
        Ok(Self { status: StatusCode::OK, headers, body: text.to_owned() })
    }

    /// 201 with the new resource and its path in `Location`.
    ///
    /// # Errors
    /// `internal` when `body` can't be serialized or `location` is not a valid header value.
    pub fn created(location: &str, body: &impl Serialize) -> Result<Self> {
        Self::json(StatusCode::CREATED, body)?.header(LOCATION, location)
    }

    /// 202 with a JSON body.
    ///
    /// # Errors
    /// `internal` when `body` can't be serialized.
    pub fn accepted(body: &impl Serialize) -> Result<Self> {
        Self::json(StatusCode::ACCEPTED, body)
    }

    /// 204.
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: String::new() }
    }

    /// The response when an error's problem document can't be built: a 500 made only of constants
    /// and the request id, so that building this one can't fail.
    pub(super) fn internal_error(request_id: &str) -> Self {
        let code = &catalogue::INTERNAL;
        let body = json!({
            "type": format!("/docs/problems/{}", code.code),
            "title": code.title,
            "status": 500,
            "detail": "Something went wrong on our side. Try again. If the error persists, report the request id.",
            "code": code.code,
            "request_id": request_id,
        });
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, headers, body: body.to_string() }
    }

    /// Turns a 200 into a 304 when the client already has this version (RFC 9110, section 15.4.5).
    /// Tags in `If-None-Match` are compared weakly: `W/"1"` matches `"1"`.
    pub(super) fn not_modified_if_known(mut self, known_etags: Option<&IfNoneMatch>) -> Self {
        let etag: Option<ETag> = self.headers.typed_get();
        let (Some(known_etags), Some(etag), StatusCode::OK) = (known_etags, etag, self.status)
        else {
            return self;
        };
        if !known_etags.precondition_passes(&etag) {
            self.status = StatusCode::NOT_MODIFIED;
            self.headers.remove(CONTENT_TYPE);
            self.body.clear();
        }
        self
    }

    /// Any status with a JSON body of this media type.
    pub(super) fn of_type(
        status: u16,
        media_type: &'static str,
        body: &impl Serialize,
    ) -> Result<Self> {
        let status = StatusCode::from_u16(status).map_err(Error::internal)?;
        Self::json(status, body)?.header(CONTENT_TYPE, media_type)
    }

    /// Sets a header.
    ///
    /// # Errors
    /// `internal` when `value` is not a valid header value.
    pub fn header(mut self, name: HeaderName, value: &str) -> Result<Self> {
        self.headers.insert(name, HeaderValue::from_str(value).map_err(Error::internal)?);
        Ok(self)
    }

    /// Sets `ETag` to the resource's version. [`Request::check_if_match`] compares `If-Match` with
    /// it, and a read that sends it in `If-None-Match` gets a 304.
    ///
    /// # Errors
    /// None in practice: every version makes a valid tag.
    pub fn etag(mut self, version: u64) -> Result<Self> {
        self.headers.typed_insert(etag(version)?);
        Ok(self)
    }

    /// Sets `Link: <...>; rel="next"` (RFC 8288).
    ///
    /// # Errors
    /// `internal` when `target` is not a valid header value.
    pub fn next_page(self, target: &str) -> Result<Self> {
        self.header(LINK, &format!("<{target}>; rel=\"next\""))
    }

    /// If `replayed`, marks the response as a repetition of the first one to the same idempotency
    /// key.
    ///
    /// # Errors
    /// None in practice.
    pub fn idempotent_replayed(self, replayed: bool) -> Result<Self> {
        if replayed {
            self.header(HeaderName::from_static("idempotent-replayed"), "true")
        } else {
            Ok(self)
        }
    }

    /// Lets caches store the response, and makes them revalidate it each time. Only for public
    /// data.
    ///
    /// # Errors
    /// None in practice.
    pub fn cacheable_if_revalidated(self) -> Result<Self> {
        self.header(CACHE_CONTROL, "no-cache")
    }

    /// Lets caches use the response for this long. By default, responses are `no-store`.
    ///
    /// # Errors
    /// None in practice.
    pub fn cacheable_for(self, seconds: u32) -> Result<Self> {
        self.header(CACHE_CONTROL, &format!("public, max-age={seconds}"))
    }

    /// The body.
    #[cfg(test)]
    pub(super) fn body(&self) -> &str {
        &self.body
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Adds the headers that every response carries.
    pub(super) fn with_common_headers(
        mut self,
        request_id: &str,
    ) -> std::result::Result<Self, InvalidHeaderValue> {
        self.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        self.headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
        self.headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        self.headers
            .insert(HeaderName::from_static("x-request-id"), HeaderValue::from_str(request_id)?);
        Ok(self)
    }
}

/// Used instead of `lambda_http`'s conversion of `Response<Body>`. That one transcodes the body to
/// the charset that the media type names, which links the tables of every charset into the binary.
impl IntoResponse for Reply {
    fn into_response(self) -> BoxFuture<'static, Response<Body>> {
        let mut response = Response::new(Body::Text(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        Box::pin(std::future::ready(response))
    }
}
