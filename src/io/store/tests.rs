//! What is added to a store that is there already, and what is found out about one that somebody has touched.

use super::Database;
use super::database::MIGRATIONS;
use augenmass_core::desk::audit::{Act, Broken, Did};
use augenmass_core::units::Wall;
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
