//! The way in, over HTTP: what comes through it is handed to the routes of the `webhooks` function, as the gateway does.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use serde_json::Value;
use shared::api::Api;
use tokio::net::TcpListener;

/// The most bytes that the gateway takes.
const MOST: usize = 10 << 20;

/// A request as it travelled.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// How the door stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// What comes is handed on, and answered.
    Open,
    /// What comes is answered with this status, and handed to nobody.
    Shut(u16),
    /// What comes is handed on, and the answer lost: a gateway answers with this status instead.
    Deaf(u16),
}

impl Message {
    pub(super) fn new(path: &str, headers: &[(&'static str, &str)], body: &Value) -> Self {
        let named = |(name, value): &(&'static str, &str)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        };
        Self {
            path: path.to_owned(),
            headers: headers.iter().map(named).collect(),
            body: body.to_string().into(),
        }
    }
}

/// A listener, whatever stands behind it.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) origin: String,
    way: Arc<Mutex<Way>>,
    came: Arc<Mutex<Vec<Message>>>,
    api: Arc<Mutex<Option<Api>>>,
}

impl Door {
    pub(super) async fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Self {
            origin: format!("http://{}", socket.local_addr().unwrap()),
            way: Arc::new(Mutex::new(Way::Open)),
            came: Arc::default(),
            api: Arc::default(),
        };
        let router = Router::new().fallback(hear).with_state(door.clone());
        tokio::spawn(async { axum::serve(socket, router).await });
        door
    }

    /// Says who is behind it.
    pub(super) fn lead_to(&self, api: Api) {
        *self.api.lock().unwrap() = Some(api);
    }

    pub(super) fn is(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }

    /// Returns everything that came so far.
    pub(super) fn came(&self) -> MutexGuard<'_, Vec<Message>> {
        self.came.lock().unwrap()
    }

    pub(super) fn last(&self) -> Message {
        self.came().last().unwrap().clone()
    }

    /// Hands a message on, whenever it came.
    pub(super) async fn let_in(&self, message: Message) -> Response<Bytes> {
        let api = self.api.lock().unwrap().clone().unwrap();
        let mut request = Request::post(message.path).body(message.body).unwrap();
        *request.headers_mut() = message.headers;
        api.answer(request).await
    }
}

async fn hear(State(door): State<Door>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let message = Message {
        path: head.uri.to_string(),
        headers: head.headers,
        body: to_bytes(body, MOST).await.unwrap(),
    };
    door.came().push(message.clone());
    let way = *door.way.lock().unwrap();
    let instead = |status| {
        let status = StatusCode::from_u16(status).unwrap();
        Response::builder().status(status).body(Body::empty()).unwrap()
    };
    match way {
        Way::Open => door.let_in(message).await.map(Body::from),
        Way::Shut(status) => instead(status),
        Way::Deaf(status) => {
            drop(door.let_in(message).await);
            instead(status)
        }
    }
}
