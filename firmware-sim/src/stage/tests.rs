use super::*;

/// A shop of four goods, so that tests do not hang on what the demo's goods weigh.
pub(crate) const SHOP: &str = r##"
[[good]]
id = "butter"
code = "4099990010003"
name = "Butter"
sale = { kind = "piece", price_minor = 199, popularity = 1.0 }
mass = { net_g = 250.0, mean_g = 256.0, sd_g = 1.3, mean_sd_g = 0.5 }
look = { shape = "box", size_mm = [100, 65, 40], style = "bands", base = "#f2e6c0", accent = "#c9a227", ink = "#1d3c7a", band = "#2f7a3b", word = "BUTTER" }

[[good]]
id = "beans"
code = "4099990010010"
name = "Beans"
sale = { kind = "piece", price_minor = 199, popularity = 1.0 }
mass = { net_g = 400.0, mean_g = 455.0, sd_g = 2.0, mean_sd_g = 0.5 }
look = { shape = "can", size_mm = [73, 73, 108], style = "bands", base = "#f2e6c0", accent = "#c9a227", ink = "#1d3c7a", band = "#2f7a3b", word = "BEANS" }

[[good]]
id = "cola"
code = "4099990010027"
name = "Cola"
sale = { kind = "piece", price_minor = 199, popularity = 1.0 }
mass = { net_g = 1500.0, mean_g = 1540.0, sd_g = 4.0, mean_sd_g = 0.5 }
look = { shape = "pet", size_mm = [90, 90, 320], style = "bands", base = "#f2e6c0", accent = "#c9a227", ink = "#1d3c7a", band = "#2f7a3b", word = "COLA" }

[[good]]
id = "bananas"
code = "04011"
name = "Bananas"
sale = { kind = "weighed", price_minor = 199, popularity = 1.0 }
mass = { net_g = 800.0, mean_g = 800.0, sd_g = 200.0, mean_sd_g = 20.0 }
look = { shape = "bananas", size_mm = [200, 150, 60], style = "bands", base = "#f2d640", accent = "#c9a227", ink = "#1d3c7a", band = "#2f7a3b" }
"##;

pub(crate) fn stage(seed: u64) -> Stage {
    Stage::new(hw::tests::plate(), Arc::new(Shop::parse(SHOP).unwrap()), seed)
}

