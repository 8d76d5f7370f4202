//! The back office and its products.

use crate::station::{basket, call, send, station};
use augenmass::io::store::Database;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

const ROWS: &str = r#"{"id":"butter","code":"4006381333931","name":"Butter","kind":"piece","price_minor":229,"gross_mean_g":256,"gross_sd_g":2,"mean_sd_g":1,"weight_source":"seeded"}
{"id":"plum","code":"04011","name":"Plums","kind":"weighed","price_minor":300,"price_per_kg_minor":499,"gross_mean_g":600,"gross_sd_g":150,"mean_sd_g":20,"weight_source":"label"}"#;

async fn put(router: &Router, kind: &str, text: &str) -> (StatusCode, Value) {
    let request = Request::put("/v1/catalogue").header(header::HOST, "localhost").header(header::CONTENT_TYPE, kind);
    let (status, value, _) = send(router, request.body(Body::from(text.to_owned())).unwrap()).await;
    (status, value)
}

#[tokio::test]
async fn a_catalogue_is_taken_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let (status, told) = put(&router, "application/x-ndjson", ROWS).await;
    assert_eq!((status, &told["products"], &told["version"]), (StatusCode::OK, &json!(2), &json!(1)));
    let bad = ROWS.replace("\"gross_mean_g\":256", "\"gross_mean_g\":0").replace("Plums", "");
    let (status, told) = put(&router, "application/x-ndjson", &bad).await;
    assert_eq!((status, &told["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("bad_catalogue")));
    assert_eq!(told["faults"].as_array().unwrap().len(), 2);
    assert!(told["faults"][1].as_str().unwrap().starts_with("line 2: name"), "{told}");
    let csv = "id,code,name,kind,price_minor,gross_mean_g,gross_sd_g,mean_sd_g,weight_source\nmilk,40084015,Milk,piece,99,1060,3,1,label\n";
    assert_eq!(put(&router, "text/csv; charset=utf-8", csv).await.1["version"], 2);
    assert_eq!(put(&router, "text/plain", ROWS).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let products = Database::open(folder.path()).unwrap().products(None).unwrap().unwrap();
    assert_eq!((products.len(), products[0].name.as_str()), (1, "Milk"));
}

#[tokio::test]
async fn one_product_is_patched() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let patch =
        async |id: &str, patch: Value| call(&router, Method::PATCH, &format!("/v1/catalogue/{id}"), Some(patch)).await;
    assert_eq!(patch("butter", json!({})).await.1["code"], "unknown_product");
    put(&router, "application/x-ndjson", ROWS).await;
    let (status, row) = patch("butter", json!({ "price_minor": 199, "age_limit": 18 })).await;
    assert_eq!((status, &row["price_minor"], &row["age_limit"]), (StatusCode::OK, &json!(199), &json!(18)));
    let (status, problem) = patch("butter", json!({ "price_minor": -1, "code": "4006381333932" })).await;
    assert_eq!((status, problem["faults"].as_array().unwrap().len()), (StatusCode::UNPROCESSABLE_ENTITY, 2));
    assert_eq!(patch("but%20ter", json!({})).await.1["code"], "bad_id");
}

#[tokio::test]
async fn lines_of_money_go_with_a_basket_and_expired_goods_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let router = station(folder.path());
    let mut list = basket(1, 1);
    list["lines"].as_array_mut().unwrap().push(json!({ "code": "(8112)001234561234560123456", "quantity": 1 }));
    assert_eq!(call(&router, Method::PUT, "/v1/baskets/b-1", Some(list.clone())).await.0, StatusCode::CREATED);
    list["revision"] = json!(2);
    list["lines"].as_array_mut().unwrap().push(json!({ "code": "(01)09521234543213(17)010101", "quantity": 1 }));
    let (status, problem) = call(&router, Method::PUT, "/v1/baskets/b-1", Some(list)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(problem["faults"], json!(["lines[2].code: expired, 010101"]));
}
