//! What is added to a store that is there already, and what is found out about one that somebody has touched.

use super::Database;
use super::back::{OLDEST, check, copy_path, go_back};
use super::crops::{CropPicture, CropSet};
use super::database::{FORMAT, MIGRATIONS, StoreError};
use super::looks::{LearnedLook, LookChange};
use augenmass_core::desk::Kept;
use augenmass_core::desk::audit::{Act, Broken, Did};
use augenmass_core::goods::learn::{Belief, Change, Subject, Why};
use augenmass_core::goods::{LookVector, WeightBelief, WeightSource};
use augenmass_core::units::{ProductId, Wall};
use augenmass_core::verdict::{Role, Staff};
use rusqlite::Connection;

#[test]
fn a_store_of_an_older_format_is_taken_over_with_what_is_in_it() {
    for format in 1..MIGRATIONS.len() {
        let folder = tempfile::tempdir().unwrap();
        let old = Connection::open(folder.path().join("augenmass.sqlite")).unwrap();
        MIGRATIONS[..format].iter().for_each(|migration| old.execute_batch(migration).unwrap());
        old.pragma_update(None, "user_version", format as i64).unwrap();
        old.execute("INSERT INTO validation VALUES ('v-1', 'b-1', 7)", []).unwrap();
        drop(old);
        let database = Database::open(folder.path()).unwrap();
        let restored = database.restore().unwrap();
        assert_eq!((restored.validations.len(), restored.out_of_service), (1, None), "format {format}");
        assert_eq!(restored.validations[0].resolutions, 0);
    }
}

#[test]
fn an_account_is_there_once_and_its_sessions_end_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = Database::open(folder.path()).unwrap();
    let now = Wall::from_ms(1_000);
    let number = database.add_account("Anna", Role::Attendant, "hash", Some(&[7; 32]), now).unwrap().unwrap();
    assert_eq!(database.add_account("anna", Role::Supervisor, "hash", None, now).unwrap(), None, "whatever the case");
    assert_eq!(database.add_account("Ben", Role::Attendant, "hash", Some(&[7; 32]), now).unwrap(), None, "her badge");
    let staff = database.account_named("ANNA").unwrap().unwrap().staff;
    assert_eq!(staff, Staff { account: number, name: "Anna".to_owned(), role: Role::Attendant });
    assert_eq!(database.account_of_badge(&[7; 32]).unwrap().unwrap().staff, staff);
    let tablet = database.add_credential("tablet", "desk", &[1; 32], now).unwrap().unwrap();
    for n in 0..6u8 {
        database.open_session(&[n; 32], &staff, tablet, Wall::from_ms(2_000 + i64::from(n))).unwrap();
    }
    assert!(database.session(&[1; 32]).unwrap().is_none(), "the oldest give way to the newest");
    assert_eq!(database.session(&[5; 32]).unwrap().unwrap().staff, staff);
    assert!(database.remove_account("anna", now).unwrap() && !database.remove_account("anna", now).unwrap());
    assert!(database.session(&[5; 32]).unwrap().is_none() && database.account_named("Anna").unwrap().is_none());
    // The name is free again, for somebody with another number.
    assert_ne!(database.add_account("Anna", Role::Attendant, "hash", None, now).unwrap(), Some(number));
    // With the tablet go the sessions on it.
    let staff = database.account_named("Anna").unwrap().unwrap().staff;
    database.open_session(&[9; 32], &staff, tablet, now).unwrap();
    database.revoke_credential(tablet, now).unwrap();
    assert!(database.session(&[9; 32]).unwrap().is_none() && database.tablet(&[1; 32]).unwrap().is_none());
}

