use super::*;
use crate::verdict::Outcome;

const NOW: i64 = 1_795_284_000_000;

fn at(s: i64) -> Wall {
    Wall::from_ms(NOW + 1000 * s)
}

fn case(id: &str, outcome: Option<Outcome>, decided_s: i64) -> Case {
    Case {
        validation_id: id.parse().unwrap(),
        basket_id: "b".parse().unwrap(),
        closed: false,
        staff_called: false,
        attempt: u32::from(outcome.is_some()),
        corrections: 0,
        outcome,
        void: false,
        control_sample: false,
        age_check: false,
        decided_at: outcome.map(|_| at(decided_s)),
        finding: None,
        off_g: None,
    }
}

fn staff(account: i64, role: Role) -> Staff {
    Staff { account, name: format!("s{account}"), role }
}

fn board(cases: Vec<Case>, now_s: i64) -> Board {
    let mut board = Board::new(Rules { corrections_max: 3, four_eyes_above_minor: Some(10_000) });
    board.observe(at(now_s), cases);
    board
}

fn approve() -> Wanted {
    Wanted { action: Action::Approve, reason: Reason::Bag, attempt: None, age_checked: false, lines: None }
}

fn stake(value_minor: i64, age_limit: Option<u8>) -> Stake {
    Stake { revision: 1, value_minor, age_limit }
}

#[test]
fn only_what_needs_somebody_is_in_the_queue_and_the_most_pressing_comes_first() {
    let exhausted = Case { corrections: 3, ..case("v-x", Some(Outcome::Assist), 0) };
    let adults = Case { age_check: true, corrections: 3, ..case("v-age", Some(Outcome::Assist), 3) };
    assert_eq!(Need::of(&adults, 3), Some(Need::AgeCheck), "not one that was tried in vain");
    let control = Case { control_sample: true, ..case("v-k", Some(Outcome::Assist), 0) };
    let called = Case { staff_called: true, ..case("v-c", Some(Outcome::Correct), 0) };
    let closed = Case { closed: true, ..case("v-z", Some(Outcome::Assist), 0) };
    let cases = vec![
        control,
        case("v-u", Some(Outcome::Unavailable), 0),
        case("v-a", Some(Outcome::Assist), 0),
        exhausted,
        called,
        closed,
        case("v-p", Some(Outcome::Pass), 0),
        case("v-r", Some(Outcome::Correct), 0),
        case("v-n", None, 0),
    ];
    let queue = board(cases, 0).queue(at(0));
    let names: Vec<&str> = queue.iter().map(|entry| entry.validation_id.as_str()).collect();
    assert_eq!(names, ["v-c", "v-x", "v-a", "v-u", "v-k"]);
}

#[test]
fn waiting_counts_so_that_nobody_waits_for_ever() {
    let called = |s| Case { staff_called: true, ..case("v-called", Some(Outcome::Correct), s) };
    let mut board = board(vec![case("v-old", Some(Outcome::Unavailable), 0)], 0);
    board.observe(at(89), vec![case("v-old", Some(Outcome::Unavailable), 0), called(89)]);
    assert_eq!(board.queue(at(89))[0].validation_id.as_str(), "v-called");
    let mut later = self::board(vec![case("v-old", Some(Outcome::Unavailable), 0)], 0);
    later.observe(at(91), vec![case("v-old", Some(Outcome::Unavailable), 0), called(91)]);
    assert_eq!(later.queue(at(91))[0].validation_id.as_str(), "v-old", "91 s are more than the 90 s between them");
    // The next attempt does not put anybody at the end of the queue.
    later.observe(at(120), vec![case("v-old", Some(Outcome::Unavailable), 119)]);
    assert_eq!(later.queue(at(120))[0].since_ms, NOW);
}

#[test]
fn a_basket_is_one_persons_until_they_do_nothing_for_long() {
    let id: ValidationId = "v".parse().unwrap();
    let (anna, ben, eva) = (staff(1, Role::Attendant), staff(2, Role::Attendant), staff(3, Role::Supervisor));
    let mut board = board(vec![case("v", Some(Outcome::Assist), 0)], 0);
    board.claim(at(0), &id, &anna).unwrap();
    assert_eq!(board.claim(at(299), &id, &ben), Err(DeskRefusal::Claimed { by: "s1".to_owned() }));
    assert_eq!(board.release(at(1), &id, &ben), Err(DeskRefusal::Claimed { by: "s1".to_owned() }));
    assert!(board.claim(at(300), &id, &ben).is_ok(), "five minutes are over");
    assert!(board.claim(at(301), &id, &eva).is_ok(), "a supervisor may take it");
    assert_eq!(board.queue(at(301))[0].claimed_by.as_deref(), Some("s3"));
    board.release(at(302), &id, &eva).unwrap();
    assert_eq!(board.resolve(at(303), &id, &eva, &approve(), stake(1, None)), Err(DeskRefusal::NotClaimed));
    board.observe(at(304), vec![Case { closed: true, ..case("v", Some(Outcome::Assist), 0) }]);
    assert_eq!(board.claim(at(304), &id, &anna).unwrap_err(), DeskRefusal::NotQueued);
}