fn command(json: &str) -> Command {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_basket_weighs_what_is_in_it() {
    let mut stage = stage(1);
    let place = command(
        r#"{"do":"place","container":"basket","container_id":"K-7","goods":[{"id":"beans","quantity":2,"unit_g":[451.5,458.5]},{"id":"bananas","unit_g":[812.4]}],"bags":1,"bag_g":40}"#,
    );
    let brought = stage.command(&place).unwrap();
    assert_eq!(brought[1].codes, ["2904011008124"], "the label says 812 g");
    let tare_g = container_mass_g(stage.hardware().container("basket").unwrap(), Some("K-7"), 1);
    assert!((tare_g - 1010.0).abs() <= 10.0);
    let load = stage.rig().world().load();
    assert!((load.total_g() - (tare_g + 451.5 + 458.5 + 812.4 + 40.0)).abs() < 1e-9);
    assert_eq!(load.goods.len(), 3);
    assert_eq!(stage.scene(&stage.hardware().cameras[0]).placed.len(), 3);
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let mut stage = stage(1);
    stage.command(&command(r#"{"do":"place","goods":[{"id":"butter"}]}"#)).unwrap();
    let before = stage.rig().world().load().clone();
    for (refused, word) in [
        (r#"{"do":"place","goods":[]}"#, "lift it first"),
        (r#"{"do":"add","goods":[{"id":"caviar"}]}"#, "caviar"),
        (r#"{"do":"add","goods":[{"id":"butter","quantity":0}]}"#, "between 1 and 400"),
        (r#"{"do":"add","goods":[{"id":"butter","quantity":2,"unit_g":[250.0]}]}"#, "one mass above 0"),
        (r#"{"do":"remove","goods":[{"id":"butter","quantity":2}]}"#, "not so many"),
        (r#"{"do":"unplug","board":"left"}"#, "it has plate"),
        (r#"{"do":"unplug","port":"left"}"#, "it has plate"),
        (r#"{"do":"fault","port":"left","fault":{"kind":"silent"}}"#, "it has plate"),
        (r#"{"do":"fault","port":"plate","fault":{"kind":"lose_bytes","rate":2.0}}"#, "between 0 and 1"),
        (r#"{"do":"camera","name":"side","fault":"dark"}"#, "it has top"),
        (r#"{"do":"weight","grams":-1.0}"#, "above 0"),
    ] {
        let error = stage.command(&command(refused)).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    assert_eq!(*stage.rig().world().load(), before);
}

#[test]
fn goods_come_and_go() {
    let mut stage = stage(2);
    stage.command(&command(r#"{"do":"place","container":"none","goods":[{"id":"butter"}]}"#)).unwrap();
    stage
        .command(&command(r#"{"do":"add","goods":[{"id":"cola","unit_g":[1540.0]},{"id":"cola","unit_g":[1541.0]}]}"#))
        .unwrap();
    stage.command(&command(r#"{"do":"remove","goods":[{"id":"butter"},{"id":"cola"}]}"#)).unwrap();
    assert!((stage.rig().world().load().total_g() - 1540.0).abs() < 1e-9, "the last one put down is taken first");
    stage.command(&Command::Lift).unwrap();
    assert!(stage.rig().world().load().is_empty());
}

#[test]
fn the_hand_is_seen_while_it_touches() {
    let mut stage = stage(3);
    let camera = stage.hardware().cameras[0].clone();
    stage.command(&command(r#"{"do":"place","goods":[{"id":"butter"}],"hold_ms":300}"#)).unwrap();
    assert!(stage.scene(&camera).hand.is_some());
    let version = stage.rig().world().version();
    stage.advance_to(1_000_000);
    assert!(stage.scene(&camera).hand.is_none());
    assert_ne!(stage.rig().world().version(), version, "a camera must know that it has to look again");
}

#[test]
fn the_same_seed_does_the_same() {
    let place = command(r#"{"do":"place","goods":[{"id":"butter","quantity":3},{"id":"bananas"}],"bags":1}"#);
    let run = |seed| {
        let mut stage = stage(seed);
        stage.command(&place).unwrap();
        stage.rig().world().load().clone()
    };
    assert_eq!(run(4), run(4));
    assert_ne!(run(4), run(5));
}

#[test]
fn faults_are_planted_by_command_and_mended() {
    let mut stage = stage(6);
    stage.advance_to(1_000_000);
    let fault = r#"{"do":"fault","port":"plate","fault":{"kind":"silent"},"after_ms":500,"for_ms":1000}"#;
    stage.command(&command(fault)).unwrap();
    let came = |stage: &mut Stage, t_us: u64| {
        stage.advance_to(t_us);
        stage.rig_mut().take_bytes(0).len()
    };
    assert!(came(&mut stage, 1_499_000) > 4000);
    assert!(came(&mut stage, 2_499_000) < 80);
    assert!(came(&mut stage, 3_000_000) > 1400);
    for fault in [
        r#"{"kind":"host_line","baud":9600}"#,
        r#"{"kind":"half_on","edge":"left"}"#,
        r#"{"kind":"brown_out","ratio":0.9}"#,
        r#"{"kind":"spikes","per_s":2.0,"grams":300.0}"#,
        r#"{"kind":"other_device","serial_number":"X-1"}"#,
        r#"{"kind":"unplug"}"#,
    ] {
        stage.command(&command(&format!(r#"{{"do":"fault","port":"plate","fault":{fault}}}"#))).unwrap();
    }
    assert_eq!(came(&mut stage, 4_000_000), 0);
    stage.command(&command(r#"{"do":"mend","port":"plate"}"#)).unwrap();
    assert!(came(&mut stage, 5_000_000) > 2900);
}

#[test]
fn everything_rolls_together() {
    let mut stage = stage(7);
    stage.command(&command(r#"{"do":"place","container":"basket","goods":[{"id":"butter"}],"bags":1}"#)).unwrap();
    let before = stage.rig().world().load().centre_mm();
    stage.command(&command(r#"{"do":"shift","by_mm":[120.0,-30.0]}"#)).unwrap();
    let after = stage.rig().world().load().centre_mm();
    assert!((after[0] - before[0] - 120.0).abs() < 1e-9 && (after[1] - before[1] + 30.0).abs() < 1e-9);
}
