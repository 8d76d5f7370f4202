use super::*;

const BASKET: &str = include_str!("../../../hw-configs/basket-plate.toml");
const TROLLEY: &str = include_str!("../../../hw-configs/trolley-150kg.toml");

/// The line, from 1, of the first line that contains `part`.
fn line_of(text: &str, part: &str) -> usize {
    1 + text.lines().position(|line| line.contains(part)).unwrap()
}

/// The basket's file with one thing exchanged, and what is said about it.
fn faults_of(from: &str, to: &str) -> Vec<String> {
    assert!(BASKET.contains(from), "{from}");
    match parse(&BASKET.replacen(from, to, 1), "x.toml") {
        Ok(_) => Vec::new(),
        Err(faults) => faults.to_string().lines().map(str::to_owned).collect(),
    }
}

#[track_caller]
fn one_fault(from: &str, to: &str, expected: &[&str]) {
    let faults = faults_of(from, to);
    assert_eq!(faults.len(), 1, "{faults:#?}");
    for part in expected {
        assert!(faults[0].contains(part), "no '{part}' in: {}", faults[0]);
    }
}

#[test]
fn both_stations_are_read() {
    let basket = parse(BASKET, "basket-plate.toml").unwrap();
    assert_eq!(basket.station.code, "B1");
    assert_eq!(basket.api.listen.port(), 8787);
    assert_eq!(basket.boards[0].cells.len(), 4);
    assert_eq!(basket.boards[0].cells[1].counts_per_g, 42.3);
    assert_eq!(basket.cameras[0].view_px, [60, 20, 580, 460]);
    assert_eq!(basket.in_store_codes, ["29IIIIIWWWWWC"]);
    let trolley = parse(TROLLEY, "trolley-150kg.toml").unwrap();
    assert_eq!(trolley.containers[0].kind, ContainerKind::Trolley);
    assert_eq!(trolley.platform.max_g, 150_000.0);
    assert_ne!(trolley.api.listen, basket.api.listen);
}

/// What a retailer leaves out is as the judge was measured with; what he sets is taken, and what makes no sense is refused in place.
#[test]
fn a_retailer_may_set_each_cost_and_rate() {
    let usual = parse(BASKET, "x.toml").unwrap().policy;
    assert_eq!((usual.waiting_cost_per_s, usual.first_visit_grace, usual.control_sample), (0.005, 1.5, 0.0));
    let set = "[policy]\nwaiting_cost_per_s = 0.02\nfirst_visit_grace = 3.0\ncontrol_sample = 0.01\nstaff_cost = 2.5\n";
    let own = parse(&BASKET.replacen("[policy]\n", set, 1), "x.toml").unwrap().policy;
    assert_eq!((own.waiting_cost_per_s, own.first_visit_grace), (0.02, 3.0));
    assert_eq!((own.control_sample, own.staff_cost), (0.01, 2.5));
    one_fault("[policy]\n", "[policy]\ncontrol_sample = 1.5\n", &["control_sample"]);
    one_fault("[policy]\n", "[policy]\nfirst_visit_grace = 0.5\n", &["first_visit_grace"]);
}

#[test]
fn finished_scales_are_read_with_what_their_frames_leave_open() {
    let sics = parse(include_str!("../../../hw-configs/indicator-mt-sics.toml"), "x.toml").unwrap();
    assert_eq!((sics.boards.len(), sics.indicators[0].serial_number.as_deref()), (0, Some("1234567")));
    let modbus = parse(include_str!("../../../hw-configs/indicator-modbus-laumas.toml"), "x.toml").unwrap();
    let map = modbus.indicators[0].registers.clone().unwrap();
    // The file writes the maker's usual map out in full.
    assert_eq!(map, augenmass_core::weighing::wire::RegisterMap::laumas());
    let plates = parse(include_str!("../../../hw-configs/two-plates.toml"), "x.toml").unwrap();
    assert_eq!(plates.boards.len(), 2);
    assert_ne!(plates.boards[0].plate, plates.boards[1].plate);
}