#[test]
fn a_claimed_basket_stays_on_the_board_while_it_is_judged_again() {
    let id: ValidationId = "v".parse().unwrap();
    let anna = staff(1, Role::Attendant);
    let mut board = board(vec![case("v", Some(Outcome::Assist), 0)], 0);
    board.claim(at(0), &id, &anna).unwrap();
    board.observe(at(5), vec![case("v", Some(Outcome::Correct), 5)]);
    assert_eq!(board.queue(at(5)).len(), 1);
    board.observe(at(301), vec![case("v", Some(Outcome::Correct), 5)]);
    assert_eq!(board.queue(at(301)).len(), 0, "the claim is over, and the shopper can put it right");
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let id: ValidationId = "v".parse().unwrap();
    let anna = staff(1, Role::Attendant);
    let mut board = board(vec![case("v", Some(Outcome::Assist), 0)], 0);
    board.claim(at(0), &id, &anna).unwrap();
    let mut resolve = |wanted: Wanted, age| board.resolve(at(1), &id, &anna, &wanted, stake(100, age)).map(|_| ());
    let other = |action| Err(DeskRefusal::OtherReason { action });
    assert_eq!(resolve(Wanted { reason: Reason::ItemAdded, ..approve() }, None), other(Action::Approve));
    assert_eq!(resolve(Wanted { reason: Reason::SupervisorOverride, ..approve() }, None), other(Action::Approve));
    let correct = Wanted { action: Action::Correct, reason: Reason::ItemAdded, ..approve() };
    assert_eq!(resolve(correct.clone(), None), Err(DeskRefusal::Lines));
    assert_eq!(resolve(Wanted { lines: Some(Vec::new()), ..approve() }, None), Err(DeskRefusal::Lines));
    assert_eq!(resolve(Wanted { lines: Some(Vec::new()), ..correct }, Some(18)), Ok(()));
    assert_eq!(resolve(approve(), Some(18)), Err(DeskRefusal::AgeUnchecked { years: 18 }));
    assert_eq!(resolve(Wanted { age_checked: true, ..approve() }, Some(18)), Ok(()));
    let refuse = Wanted { action: Action::Refuse, reason: Reason::AgeRefused, ..approve() };
    assert_eq!(resolve(refuse, Some(18)), Ok(()));
}

#[test]
fn dear_baskets_are_approved_by_two_people_of_whom_the_second_is_a_supervisor() {
    let id: ValidationId = "v".parse().unwrap();
    let (anna, ben) = (staff(1, Role::Attendant), staff(2, Role::Attendant));
    let (eva, tom) = (staff(3, Role::Supervisor), staff(4, Role::Supervisor));
    let mut board = board(vec![case("v", Some(Outcome::Assist), 0)], 0);
    board.claim(at(0), &id, &anna).unwrap();
    assert_eq!(
        board.resolve(at(1), &id, &anna, &approve(), stake(10_000, None)),
        Ok(None),
        "the value itself is not above it"
    );
    assert!(board.resolve(at(1), &id, &anna, &approve(), stake(10_001, None)).unwrap().is_some());
    assert_eq!(board.queue(at(1))[0].need, Need::SecondPerson);
    assert_eq!(board.resolve(at(2), &id, &anna, &approve(), stake(10_001, None)), Err(DeskRefusal::SecondPerson));
    assert_eq!(board.confirm(&id, &anna), Err(DeskRefusal::SecondPerson));
    assert_eq!(board.confirm(&id, &ben), Err(DeskRefusal::SecondPerson));
    assert_eq!(board.confirm(&id, &eva).unwrap().by, anna);
    board.settled(&id);
    assert_eq!(board.confirm(&id, &eva), Err(DeskRefusal::NothingProposed));
    // A supervisor is one person, too.
    board.claim(at(3), &id, &eva).unwrap();
    assert!(board.resolve(at(3), &id, &eva, &approve(), stake(10_001, None)).unwrap().is_some());
    assert_eq!(board.confirm(&id, &eva), Err(DeskRefusal::SecondPerson));
    assert!(board.confirm(&id, &tom).is_ok());
    // Ten minutes later it has to be decided anew.
    board.claim(at(299), &id, &eva).unwrap();
    board.observe(at(603), vec![case("v", Some(Outcome::Assist), 0)]);
    assert_eq!(board.confirm(&id, &tom), Err(DeskRefusal::NothingProposed));
    // To refuse one needs nobody else.
    board.claim(at(604), &id, &anna).unwrap();
    let refuse = Wanted { action: Action::Refuse, reason: Reason::BasketRefused, ..approve() };
    assert_eq!(board.resolve(at(604), &id, &anna, &refuse, stake(10_001, None)), Ok(None));
}

#[test]
fn a_resolution_is_taken_back_in_time_by_who_made_it_or_a_supervisor() {
    let (anna, ben, eva) = (staff(1, Role::Attendant), staff(2, Role::Attendant), staff(3, Role::Supervisor));
    let undo = |s, by| Board::may_undo(at(s), &anna, at(0), by);
    assert_eq!((undo(60, &anna), undo(60, &eva)), (Ok(()), Ok(())));
    assert_eq!(undo(61, &anna), Err(DeskRefusal::TooLate));
    assert_eq!(undo(1, &ben), Err(DeskRefusal::NotYours));
}
