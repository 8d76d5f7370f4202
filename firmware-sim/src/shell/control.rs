//! The simulator's own HTTP: what stands on the plate, cables, cameras' faults.
//!
//! `POST /do` takes a [`Command`] as JSON and answers `{"t_ms": .., "brought": [..]}` with the world time at which it was
//! done, or 422 with `{"error": ".."}`. `GET /world` tells what is true.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::live::Live;
use crate::stage::{Command, Stage};

/// Routes of the control interface.
pub fn router(live: Live) -> Router {
    Router::new().route("/do", post(command)).route("/world", get(world)).with_state(live)
}

async fn command(State(live): State<Live>, body: Result<Json<Command>, JsonRejection>) -> Response {
    let refuse = |status: StatusCode, error: String| (status, Json(json!({ "error": error }))).into_response();
    let command = match body {
        Ok(Json(command)) => command,
        Err(rejection) => return refuse(rejection.status(), rejection.body_text()),
    };
    match tokio::task::spawn_blocking(move || live.command(&command)).await {
        Ok(Ok((t_us, brought))) => Json(json!({ "t_ms": t_us / 1000, "brought": brought })).into_response(),
        Ok(Err(error)) => refuse(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

async fn world(State(live): State<Live>) -> Json<serde_json::Value> {
    Json(live.with(|stage| truth(stage)))
}

fn truth(stage: &Stage) -> serde_json::Value {
    let world = stage.rig().world();
    let load = world.load();
    let goods = load.goods.iter().map(|lying| {
        let good = &stage.shop().goods[lying.placed.good];
        let centre = lying.placed.pose.centre_mm;
        json!({ "id": good.id, "name": good.name, "grams": lying.mass_g, "at_mm": [centre.x, centre.y] })
    });
    let container = load.container.as_ref();
    let hardware = stage.hardware();
    let ports = stage.rig().ports();
    let cables = ports.iter().map(|port| (port.name.clone(), json!(port.plugged())));
    let faults = ports.iter().flat_map(|port| port.faults().iter().map(|planted| {
        let ms = |us: u64| us / 1000;
        json!({ "port": port.name, "fault": planted.fault, "from_ms": ms(planted.from_us), "until_ms": planted.until_us.map(ms) })
    }));
    let cameras = hardware.cameras.iter().map(|camera| (camera.name.clone(), json!(stage.camera_fault(&camera.name))));
    json!({
        "t_ms": world.now_us() / 1000,
        "total_g": load.total_g(),
        "last_touch_ms_ago": world.last_touch_us().map(|at_us| (world.now_us() - at_us) / 1000),
        "touching": world.touching(),
        "container": container.map(|standing| json!({ "kind": standing.kind, "id": standing.id, "grams": standing.mass_g })),
        "goods": goods.collect::<Vec<_>>(),
        "things": load.things.iter().map(|thing| json!({ "name": thing.name, "grams": thing.mass_g })).collect::<Vec<_>>(),
        "cables": serde_json::Map::from_iter(cables),
        "faults": faults.collect::<Vec<_>>(),
        "cameras": serde_json::Map::from_iter(cameras),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::tests::stage;

    async fn ask(router: &Router, method: &str, path: &str, body: &str) -> (StatusCode, serde_json::Value) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        let server = tokio::spawn(axum::serve(listener, router.clone()).into_future());
        let request = reqwest::Client::new().request(method.parse().unwrap(), url);
        let response = request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap();
        let status = StatusCode::from_u16(response.status().as_u16()).unwrap();
        let answer = response.json().await.unwrap();
        server.abort();
        (status, answer)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn does_and_tells() {
        let router = router(Live::start(stage(1)));
        let (_, world) = ask(&router, "GET", "/world", "").await;
        assert_eq!(world["total_g"], 0.0);
        assert_eq!(world["last_touch_ms_ago"], json!(null));
        assert_eq!(world["cables"], json!({ "plate": true }));

        let place = r#"{"do":"place","container":"none","goods":[{"id":"bananas","unit_g":[812.0]}],"hold_ms":60000}"#;
        let (status, answer) = ask(&router, "POST", "/do", place).await;
        assert_eq!(status, StatusCode::OK);
        assert!(answer["t_ms"].is_u64());
        assert_eq!(answer["brought"][0]["codes"][0], "2904011008124");
        ask(&router, "POST", "/do", r#"{"do":"unplug","board":"plate"}"#).await;
        let (_, world) = ask(&router, "GET", "/world", "").await;
        assert_eq!(world["total_g"], 812.0);
        assert_eq!(world["touching"], true);
        assert_eq!(world["last_touch_ms_ago"], 0);
        assert_eq!(world["goods"][0]["name"], "Bananas");
        assert_eq!(world["cables"], json!({ "plate": false }));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn refuses_with_a_reason() {
        let router = router(Live::start(stage(1)));
        for (body, word) in [
            (r#"{"do":"fly"}"#, "fly"),
            (r#"{"do":"push","newtons":1.0,"ms":2,"force":3}"#, "force"),
            (r#"{"do":"unplug","board":"x"}"#, "it has plate"),
            ("nonsense", "JSON"),
        ] {
            let (status, answer) = ask(&router, "POST", "/do", body).await;
            assert!(status.is_client_error());
            let error = answer["error"].as_str().unwrap();
            assert!(error.contains(word), "{error}");
        }
    }
}