#[test]
fn a_finished_scale_without_a_unit_or_its_secret_is_refused() {
    let faults = |text: String| parse(&text, "x.toml").unwrap_err().to_string();
    let laumas = include_str!("../../../hw-configs/indicator-modbus-laumas.toml");
    let told = faults(laumas.replace("unit = ", "# unit = "));
    assert!(told.contains("unit") && told.contains("modbus-laumas"), "{told}");
    let told = faults(laumas.replace("count = 5", "count = 3"));
    assert!(told.contains("registers"), "{told}");
    let told = faults(laumas.replace("\"out_of_range\"", "\"out_of_rage\""));
    assert!(told.contains("out_of_rage"), "{told}");
    let dialog = include_str!("../../../hw-configs/indicator-dialog06.toml");
    let told = faults(dialog.replace("polynomial_secret = ", "# polynomial_secret = "));
    assert!(told.contains("polynomial_secret") && told.contains("challenge"), "{told}");
}

#[test]
fn print_config_can_be_read_again() {
    let scale = include_str!("../../../hw-configs/indicator-modbus-laumas.toml");
    for text in [BASKET, TROLLEY, scale] {
        let config = parse(text, "first").unwrap();
        let printed = toml::to_string(&config).unwrap();
        assert_eq!(parse(&printed, "second").unwrap(), config, "{printed}");
    }
}

