use serde_json::json;

use super::*;

#[test]
fn the_shapes_are_those_of_the_specification() {
    let text = r#"{"head":{"seq":7,"nonce":9223372036854775807},"horizon":0,"server_ms":5,"schema":[1,1],
        "has_more":false,"known":true,"changes":[
        ["messages",7,"U","0192f0c1-0000-7000-8000-000000000001",["a\nb",null,3,true,{"title":4}]],
        ["tides",7,"D","0192f0c1-0000-7000-8000-000000000002",null]],
        "columns":{"messages":["content","parent_id","tokens_in","x","clocks"]},
        "cursor":{"seq":7,"nonce":3,"tbl":null,"row_id":null}}"#;
    let page: Page<'_> = serde_json::from_str(text).expect("parses");
    assert_eq!(page.head.nonce, i64::MAX);
    let row = page.changes[0].row.as_ref().expect("a row");
    assert_eq!(row[0].as_str(), Some("a\nb"));
    assert_eq!(row[1..4], [Cell::Null, Cell::Int(3), Cell::Bool(true)]);
    assert_eq!(row[4], Cell::Json(json!({"title": 4})));
    assert_eq!(Table::named(&page.changes[1].tbl), None);
    let again = serde_json::to_string(&page).expect("serialises");
    assert_eq!(serde_json::from_str::<Page<'_>>(&again).expect("reads back"), page);
}

#[test]
fn outcomes_survive_json_and_a_word_of_a_newer_server_leaves_the_operation_where_it_is() {
    let id = Uuid::from_u128(1);
    let row = FullRow {
        seq: 4,
        clocks: Clocks::from([("title".to_owned(), 8)]),
        fields: json!({"title": "x", "id": id}).as_object().expect("an object").clone(),
    };
    let accepted = Accepted { seq: 4, nonce: Some(5), ..Accepted::default() };
    let lost = json!({"title": "old"}).as_object().expect("an object").clone();
    let (code, message) = ("invalid".to_owned(), "no".to_owned());
    let all = [
        Outcome::Applied(Accepted { lost, ..accepted.clone() }),
        Outcome::Merged(accepted, row.clone()),
        Outcome::Conflict { row, reason: "final".into() },
        Outcome::Gone { seq: 3 },
        Outcome::Rejected { code, message },
        Outcome::Behind,
        Outcome::Retry { code: "40001".into() },
        Outcome::Done,
    ];
    for outcome in all {
        let settled = Settled { n: 2, outcome };
        let text = serde_json::to_string(&settled).expect("serialises");
        assert!(text.starts_with("[2,\""), "{text}");
        assert_eq!(serde_json::from_str::<Settled>(&text).expect("reads back"), settled);
    }
    let newer: Settled = serde_json::from_str(r#"[2,"postponed",{"until":5}]"#).expect("parses");
    assert_eq!(newer.outcome, Outcome::Retry { code: "postponed".into() });
}

#[test]
fn every_register_is_made_of_fields_of_its_table_and_no_field_has_two() {
    for table in Table::ALL {
        assert_eq!(Table::from_code(i64::from(table.code())), Some(table));
        assert_eq!(Table::named(table.name()), Some(table));
        assert_eq!(json!(table), json!(table.name()));
        let named = table.registers().iter().flat_map(|register| register.fields);
        for field in named.chain(table.body()) {
            assert!(table.field(field).is_some(), "{table:?}.{field}");
            let owners = table.registers().iter().filter(|r| r.fields.contains(field)).count();
            assert_eq!(owners + usize::from(table.body().contains(field)), 1, "{table:?}.{field}");
        }
    }
}

#[test]
fn derived_ids_are_the_same_everywhere() {
    // As `sha256sum` and Python's `uuid.uuid5` give them.
    assert_eq!(setting_id("theme").to_string(), "337d6d48-916b-8842-8e19-5f6df63b73d4");
    let row = Uuid::from_u128(0x0192_f0c1_0000_7000_8000_0000_0000_0001);
    assert_eq!(recovered_id(row, 42).to_string(), "6c0eccff-3cd7-5a3e-8437-0945a292a0bc");
}