#[test]
fn who_changes_the_record_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = Database::open(folder.path()).unwrap();
    for n in 1..=5 {
        database.note(&Act::new(Did::Claimed, None, Wall::from_ms(n))).unwrap();
    }
    let sound = database.check_audit(None).unwrap();
    assert_eq!((sound.check.entries, sound.broken), (5, None));
    let head = sound.check.head;
    assert!(database.check_audit(Some(&head)).unwrap().met);
    // Slips are stopped; who has the file is found out.
    assert!(database.connection.execute("UPDATE audit SET entry = '{}' WHERE number = 3", []).is_err());
    assert!(database.connection.execute("DELETE FROM audit WHERE number = 3", []).is_err());
    database.connection.execute_batch("DROP TRIGGER audit_is_final; DROP TRIGGER audit_stays;").unwrap();
    database.connection.execute("UPDATE audit SET entry = replace(entry, '3', '4') WHERE number = 3", []).unwrap();
    assert_eq!(database.check_audit(None).unwrap().broken, Some(Broken::Changed { number: 3 }));
    database.connection.execute("DELETE FROM audit WHERE number = 2", []).unwrap();
    assert_eq!(database.check_audit(None).unwrap().broken, Some(Broken::Missing { expected: 2 }));
    database.connection.execute("DELETE FROM audit WHERE number > 1", []).unwrap();
    let cut = database.check_audit(Some(&head)).unwrap();
    assert!(cut.broken.is_none() && !cut.met, "who has kept a later hash sees that the end is gone");
}

/// A file of an older format with something in it, as the software of then left it.
fn of_format(folder: &std::path::Path, format: usize) -> Connection {
    let old = Connection::open(folder.join("augenmass.sqlite")).unwrap();
    old.pragma_update(None, "journal_mode", "WAL").unwrap();
    MIGRATIONS[..format].iter().for_each(|migration| old.execute_batch(migration).unwrap());
    old.pragma_update(None, "user_version", format as i64).unwrap();
    old.execute("INSERT INTO validation VALUES ('v-1', 'b-1', 7)", []).unwrap();
    old
}

