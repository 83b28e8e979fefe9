use super::*;

const TWINS: [(&str, &str); 7] = [
    ("bob", "id-1"),
    ("Bob", "id-2"),
    ("bob ", "id-3"),
    ("Jos\u{e9}", "id-4"),
    ("Jose\u{301}", "id-5"),
    ("anna", "id-6"),
    ("\u{430}nn\u{430}", "id-7"),
];

fn owners(terminal: &Terminal) -> Vec<String> {
    let all = terminal.json(&["conversations"]);
    let of = |one: &Value| one["origin"]["ids"]["user_id"].as_str().expect("an owner").to_owned();
    let mut owners: Vec<_> = all.as_array().expect("a list").iter().map(of).collect();
    owners.sort();
    owners
}

#[test]
fn twins_by_case_form_blanks_or_letters_are_told_apart() {
    let folder = installation(&TWINS, &[]);
    let path = text(folder.path());
    let plan = terminal().json(&["import", "plan", path]);
    assert_eq!((&plan["users"], &plan["conversations"]), (&json!(7), &json!(7)));
    let twins: Vec<_> =
        plan["people"].as_array().expect("people").iter().map(|one| &one["twins"]).collect();
    let bobs = |others: [&str; 2]| json!(others);
    let expected = [
        bobs(["id-2", "id-3"]),
        bobs(["id-1", "id-3"]),
        bobs(["id-1", "id-2"]),
        json!(["id-5"]),
        json!(["id-4"]),
        json!(["id-7"]),
        json!(["id-6"]),
    ];
    assert_eq!(twins, expected.iter().collect::<Vec<_>>());
    for (name, id) in TWINS {
        let terminal = terminal();
        let report = terminal.json(&["import", "run", path, "--user", name]);
        assert_eq!((&report["verified"], &report["users"]), (&json!(true), &json!(1)), "{name}");
        assert_eq!(owners(&terminal), [id], "{name}");
    }
}

#[test]
fn a_name_that_nobody_has_to_the_letter_is_refused_with_the_keys_of_those_who_look_so() {
    let folder = installation(&TWINS, &["0fa1"]);
    let (terminal, path) = (terminal(), text(folder.path()));
    let failure = terminal.failure(&["--json", "import", "run", path, "--user", "BOB"]);
    let hint = failure.hint.expect("a hint");
    assert!(failure.message.contains("BOB") && hint.contains("id-1") && hint.contains("id-3"));
    assert!(!hint.contains("id-4"), "{hint}");
    let failure = terminal.failure(&["--json", "import", "run", path, "--user", "carol"]);
    assert!(failure.hint.expect("a hint").contains("0fa1"), "everybody is named");
    assert_eq!(owners(&terminal), [""; 0], "nothing came over");
}

#[test]
fn a_folder_of_nobody_is_offered_by_its_key() {
    let folder = installation(&[("bob", "id-1")], &["0fa1"]);
    let (terminal, path) = (terminal(), text(folder.path()));
    let plan = terminal.json(&["import", "plan", path]);
    let people = plan["people"].as_array().expect("people");
    let orphan = people.iter().find(|one| one["key"] == "0fa1").expect("offered");
    assert_eq!((&orphan["name"], &orphan["conversations"]), (&json!(null), &json!(1)));
    let report = terminal.json(&["import", "run", path, "--user", "0fa1"]);
    assert_eq!((&report["users"], &report["imported"]["conversations"]), (&json!(0), &json!(1)));
    assert_eq!(owners(&terminal), ["0fa1"]);
}

#[test]
fn two_names_with_one_id_share_their_chats_and_both_are_said() {
    let folder = installation(&[("a name", "id-1"), ("b name", "id-1"), ("bob", "id-2")], &[]);
    let path = text(folder.path());
    let plan = terminal().json(&["import", "plan", path]);
    let people = plan["people"].as_array().expect("people");
    assert_eq!((&plan["users"], people.len()), (&json!(3), 2));
    assert_eq!(
        (&people[0]["name"], &people[0]["other_names"], &people[0]["conversations"]),
        (&json!("a name"), &json!(["b name"]), &json!(1))
    );
    for name in ["a name", "b name"] {
        let terminal = terminal();
        let report = terminal.json(&["import", "run", path, "--user", name]);
        assert_eq!(report["imported"]["conversations"], 1);
        assert_eq!(owners(&terminal), ["id-1"]);
    }
}

#[test]
fn a_name_that_is_the_key_of_another_does_not_bring_their_chats() {
    let folder = installation(&[("id-2", "id-1"), ("bob", "id-2")], &[]);
    let terminal = terminal();
    terminal.json(&["import", "run", text(folder.path()), "--user", "id-2"]);
    assert_eq!(owners(&terminal), ["id-2"]);
}
