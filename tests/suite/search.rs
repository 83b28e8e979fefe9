//! Finding again what was said: newest first, in any script, whatever is typed.

use crate::desk::{Desk, Person, imported, line, store, to};
use tidemark_core::api::{SearchHit, SearchRequest, Shelf, Tidemark};
use tidemark_core::model::{ConversationId, MessageId};
use tidemark_tests::model_server::{Reply, Script};

async fn desk() -> (Desk, Tidemark) {
    let desk = Desk::new(Script::always(Reply::Silence));
    let core = desk.open().await;
    (desk, core)
}

fn said(core: &Tidemark, conversation_id: Option<ConversationId>, text: &str) -> MessageId {
    core.say(&to(conversation_id, text)).expect("said").message_id.expect("one")
}

/// The messages among the hits, as they come.
fn messages(hits: &[SearchHit]) -> Vec<MessageId> {
    hits.iter().filter_map(|hit| hit.message_id).collect()
}

/// What a hit marks, as the interface cuts it out.
fn marked(hit: &SearchHit) -> Vec<String> {
    let units: Vec<u16> = hit.snippet.encode_utf16().collect();
    let cut =
        |(from, to): &(u32, u32)| String::from_utf16_lossy(&units[*from as usize..*to as usize]);
    hit.highlights.iter().map(cut).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_comes_first_and_what_was_imported_last_is_still_old() {
    let (_desk, core) = desk().await;
    let newest = said(&core, None, "liver today");
    for (id, at) in [(10, 1_500_000_000_000), (20, 1_600_000_000_000)] {
        let conversation = imported(id, "Old", at);
        store(&core, &conversation, &[line(&conversation, id + 1, None, "liver then")]);
    }
    let hits = messages(&core.finds("liver").await.split_off(1));
    let old = |id| MessageId(uuid::Uuid::from_u128(id));
    assert_eq!(hits, [newest, old(21), old(11)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn titles_beginnings_phrases_and_accents_are_found() {
    let (_desk, core) = desk().await;
    let id = said(&core, None, "The first pass through the liver of Paracétamol");
    let conversation = core.row(id).message.conversation_id;
    core.rename(conversation, "Hépatique").expect("renamed");
    for text in ["liv", "\"first pass\"", "\"pass through", "paracetamol", "PARACÉT", "liver first"]
    {
        let hits = core.finds(text).await;
        assert_eq!(messages(&hits), [id], "{text}");
        assert!(!marked(&hits[0]).is_empty(), "{text}: {hits:?}");
    }
    for text in ["iver", "\"pass first\"", "liv ", "kidney liver"] {
        assert_eq!(messages(&core.finds(text).await), [], "{text}");
    }
    let title = core.finds("hepat").await;
    assert_eq!((title[0].message_id, marked(&title[0])), (None, vec!["Hépatique".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_without_blanks_and_marks_above_letters_are_found() {
    let (_desk, core) = desk().await;
    let chinese = said(&core, None, "请问对乙酰氨基酚的最大剂量是多少?");
    let japanese = said(&core, None, "肝臓で代謝されるくすり");
    let arabic = said(&core, None, "ما هي جُرْعَة الباراسيتامول؟");
    let korean = said(&core, None, "최대 용량은 얼마입니까");
    for (text, id, mark) in [
        ("最大剂量", chinese, "最大剂量"),
        ("剂量", chinese, "剂量"),
        ("代謝", japanese, "代謝"),
        ("くすり", japanese, "くすり"),
        ("جرعة", arabic, "جُرْعَة"),
        ("جُرْعَة", arabic, "جُرْعَة"),
        ("용량", korean, "용량은"),
    ] {
        let hits = core.finds(text).await;
        let hit = hits.iter().find(|hit| hit.message_id == Some(id));
        assert_eq!(marked(hit.unwrap_or_else(|| panic!("{text}: {hits:?}"))), [mark], "{text}");
    }
    assert_eq!(messages(&core.finds("量剂").await), [], "in this order only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_in_one_chat_stays_there_and_each_hit_names_its_shelf() {
    let (_desk, core) = desk().await;
    let ids: Vec<MessageId> = (0..3).map(|_| said(&core, None, "same word")).collect();
    let chat = |at: usize| core.row(ids[at]).message.conversation_id;
    core.archive(chat(1), true).expect("archived");
    core.trash(chat(2)).expect("trashed");
    core.indexed().await;
    let only = SearchRequest {
        text: "same".to_owned(),
        conversation_id: Some(chat(1)),
        ..SearchRequest::default()
    };
    assert_eq!(messages(&core.search(&only).expect("searched")), [ids[1]]);
    let hits = core.finds("same").await;
    let shelf = |id| hits.iter().find(|hit| hit.message_id == Some(id)).map(|hit| hit.shelf);
    assert_eq!(shelf(ids[0]), Some(Shelf::Active));
    assert_eq!(shelf(ids[1]), Some(Shelf::Archived));
    assert_eq!(shelf(ids[2]), Some(Shelf::Trash));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_never_an_operator_an_error_or_a_long_wait() {
    let (_desk, core) = desk().await;
    let id = said(&core, None, "a word OR NEAR another");
    core.indexed().await;
    let many = "word ".repeat(10_000);
    let long = "x".repeat(5 << 20);
    let quotes = "\"".repeat(10_000);
    for text in [
        "\" * OR NEAR( -",
        "NEAR(a b, 2)",
        "title:word",
        "^word",
        "{a}:b",
        "a AND",
        "*",
        "\0",
        "w\0d",
        "",
        " ",
        "-",
        "''",
        "word*",
        "\u{202e}word",
        "😀",
        "\u{301}",
        &many,
        &long,
        &quotes,
    ] {
        let started = std::time::Instant::now();
        let request = SearchRequest { text: text.to_owned(), ..SearchRequest::default() };
        core.search(&request).unwrap_or_else(|error| panic!("{:.40}: {error:?}", text));
        assert!(started.elapsed() < std::time::Duration::from_secs(10), "{text:.40}");
    }
    assert_eq!(messages(&core.finds("OR NEAR").await), [id], "words like any other");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_is_rebuilt_while_people_write_is_whole_afterwards() {
    let (_desk, core) = desk().await;
    let conversation = imported(1, "Long", 1_700_000_000_000);
    let rows: Vec<_> = (1..=2000)
        .map(|at| line(&conversation, at, (at > 1).then_some(at - 1), "imported words"))
        .collect();
    store(&core, &conversation, &rows);
    core.rebuild_index().expect("begun");
    let id = core.row(said(&core, None, "typed words")).message.conversation_id;
    for _ in 0..50 {
        said(&core, Some(id), "typed words");
    }
    core.rebuild_index().expect("begun again");
    core.indexed().await;
    let report = core.doctor().expect("read");
    assert!(report.ok, "{:?} {:?}", report.findings, report.integrity);
    assert_eq!(report.counts["message_index"], 2051);
    let most = SearchRequest { text: "typed".to_owned(), limit: Some(200), ..Default::default() };
    assert_eq!(messages(&core.search(&most).expect("searched")).len(), 51);
}
