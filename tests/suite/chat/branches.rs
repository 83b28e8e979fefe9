//! Regenerate, edit, walk; pages of a long thread.

use super::*;
use tidemark_core::api::Tidemark;
use tidemark_core::model::MessageId;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn regenerate_and_edit_make_siblings_that_are_walked() {
    let desk = Desk::new(Script::in_turn(
        ["first", "second", "third"].map(Reply::answer),
        Reply::answer("more"),
    ));
    let core = desk.open().await;
    let (sent, first) = core.answered(None, "ask").await;
    let id = sent.conversation_id;
    let second = core.regenerate(first.id, None).expect("asked").answer_id.expect("one");
    core.ended(second).await;
    assert_eq!(core.shown(id), ["ask", "second"]);
    let siblings = core.row(second).siblings;
    assert_eq!((siblings.index, siblings.count), (1, 2));
    assert_eq!((siblings.previous_id, siblings.next_id), (Some(first.id), None));
    core.choose_branch(first.id).expect("chosen");
    assert_eq!(core.shown(id), ["ask", "first"]);
    let edited = core.edit(sent.message_id.expect("one"), "ask better").expect("edited");
    core.ended(edited.answer_id.expect("one")).await;
    assert_eq!(core.shown(id), ["ask better", "third"]);
    core.choose_branch(sent.message_id.expect("one")).expect("chosen");
    assert_eq!(core.shown(id), ["ask", "first"], "each fork remembers its choice");
    assert_eq!(core.edit(first.id, "no").expect_err("refused").code, Code::WrongState);
    assert_eq!(
        core.regenerate(sent.message_id.expect("one"), None).expect_err("refused").code,
        Code::WrongState
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_on_below_the_branch_that_is_shown_or_the_one_that_it_names() {
    let desk = parrot();
    let core = desk.open().await;
    let (sent, first) = core.answered(None, "ask").await;
    let id = sent.conversation_id;
    let second = core.regenerate(first.id, None).expect("asked").answer_id.expect("one");
    core.ended(second).await;
    let below = |sent: tidemark_core::api::Sent| {
        core.row(sent.message_id.expect("stored")).message.parent_id
    };
    assert_eq!(below(core.say(&to(Some(id), "a")).expect("said")), Some(second));
    let mut request = to(Some(id), "b");
    request.parent_id = Some(first.id);
    assert_eq!(below(core.say(&request).expect("said")), Some(first.id));
    assert_eq!(core.shown(id), ["ask", "You said: ask", "b"]);
}

/// A thread of `n` messages as an import brings it, with a short side branch at the tenth.
fn long_thread(core: &Tidemark, n: u128) -> ConversationId {
    let conversation = imported(1, "Long", 1_700_000_000_000);
    let mut messages: Vec<Message> = (1..=n)
        .map(|at| line(&conversation, at, (at > 1).then_some(at - 1), &format!("m{at}")))
        .collect();
    messages.insert(10, line(&conversation, 1_000_001, Some(10), "aside"));
    store(core, &conversation, &messages);
    conversation.id
}

fn number(id: MessageId) -> u128 {
    id.0.as_u128()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_a_thread_of_ten_thousand_are_the_whole_branch() {
    const N: u128 = 10_000;
    let desk = parrot();
    let core = desk.open().await;
    let id = long_thread(&core, N);
    let whole: Vec<u128> = (1..=N).collect();
    let ids = |page: &tidemark_core::api::ThreadPage| -> Vec<u128> {
        page.messages.iter().map(|row| number(row.message.id)).collect()
    };
    let mut page = core.thread(id, 500, None, None).expect("its end");
    assert!(page.has_before && !page.has_after);
    let mut up = ids(&page);
    while page.has_before {
        page = core.thread(id, 500, Some(page.messages[0].message.id), None).expect("above");
        up.splice(0..0, ids(&page));
    }
    assert!(up == whole, "upwards: {} messages", up.len());
    let top = MessageId(Uuid::from_u128(1));
    let mut down = vec![1];
    let mut page = core.thread_after(id, top, 500).expect("below");
    loop {
        down.extend(ids(&page));
        if !page.has_after {
            break;
        }
        page = core
            .thread_after(id, page.messages.last().expect("some").message.id, 500)
            .expect("below");
    }
    assert!(down == whole, "downwards: {} messages", down.len());
    let around = core.thread(id, 61, None, Some(MessageId(Uuid::from_u128(5000)))).expect("around");
    assert_eq!(ids(&around), (4970..=5030).collect::<Vec<u128>>());
    assert!(around.has_before && around.has_after);
    let aside = core.thread(id, 20, None, Some(MessageId(Uuid::from_u128(1_000_001))));
    assert_eq!(ids(&aside.expect("around")).last(), Some(&1_000_001));
    assert_eq!(
        core.thread(id, 1, None, None).expect("its end").messages[0].message.content,
        "aside"
    );
    let back = core.thread(id, 1, None, Some(MessageId(Uuid::from_u128(N)))).expect("around");
    assert_eq!(back.messages[0].siblings.count, 1);
    assert_eq!(core.shown(id).last().map(String::as_str), Some("m10000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_one_chat_never_shows_anothers_messages() {
    let desk = parrot();
    let core = desk.open().await;
    let (mine, _) = core.answered(None, "mine").await;
    let (other, answer) = core.answered(None, "other").await;
    let id = mine.conversation_id;
    for failure in [
        core.thread(id, 10, Some(answer.id), None).expect_err("before"),
        core.thread(id, 10, None, Some(answer.id)).expect_err("around"),
        core.thread_after(id, other.message_id.expect("one"), 10).expect_err("after"),
    ] {
        assert_eq!(failure.code, Code::NotFound, "{failure:?}");
    }
    let mut request = to(Some(id), "below another's");
    request.parent_id = Some(answer.id);
    assert_eq!(core.send(&request).expect_err("refused").code, Code::WrongState);
}
