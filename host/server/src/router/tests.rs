//! The router called without a socket, over a real host in a temporary folder.

use std::time::Duration;

use axum::body::Body;
use axum::routing::get;
use axum::{Router, response::Response};
use bellwether_engine::{Clock, Config, Host};
use http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

use super::{API, around, document, router};
use crate::app::{App, AppState};
use crate::auth::Token;
use crate::running;

const BODY_LIMIT: u64 = 4096;

/// A host, what it lies in, and its state.
struct Fixture {
    app: AppState,
    _folder: TempDir,
}

impl Fixture {
    async fn open(request_timeout: Duration) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.data.folder = folder.path().join("data");
        let host = Host::open(config, Clock::system(), &running::bundled()).await.unwrap();
        let token = Token::new("a-token-for-tests").unwrap();
        Fixture { app: AppState::new(App { host, token, body_limit: BODY_LIMIT, request_timeout }), _folder: folder }
    }

    async fn close(self) {
        self.app.host.close().await.unwrap();
    }
}

/// An answer, taken apart.
struct Answered {
    status: u16,
    response: Response,
    body: Value,
}

async fn call(router: &Router, request: Request<Body>) -> Answered {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answered { status: parts.status.as_u16(), response: Response::from_parts(parts, Body::empty()), body }
}

fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("authorization", "Bearer a-token-for-tests")
}

fn json(method: Method, path: &str, body: &str) -> Request<Body> {
    request(method, path).header("content-type", "application/json").body(Body::from(body.to_owned())).unwrap()
}

fn empty(method: Method, path: &str) -> Request<Body> {
    request(method, path).body(Body::empty()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_operation_answers_and_wants_the_token() {
    let fixture = Fixture::open(Duration::from_secs(30)).await;
    let router = router(fixture.app.clone());
    let document = serde_json::to_value(document()).unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let concrete: String = path.split('/').map(|part| if part.starts_with('{') { "none" } else { part }).collect::<Vec<_>>().join("/");
        for method in item.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            operations += 1;
            let answered = call(&router, empty(method.clone(), &concrete)).await;
            let detail = answered.body["detail"].as_str().unwrap_or_default();
            let routed = answered.status != 405 && !detail.starts_with("there is no path");
            assert!(routed && answered.status != 401, "{method} {path}: {} {detail}", answered.status);
            let anonymous = Request::builder().method(method.clone()).uri(&concrete).body(Body::empty()).unwrap();
            let answered = call(&router, anonymous).await;
            let open = ["/livez", "/readyz"].contains(&path.as_str());
            assert_eq!(answered.status == 401, !open, "{method} {path}: {}", answered.status);
        }
    }
    assert!(operations >= 33, "{operations} operations are documented");
    let unlocked = call(&router, Request::builder().uri("/openapi.json").body(Body::empty()).unwrap()).await;
    assert_eq!((unlocked.status, unlocked.body["openapi"].as_str()), (200, Some("3.1.0")));
    fixture.close().await;
}