/// Everything that makes up a format: tables, indices, triggers, as text without its line breaks.
fn form(connection: &Connection) -> std::collections::BTreeSet<String> {
    let mut query = connection.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").unwrap();
    let texts = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
    texts.map(|text| text.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn raw(folder: &std::path::Path) -> Connection {
    Connection::open(folder.join("augenmass.sqlite")).unwrap()
}

fn count(connection: &Connection, query: &str) -> i64 {
    connection.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn before_each_way_forward_a_copy_is_kept_that_the_older_software_reads() {
    use std::os::unix::fs::PermissionsExt;
    for format in 1..MIGRATIONS.len() {
        let folder = tempfile::tempdir().unwrap();
        let old = of_format(folder.path(), format);
        let before = form(&old);
        if format >= 11 {
            let picture = "INSERT INTO crop VALUES ('v-1', 1, 0, NULL, 9, CAST('a-face-in-a-picture' AS BLOB))";
            old.execute(picture, []).unwrap();
        }
        // Somebody still reads: what he sees must be in the copy too, although it stands in the log alone.
        Database::open(folder.path()).unwrap();
        let path = copy_path(folder.path(), format as i64);
        let copy = Connection::open(&path).unwrap();
        assert_eq!(count(&copy, "PRAGMA user_version"), format as i64);
        assert_eq!((form(&copy), count(&copy, "SELECT count(*) FROM validation")), (before, 1), "format {format}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(19).any(|window| window == b"a-face-in-a-picture"), "pictures are not kept in copies");
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!files.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{files:?}");
    }
    // A store that is made now, or is of this format already, needs none.
    let folder = tempfile::tempdir().unwrap();
    Database::open(folder.path()).unwrap();
    Database::open(folder.path()).unwrap();
    assert!(check(folder.path()).unwrap().copies.is_empty());
}

#[test]
fn a_store_that_cannot_keep_a_copy_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    drop(of_format(folder.path(), 13));
    // A folder in the way, as a full disk would be.
    let copy = copy_path(folder.path(), 13);
    std::fs::create_dir_all(copy.join("in the way")).unwrap();
    assert!(matches!(Database::open(folder.path()), Err(StoreError::Copy { .. })));
    assert_eq!(count(&raw(folder.path()), "PRAGMA user_version"), 13);
    std::fs::remove_dir_all(&copy).unwrap();
    assert!(Database::open(folder.path()).is_ok());
}

#[test]
fn every_step_back_leaves_what_the_older_software_would_have_made() {
    for to in OLDEST..FORMAT {
        let folder = tempfile::tempdir().unwrap();
        drop(of_format(folder.path(), 9));
        let mut database = Database::open(folder.path()).unwrap();
        let now = Wall::from_ms(1_000);
        database.note(&Act::new(Did::Claimed, None, now)).unwrap();
        let token = database.add_credential("gate", "gate", &[1; 32], now).unwrap().unwrap();
        database.revoke_credential(token, now).unwrap();
        let device = database.add_certificate("handheld", "mc33", "dns:mc33.example", &[2; 32], now).unwrap().unwrap();
        database.keep_desk(&Kept::default(), None).unwrap();
        let set = CropSet {
            validation_id: "v-1".parse().unwrap(),
            attempt: 1,
            until: Wall::from_ms(9),
            pictures: vec![CropPicture { number: 0, finding: None, jpeg: b"a-face-in-a-picture".to_vec() }],
        };
        database.put_crops(&set).unwrap();
        database
            .connection
            .execute_batch(
                "INSERT INTO attempt VALUES ('v-1', 1, 'pass', 5, '{}'); INSERT INTO void VALUES ('v-1', 1, 6);
                 INSERT INTO attempt VALUES ('v-1', 2, 'assist', 7,
                   '{\"weight\":5312.40,\"message\":{\"key\":\"age_check\",\"args\":{\"years\":18}},\"seen\":null}');",
            )
            .unwrap();
        let family: Subject = "spreads:jam/net/even".parse().unwrap();
        let spread = WeightBelief { mean_g: 1.0, sd_g: 1.0, mean_sd_g: 0.0, source: WeightSource::Seeded };
        let learned = [Subject::Spreads, family.clone()].map(|subject| Change {
            subject,
            at: now,
            why: Why::Visit,
            belief: Belief::new(spread),
        });
        database.keep_learned(&learned, None).unwrap();
        let milk: ProductId = "milk".parse().unwrap();
        let view = LookVector::from_bytes(&[1, 2, 3, 4]);
        let looks = [(milk.clone(), vec![view.clone()])].into();
        database.put_looks("space", &looks, (LookChange::Enrolled, None), now).unwrap();
        let visit = "v-1".parse().unwrap();
        let taught = LearnedLook { product: milk, view, visit, shopper: None };
        database.learn_look("space", &taught, now).unwrap().unwrap();
        let head = database.check_audit(None).unwrap().check.head;
        assert!(matches!(go_back(folder.path(), to, now), Err(StoreError::InUse)), "somebody has it open");
        assert_eq!(database.credentials().unwrap().len(), 2, "and keeps it");
        drop(database);
        let told = check(folder.path()).unwrap();
        assert_eq!((told.format, told.faults.len(), told.back.len() as i64), (FORMAT, 0, FORMAT - OLDEST));
        assert_eq!(
            (&told.back[0].rows[..], &told.back[1].rows[..]),
            (
                &[("learned_look", 1), ("look_change", 2)][..],
                &[("desk", 1), ("age_check", 1), ("family_spreads", 1)][..]
            )
        );
        let gone = go_back(folder.path(), to, now).unwrap();
        assert_eq!(gone.steps.len() as i64, FORMAT - to);
        // The same form as a new file of that format, and all that it can hold.
        let fresh = tempfile::tempdir().unwrap();
        let old = raw(folder.path());
        assert_eq!(form(&old), form(&of_format(fresh.path(), to as usize)), "format {to}");
        assert_eq!(count(&old, "PRAGMA user_version"), to);
        assert_eq!(count(&old, "SELECT count(*) FROM attempt JOIN void USING (validation_id, attempt)"), 1);
        let verdict: String =
            old.query_row("SELECT verdict FROM attempt WHERE attempt = 2", [], |row| row.get(0)).unwrap();
        let readable = "{\"weight\":5312.40,\"message\":{\"key\":\"staff_will_help\",\"args\":{}},\"seen\":null}";
        let aware = to >= 15;
        assert_eq!(verdict == readable, !aware, "a message that the older software knows, and nothing else is touched");
        let strange = "WHERE subject GLOB 'spreads:*' AND subject <> 'spreads:labels'";
        for table in ["belief", "belief_history"] {
            let named = |which: &str| count(&old, &format!("SELECT count(*) FROM {table} {which}"));
            assert_eq!(
                (named(strange), named("WHERE subject = 'spreads:labels'")),
                (i64::from(aware), 1),
                "no name that older software cannot read"
            );
        }
        let known = i64::from(to >= 14);
        assert_eq!(
            count(&old, "SELECT count(*) FROM credential WHERE revoked_at_ms IS NULL"),
            known,
            "nothing revives"
        );
        assert_eq!(count(&old, "SELECT count(*) FROM look"), 1, "enrolled looks stay");
        // What had to go lies in files.
        if to < 14 {
            let kept = std::fs::read_to_string(gone.kept.join("certificate.ndjson")).unwrap();
            let row: serde_json::Value = serde_json::from_str(&kept).unwrap();
            assert_eq!((row["number"].as_i64(), row["certificate"].as_str()), (Some(device), Some("dns:mc33.example")));
        }
        if to < 13 {
            let rows = std::fs::read_to_string(gone.kept.join("told.ndjson")).unwrap();
            assert_eq!(rows.lines().count(), 3, "{rows}");
        }
        if to < 11 {
            let bytes = std::fs::read(folder.path().join("augenmass.sqlite")).unwrap();
            assert!(!bytes.windows(19).any(|window| window == b"a-face-in-a-picture"), "gone is gone");
        }
        drop(old);
        // And forward again, with the record whole.
        let database = Database::open(folder.path()).unwrap();
        assert_eq!(count(&database.connection, "SELECT count(*) FROM validation"), 1);
        assert!(database.check_audit(Some(&head)).unwrap().met);
        assert_eq!(count(&database.connection, "SELECT count(*) FROM told"), 3);
        let holder = database.holder_of_certificate(&["dns:mc33.example".to_owned()]).unwrap();
        assert_eq!(holder.is_some(), to >= 14);
        assert!(gone.copy.exists() && check(folder.path()).unwrap().copies.iter().any(|(format, _)| *format == FORMAT));
    }
}

#[test]
fn there_is_no_way_back_to_what_would_forget_decisions_nor_from_what_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    assert!(go_back(folder.path(), OLDEST, Wall::from_ms(1)).is_err() && check(folder.path()).is_err(), "no store");
    drop(Database::open(folder.path()).unwrap());
    for to in [OLDEST - 1, FORMAT, FORMAT + 1, -1] {
        assert!(matches!(go_back(folder.path(), to, Wall::from_ms(1)), Err(StoreError::NoWayBack { .. })), "{to}");
    }
    raw(folder.path()).pragma_update(None, "user_version", FORMAT + 1).unwrap();
    assert!(matches!(go_back(folder.path(), OLDEST, Wall::from_ms(1)), Err(StoreError::Newer { .. })));
    let newer = Database::open(folder.path()).unwrap_err().to_string();
    assert!(newer.contains(&format!("augenmass store back --to {FORMAT}")), "{newer}");
    // An older version still says what it has before it.
    assert_eq!(check(folder.path()).unwrap().format, FORMAT + 1);
}