#[test]
fn seven_faults_are_told_at_once_with_their_lines() {
    let mut text = BASKET.to_owned();
    for (from, to) in [
        ("listen = \"127.0.0.1:8787\"", "listen = \"0.0.0.0:8787\""),
        ("max_g = 30000.0", "max_kg = 30.0"),
        ("parity = \"none\"", "parity = \"evn\""),
        ("baud = 115200", "baud = \"115200\""),
        ("serial_number = \"C3-12-0003\"", "serial_number = \"C3-12-0002\""),
        ("view_px = [60, 20, 580, 460]", "view_px = [60, 20, 680, 460]"),
        ("error_rate = 0.05", "error_rate = 5"),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let report = parse(&text, "hw-configs/x.toml").unwrap_err();
    let expected = [
        (line_of(&text, "listen ="), "api.listen", "127.0.0.1:8787"),
        (line_of(&text, "max_kg"), "platform.max_kg", "did you mean `max_g`?"),
        (line_of(&text, "baud ="), "board[0].baud", "\"115200\" is not a whole number"),
        (line_of(&text, "parity ="), "board[0].parity", "'evn' is none of none, even, odd"),
        (
            text.lines().enumerate().filter(|(_, l)| l.contains("C3-12-0002")).nth(1).unwrap().0 + 1,
            "board[0].cell[2].serial_number",
            "stands a second time",
        ),
        (line_of(&text, "view_px ="), "camera[0].view_px", "reaches outside the picture of 640 x 480"),
        (line_of(&text, "error_rate ="), "policy.error_rate", "5 is not within 0.000001 to 0.999"),
    ];
    assert_eq!(report.faults.len(), expected.len(), "{report}");
    for (fault, (line, key, problem)) in report.faults.iter().zip(expected) {
        assert_eq!((fault.line, fault.key.as_str()), (line, key), "{report}");
        assert!(fault.problem.contains(problem), "{report}");
    }
    let parity =
        format!("hw-configs/x.toml:{}: board[0].parity: 'evn' is none of none, even, odd", line_of(&text, "parity ="));
    assert!(report.to_string().lines().any(|line| line == parity), "{report}");
}

#[test]
fn each_kind_of_fault_is_told_with_its_mend() {
    one_fault("[policy]", "[polcy]", &["polcy", "did you mean `policy`?"]);
    one_fault("[[camera]]", "[camera]", &["camera", "write [[camera]]"]);
    one_fault("exclusive = true", "exclusive = \"yes\"", &["board[0].exclusive", "\"yes\" is not true or false"]);
    one_fault("sigma_g = 2.0", "sigma_g = nan", &["platform.sigma_g", "nan is not within"]);
    one_fault("data_bits = 8", "data_bits = 9", &["9 is not within 7 to 8"]);
    one_fault("data_bits = 8", "data_bits = 8.0", &["8.0 is not a whole number"]);
    one_fault("data_bits = 8\n", "", &["board[0].data_bits", "missing"]);
    one_fault("id = \"basket-1\"", "id = \"basket 1\"", &["station.id", "'basket 1' is not"]);
    one_fault("name = \"top\"", "name = \"plate\"", &["camera[0].name", "second time"]);
    one_fault("http://127.0.0.1:8790/top.mjpeg", "rtmp://127.0.0.1/top", &["camera[0].url", "http:// or rtsp://"]);
    one_fault("[60, 20, 580, 460]", "[580, 20, 60, 460]", &["camera[0].view_px", "left, top, right, bottom"]);
    one_fault("[60, 20, 580, 460]", "[60, 20, 580]", &["camera[0].view_px", "four whole numbers"]);
    one_fault("29IIIIIWWWWWC", "29IIIIIWWWWWCC", &["in_store_code[0].pattern", "C stands"]);
    one_fault("kind = \"basket\"", "kind = \"cart\"", &["'cart' is none of trolley, basket, none"]);
    one_fault("tare_g = 1010.0", "tare_g = 101.0", &["container[0].tare_g", "count as empty"]);
    one_fault("max_g = 30000.0", "max_g = 60000.0", &["board[0].cell", "bear 48000 g"]);
    one_fault("silence_ms = 300", "silence_ms = 20", &["board[0].silence_ms", "less than two samples"]);
    one_fault("x_mm = -210.0 ", "x_mm = -2100.0 ", &["board[0].cell[0].x_mm", "not within -250 to 250"]);
    one_fault("error_rate = 0.05", "error_rate = 0.05\nerror_rate = 0.06", &["duplicate key"]);
    one_fault("error_rate = 0.05", "error_rate = ", &["x.toml:"]);
    one_fault("127.0.0.1:8787", "localhost", &["api.listen", "127.0.0.1:8787"]);
}

#[test]
fn a_camera_may_speak_rtsp_and_its_login_stands_elsewhere() {
    let url = "url = \"http://127.0.0.1:8790/top.mjpeg\"";
    let rtsp = BASKET.replace(url, "url = \"rtsp://127.0.0.1:8554/top\"\nlogin_secret = \"top-login\"");
    let camera = parse(&rtsp, "x.toml").unwrap().cameras[0].clone();
    assert_eq!((camera.url.as_str(), camera.login_secret.as_deref()), ("rtsp://127.0.0.1:8554/top", Some("top-login")));
    for scheme in ["http", "rtsp"] {
        let spoken = format!("url = \"{scheme}://viewer:hunter2@127.0.0.1/top\"");
        one_fault(url, &spoken, &["camera[0].url", "name it in login_secret"]);
        assert!(!parse(&BASKET.replace(url, &spoken), "x.toml").unwrap_err().to_string().contains("hunter2"));
    }
    one_fault(url, "url = \"file:///pictures\"\nlogin_secret = \"x\"", &["camera[0].login_secret", "folder"]);
}

#[test]
fn a_second_camera_says_where_it_is() {
    let (start, end) = (BASKET.find("[[camera]]").unwrap(), BASKET.find("[[container]]").unwrap());
    let second = BASKET[start..end].replace("\"top\"", "\"side\"").replace("/top.mjpeg", "/side.mjpeg");
    let with = |more: &str| {
        let second = second.replace("focal_px", &format!("{more}\nfocal_px"));
        parse(&format!("{}{second}{}", &BASKET[..end], &BASKET[end..]), "x.toml")
    };
    let cameras = with("at_mm = [0.0, 600.0]").unwrap().cameras;
    assert_eq!(cameras.iter().map(|c| c.at_mm).collect::<Vec<_>>(), [[0.0, 0.0], [0.0, 600.0]]);
    assert!(with("at_mm = [0.0, 6000.0]").unwrap_err().to_string().contains("camera[1].at_mm"));
    // 900 px at 1 150 mm: 200 mm are 156.5 px.
    let points = "plate_points = [[-200, -150, 163.5, 122.6], [200, -150, 476.5, 122.6], [200, 150, 476.5, 357.4], ";
    assert!(with(&format!("{points}[-200, 150, 163.5, 357.4]]")).unwrap().cameras[1].plate_points.is_some());
    for (fourth, told) in
        [("[-200, 150, 300.0, 200.0]]", "never sees"), ("[0, 0, 320, 240]]", "one line"), ("]", "plate_points")]
    {
        let report = with(&format!("{points}{fourth}")).unwrap_err().to_string();
        assert!(report.contains("camera[1].plate_points") && report.contains(told), "{report}");
    }
}

#[test]
fn a_board_without_cells_and_a_station_without_boards_are_refused() {
    let start = BASKET.find("[[board.cell]]").unwrap();
    let end = BASKET.find("[[camera]]").unwrap();
    let without_cells = format!("{}{}", &BASKET[..start], &BASKET[end..]);
    let report = parse(&without_cells, "x.toml").unwrap_err();
    assert_eq!(report.faults.len(), 1, "{report}");
    assert_eq!(report.faults[0].line, line_of(&without_cells, "[[board]]"));
    let start = BASKET.find("[[board]]").unwrap();
    let without_boards = format!("{}{}", &BASKET[..start], &BASKET[end..]);
    let report = parse(&without_boards, "x.toml").unwrap_err();
    assert_eq!(report.faults.len(), 1, "{report}");
    assert_eq!(report.faults[0].key, "board");
}

#[test]
fn nothing_at_all_names_every_section() {
    let report = parse("", "x.toml").unwrap_err();
    let keys: Vec<&str> = report.faults.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(keys, ["station", "api", "data", "models", "platform", "board", "container", "bags", "policy"]);
}

#[test]
fn the_simulators_section_is_left_alone() {
    assert_eq!(faults_of("[simulator]", "[simulator]\nanything = 1"), Vec::<String>::new());
}

#[test]
fn a_journal_is_kept_only_where_the_file_says_so() {
    assert_eq!(parse(BASKET, "x.toml").unwrap().journal, None);
    let wanted = format!("{BASKET}\n[journal]\ndirectory = \"journal\"\nmax_mb = 200\n");
    let journal = parse(&wanted, "x.toml").unwrap().journal.unwrap();
    assert_eq!((journal.directory.to_str(), journal.max_mb), (Some("journal"), 200));
    let broken = wanted.replace("max_mb = 200", "max_mb = 0\nsize = 3");
    let faults = parse(&broken, "x.toml").unwrap_err().to_string();
    assert!(faults.contains("journal.max_mb") && faults.contains("journal.size"), "{faults}");
}

#[test]
fn pictures_are_kept_a_day_three_at_most_and_the_platform_s_corners_lie_in_the_picture() {
    assert_eq!(parse(BASKET, "x").unwrap().privacy.crops_hours, 24);
    assert!(!parse(&BASKET.replace("learn_looks = true", "learn_looks = false"), "x").unwrap().models.learn_looks);
    let unsaid = BASKET.lines().filter(|line| !line.starts_with("learn_looks")).collect::<Vec<_>>().join("\n");
    assert!(parse(&unsaid, "x").unwrap().models.learn_looks);
    let with = |privacy: &str| parse(&format!("{BASKET}\n[privacy]\ncrops_hours = {privacy}\n"), "x");
    assert_eq!(with("0").unwrap().privacy.crops_hours, 0);
    assert_eq!(with("72").unwrap().privacy.crops_hours, 72);
    let told = with("73").unwrap_err().to_string();
    assert!(told.contains("privacy.crops_hours") && told.contains("73"), "{told}");
    let view = "view_px = [60, 20, 580, 460]";
    let corners = |corners: &str| format!("{view}\nplatform_px = {corners}");
    let good = parse(&BASKET.replace(view, &corners("[[70, 30], [570, 40], [300, 450]]")), "x").unwrap();
    assert_eq!(good.cameras[0].platform_px, [[70, 30], [570, 40], [300, 450]]);
    one_fault(view, &corners("[[70, 30], [570, 40]]"), &["camera[0].platform_px", "3 to 16"]);
    one_fault(view, &corners("[[70, 30], [570, 40], [641, 450]]"), &["camera[0].platform_px", "outside"]);
}