/// Requests that are refused: with which status and code, and what the detail says.
fn refusals() -> Vec<(Request<Body>, u16, &'static str, &'static str)> {
    let drift = format!("{API}/monitoring/drift");
    vec![
        (
            json(Method::POST, &drift, r#"{"modelid":"x","data":[]}"#),
            422,
            "invalid",
            "modelid: is not known here; did you mean `model_id`?",
        ),
        (json(Method::POST, &drift, r#"{"data":[]}"#), 422, "invalid", "model_id: is missing"),
        (json(Method::POST, &drift, r#"{"model_id":"x","data":[{"rsi(14)":"high"}]}"#), 422, "invalid", "data[0].rsi(14): is the text"),
        (json(Method::POST, &drift, r#"{"model_id":"x","data":[{"a":NaN}]}"#), 400, "malformed", "the body is not JSON"),
        (json(Method::POST, &drift, "{"), 400, "malformed", "the body is not JSON"),
        (json(Method::POST, &drift, "[1]"), 422, "invalid", "body: is an array; it must be an object"),
        (empty(Method::POST, &drift), 415, "unsupported_media_type", "the body must be application/json"),
        (empty(Method::GET, &format!("{API}/models?symbl=X")), 422, "invalid", "symbl: is not known here; did you mean `symbol`?"),
        (empty(Method::GET, &format!("{API}/models?limit=-1")), 422, "invalid", "limit: must be a whole number"),
        (empty(Method::GET, &format!("{API}/models?limit=0")), 422, "invalid", "limit: is 0; it must be 1 to 1000"),
        (
            empty(Method::GET, &format!("{API}/models?status=deplyed")),
            422,
            "invalid",
            "status: `deplyed` is not known; did you mean `deployed`?",
        ),
        (empty(Method::GET, &format!("{API}/models?symbol=a%20b")), 422, "invalid", "symbol: `a b` is not a symbol"),
        (empty(Method::GET, &format!("{API}/version?x=1")), 422, "invalid", "x: is not known here"),
        (empty(Method::GET, &format!("{API}/models/none")), 404, "not_found", "`none` does not exist"),
        (empty(Method::GET, "/nowhere"), 404, "not_found", "there is no path `/nowhere`"),
        (empty(Method::DELETE, &format!("{API}/models")), 405, "method_not_allowed", "does not take DELETE"),
        (
            json(Method::POST, &format!("{API}/models/register"), r#"{"model_type":"lstm","symbol":"X","model_data":"?"}"#),
            422,
            "invalid",
            "model_data: is not base64",
        ),
        (
            request(Method::POST, &format!("{API}/models/deploy"))
                .header("idempotency-key", " ")
                .header("content-type", "application/json")
                .body(Body::from(r#"{"model_id":"x"}"#))
                .unwrap(),
            422,
            "invalid",
            "idempotency-key: must have 1 to 255",
        ),
        (json(Method::POST, &format!("{API}/data/ingest"), r#"{"bars":[]}"#), 422, "invalid", "symbol: is missing"),
        (
            json(Method::POST, &format!("{API}/data/ingest?symbol=A&interval=1h"), r#"{"symbol":"B","bars":[]}"#),
            422,
            "invalid",
            "symbol: differs between query and body",
        ),
        (
            json(Method::POST, &drift, &format!("{{\"model_id\":\"{}\"}}", "x".repeat(BODY_LIMIT as usize))),
            413,
            "too_large",
            "the limit of 4 KiB (4096 bytes)",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_problems_that_name_what_is_wrong() {
    let fixture = Fixture::open(Duration::from_secs(30)).await;
    let router = router(fixture.app.clone());
    for (request, status, code, detail) in refusals() {
        let what = format!("{} {}", request.method(), request.uri());
        let answered = call(&router, request).await;
        assert_eq!((answered.status, answered.body["code"].as_str()), (status, Some(code)), "{what}: {}", answered.body);
        assert!(answered.body["detail"].as_str().unwrap().contains(detail), "{what}: {}", answered.body["detail"]);
        assert_eq!(answered.body["status"], status);
        let headers = answered.response.headers();
        assert_eq!(headers["content-type"], "application/problem+json", "{what}");
        assert_eq!(answered.body["instance"].as_str(), headers["x-request-id"].to_str().ok(), "{what}");
    }
    let wrong_method = call(&router, empty(Method::DELETE, &format!("{API}/models"))).await;
    assert!(wrong_method.response.headers()["allow"].to_str().unwrap().contains("GET"));
    let own_id = request(Method::GET, "/livez").header("x-request-id", "mine-1").body(Body::empty()).unwrap();
    assert_eq!(call(&router, own_id).await.response.headers()["x-request-id"], "mine-1");
    fixture.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn panics_and_slow_handlers_become_problems() {
    let fixture = Fixture::open(Duration::from_millis(50)).await;
    let broken = get(|| async {
        if std::hint::black_box(true) {
            panic!("the secret of the handler");
        }
    });
    let routes = Router::new().route("/broken", broken).route("/slow", get(|| async { std::future::pending::<()>().await }));
    let router = around(routes, fixture.app.clone());
    let panicked = call(&router, empty(Method::GET, "/broken")).await;
    assert_eq!((panicked.status, panicked.body["code"].as_str()), (500, Some("internal")));
    assert!(!panicked.body.to_string().contains("secret"), "{}", panicked.body);
    let slow = call(&router, empty(Method::GET, "/slow")).await;
    assert_eq!((slow.status, slow.body["code"].as_str()), (504, Some("timeout")));
    assert!(slow.body["detail"].as_str().unwrap().contains("server.request_timeout"));
    fixture.close().await;
}
