use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::PharmGpt;
use crate::import::record::{Kind, Proof};
use crate::import::sources::Source as _;
use crate::import::sources::testing::{Haul, copy, fixture, hashes, json, sha256, state};
use crate::model::Role;

const ALICE: &str = "668d27448eaaa4425e93f658189ae4f3";
const BOB: &str = "2bb7f3b9d358dacf2037dac6b6e16754";

fn read(name: &str) -> Haul {
    let root = fixture(name);
    assert!(PharmGpt.recognises(&root), "{name}");
    Haul::of(&PharmGpt, &root)
}

/// A copy of a fixture, to be changed.
fn changed(name: &str, change: impl FnOnce(&Path)) -> (TempDir, Haul) {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&fixture(name), folder.path());
    change(folder.path());
    let haul = Haul::of(&PharmGpt, folder.path());
    (folder, haul)
}

fn chats(user: &str) -> String {
    format!("user_data/conversations_{user}/conversations.json")
}

#[test]
fn every_layout_gives_what_its_truth_says() {
    let layouts =
        [("2", "pharmgpt-v2-userrag"), ("3", "pharmgpt-v3-convrag"), ("4", "pharmgpt-v4")];
    for (version, name) in layouts {
        assert_eq!(PharmGpt.version(&fixture(name)).as_deref(), Some(version));
        let (haul, truth) = (read(name), json(&format!("{name}/truth.json")));
        let totals = &truth["totals"];
        let counts = ["users", "conversations", "messages", "documents"]
            .map(|key| totals[key].as_u64().expect("a count") as usize);
        assert_eq!(haul.counts(), counts, "{name}");
        assert_eq!(haul.skips, [], "{name}");
        for user in truth["users"].as_array().expect("users") {
            is_as_told(&haul, user, name);
        }
        has_the_chunks(&haul, &truth["chroma"]);
    }
}

fn is_as_told(haul: &Haul, user: &serde_json::Value, name: &str) {
    let id = user["user_id"].as_str().expect("an id");
    let owner = haul.owners.iter().find(|owner| owner.key == id).expect("an owner");
    let shown = owner.name.as_ref().map(|name| name.shown.as_str());
    assert_eq!(shown, user["username"].as_str());
    let password = user["password"].as_str().expect("a password");
    let Proof { hash, salt } = owner.proof.as_ref().expect("a proof");
    assert_eq!(*hash, sha256(format!("{password}{salt}").as_bytes()));
    let theirs = haul.conversations.iter().filter(|found| found.owner.as_deref() == Some(id));
    let told = user["conversations"].as_array().expect("conversations");
    assert_eq!(theirs.clone().count(), told.len(), "{name}");
    for (found, told) in theirs.zip(told) {
        assert_eq!(found.key, told["id"], "in the order of the file");
        assert_eq!(found.title.shown, told["title"]);
        assert_eq!(found.created.original.as_deref(), told["created_at"].as_str());
        assert_eq!(found.model.as_deref(), told["model"].as_str());
        assert_eq!(serde_json::json!(hashes(found)), told["content_sha256"], "{}", found.key);
        let parents: Vec<_> = found.messages.iter().map(|message| message.parent).collect();
        let chain: Vec<_> = (0..parents.len()).map(|at| at.checked_sub(1)).collect();
        assert_eq!(parents, chain);
    }
    let theirs = haul.documents.iter().filter(|found| found.owner.as_deref() == Some(id));
    let by_key: BTreeMap<_, _> = theirs.map(|found| (found.key.as_str(), found)).collect();
    for told in user["documents"].as_array().expect("documents") {
        let (scope, key) = (told["scope"].as_str().expect("a scope"), &told["key"]);
        let key = key.as_str().expect("a key");
        let found = match scope {
            "conversation_global" => by_key[format!("global/{key}").as_str()],
            _ => by_key[key],
        };
        let conversation = scope.strip_prefix("conversation_").filter(|id| *id != "global");
        assert_eq!(found.conversation.as_deref(), conversation);
        assert_eq!(found.name.shown, told["filename"]);
        let claimed = told["chunk_count"].as_i64().or(told["chunks_count"].as_i64());
        assert_eq!(found.claimed, claimed);
        assert_eq!(Some(found.fragments.len() as i64), claimed, "none is missing");
        let is_known = told["size_bytes"].as_i64().is_none_or(|size| found.bytes == Some(size));
        assert!(is_known && found.bytes.is_some(), "{name}: a size");
    }
}

/// Every piece of every store, in the order of its number.
fn has_the_chunks(haul: &Haul, chroma: &serde_json::Value) {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for store in chroma.as_object().expect("stores").values() {
        let mut chunks: Vec<_> = store["chunks"].as_array().expect("chunks").iter().collect();
        let number = |chunk: &&serde_json::Value| {
            let id = chunk["id"].as_str().expect("an id").rsplit_once('_').expect("a number").1;
            id.parse::<u32>().expect("a number")
        };
        chunks.sort_by_key(number);
        for chunk in chunks {
            let id = chunk["id"].as_str().expect("an id").rsplit_once('_').expect("a number").0;
            let key = id.strip_suffix("_chunk").unwrap_or(id).to_owned();
            let hash = chunk["sha256"].as_str().expect("a hash").to_owned();
            told.entry(key).or_default().push(hash);
        }
    }
    let found: BTreeMap<String, Vec<String>> = haul
        .documents
        .iter()
        .map(|document| {
            let fragments = document.fragments.iter().map(|text| sha256(text.bytes()));
            (document.ids["document_hash"].clone(), fragments.collect())
        })
        .collect();
    assert_eq!(found, told);
}

#[test]
fn every_damage_leaves_what_a_careful_reader_still_finds() {
    let expected = json("pharmgpt-corrupt/expected.json");
    for (case, expected) in expected.as_object().expect("cases") {
        let haul = read(&format!("pharmgpt-corrupt/{case}"));
        let mut counts = ["users", "conversations", "messages", "documents"]
            .map(|key| expected[key].as_u64().map(|count| count as usize));
        if case == "04-wrong-types" {
            counts = FOUR;
        }
        assert_eq!(haul.counts().map(Some), counts, "{case}");
    }
}

/// What comes over of the file in which everything has another type than it should.
///
/// 11 conversations: all 9 objects; the one inside a list, which is whole; and the one of the file that
/// is a list instead of an object. Only `null` is nothing, and is named as skipped.
/// 25 messages: every object inside a list, an object or a double-encoded text is one, whatever its
/// content is (a content of another kind is kept in the metadata, `null` is an empty text), and so is a
/// bare text, which is somebody's words; a bare number and `null` are no messages, and are named.
const FOUR: [Option<usize>; 4] = [Some(2), Some(11), Some(25), Some(0)];

#[test]
fn wrong_types_are_read_for_what_they_hold_or_named() {
    let haul = read("pharmgpt-corrupt/04-wrong-types");
    let count = |key: &str| haul.conversation(key).messages.len();
    let counts = [
        ("wt-messages-dict", 1),
        ("wt-messages-null", 0),
        ("wt-messages-string", 2),
        ("wt-content", 5),
        ("wt-title-number", 2),
        ("wt-roles", 6),
        ("wt-conv-is-list/0", 2),
        ("#0", 2),
    ];
    for (key, messages) in counts {
        assert_eq!(count(key), messages, "{key}");
    }
    let skipped: Vec<_> = haul.skips.iter().map(|skip| skip.what).collect();
    assert_eq!(skipped, [Kind::Message, Kind::Message, Kind::Conversation]);
    assert_eq!(haul.conversation("wt-title-number").title.shown, "12345");
    assert!(haul.conversation("wt-title-null").title.is_empty());
    let texts: Vec<_> =
        haul.conversation("wt-content").messages.iter().map(|m| m.content.shown.as_str()).collect();
    assert_eq!(texts, ["", "42", "part", "obj", "a bare string"]);
    let roles: Vec<_> = haul.conversation("wt-roles").messages.iter().map(|m| m.role).collect();
    let answer = Role::Assistant;
    assert_eq!(roles, [Role::System, Role::Tool, Role::User, answer, answer, answer]);
    let epoch = haul.conversation("wt-created-epoch");
    assert_eq!(epoch.created.at.map(|at| at.0), Some(1_757_700_000_000));
    assert_eq!(epoch.messages[0].at.at.map(|at| at.0), Some(1_757_700_000_000));
}

#[test]
fn a_cut_list_of_users_names_nobody_but_still_proves_whose_it_is() {
    let haul = read("pharmgpt-corrupt/03-users-json-truncated");
    let alice = haul.owners.iter().find(|owner| owner.key == ALICE).expect("her folder");
    assert_eq!((&alice.name, alice.proof.is_some()), (&None, true));
    assert!(haul.notes_say("alice_c"), "{:?}", haul.notes);
}

#[test]
fn a_folder_of_nobody_is_offered_and_an_empty_one_is_not() {
    let haul = read("pharmgpt-corrupt/14-deleted-user");
    let bob = haul.owners.iter().find(|owner| owner.key == BOB).expect("his folder");
    assert_eq!(bob.name, None);
    assert!(haul.notes_say("x.txt"), "an upload of which nothing is left: {:?}", haul.notes);
    let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
        fs::create_dir_all(root.join("user_data/rag_nobody/conversation_x/chroma_db"))
            .expect("made");
    });
    assert_eq!(haul.owners.len(), 2);
}

#[test]
fn nothing_is_written_and_no_time_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&fixture("pharmgpt-v3-convrag"), folder.path());
    let before = state(folder.path());
    Haul::of(&PharmGpt, folder.path());
    assert_eq!(state(folder.path()), before);
}

#[test]
fn user_data_itself_is_a_root_too() {
    let root = fixture("pharmgpt-v2-userrag").join("user_data");
    assert!(PharmGpt.recognises(&root));
    assert_eq!(Haul::of(&PharmGpt, &root).counts(), [1, 2, 6, 4]);
    assert!(!PharmGpt.recognises(&fixture("mongo-chat")));
}

#[test]
fn a_backup_adds_nothing_to_sound_files_and_fills_in_for_damaged_ones() {
    let base = fixture("pharmgpt-corrupt/00-good-base/user_data");
    let with_backup = |change: &dyn Fn(&Path)| {
        changed("pharmgpt-corrupt/00-good-base", |root| {
            copy(&base, &root.join("user_data_backup_20250912_190000"));
            change(root);
        })
    };
    let (_folder, haul) = with_backup(&|_| {});
    assert_eq!((haul.counts(), haul.duplicates.len()), ([2, 4, 8, 1], 0));

    let (_folder, haul) = with_backup(&|root| {
        let whole = fs::read(root.join(chats(ALICE))).expect("bytes");
        fs::write(root.join(chats(ALICE)), &whole[..780]).expect("cut");
    });
    assert_eq!(haul.counts(), [2, 4, 8, 1], "cut");

    let (_folder, haul) = with_backup(&|root| {
        fs::write(root.join(chats(ALICE)), "{}").expect("emptied");
    });
    assert_eq!(haul.counts(), [2, 2, 4, 1], "what was deleted stays deleted");

    // A torn users.json, then a sign-up: the program removes everybody else's folders.
    let (_folder, haul) = with_backup(&|root| {
        let data = root.join("user_data");
        fs::remove_dir_all(&data).expect("gone");
        fs::create_dir_all(data.join("conversations_new")).expect("made");
        fs::write(data.join("users.json"), r#"{"new": {"user_id": "new"}}"#).expect("written");
        fs::write(data.join("conversations_new/conversations.json"), "{}").expect("written");
    });
    assert_eq!(haul.counts(), [3, 4, 8, 1], "{:?}", haul.notes);

    let (_folder, haul) = with_backup(&|root| {
        fs::remove_dir_all(root.join("user_data")).expect("gone");
    });
    assert_eq!(haul.counts(), [2, 4, 8, 1], "only the backup is left");
}

#[test]
fn a_file_that_was_put_aside_is_merged_by_the_ids() {
    let (_folder, haul) = changed("pharmgpt-corrupt/01-truncated-conversations", |root| {
        let file = root.join(chats(ALICE));
        fs::rename(&file, file.with_extension("json.backup_1757700000")).expect("put aside");
        let new = r#"{"new": {"title": "New", "messages": [], "created_at": "", "model": "m"},
            "b35331ce-af2e-49dd-87e3-55b26210b784": {"title": "Live", "messages": []}}"#;
        fs::write(file, new).expect("written");
    });
    assert_eq!(haul.counts(), [2, 5, 5, 0]);
    let live = haul.conversation("b35331ce-af2e-49dd-87e3-55b26210b784");
    assert_eq!(live.title.shown, "Live", "the file in use is asked first");
    assert!(haul.notes_say("1 came from it, 1 are also elsewhere"), "{:?}", haul.notes);
}

#[test]
fn older_names_and_ids_are_found() {
    let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
        let data = root.join("user_data");
        // The flat form that a script speaks of.
        let flat = data.join(format!("{ALICE}_conversations.json"));
        fs::rename(root.join(chats(ALICE)), flat).expect("moved");
        // Nobody has an id any more; that of version 4 is made of the name.
        let users = fs::read_to_string(data.join("users.json")).expect("text");
        let users = users.replace("\"user_id\"", "\"was\"").replace("alice_c", "md5 of alice");
        fs::write(data.join("users.json"), users).expect("written");
    });
    assert_eq!(haul.counts(), [2, 4, 8, 1]);
    let named = |key: &str| haul.owners.iter().any(|o| o.key == key && o.name.is_some());
    assert!(named(BOB), "md5 of his name is his folder");
    assert!(!named(ALICE), "nothing says that this is hers");
}

#[test]
fn two_names_with_one_id_are_both_told() {
    let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
        let users = root.join("user_data/users.json");
        let text = fs::read_to_string(&users).expect("text");
        fs::write(users, text.replace(BOB, ALICE)).expect("written");
    });
    let names: Vec<_> = haul.owners.iter().map(|owner| (owner.key.as_str(), &owner.name)).collect();
    assert_eq!(names.iter().filter(|(key, name)| *key == ALICE && name.is_some()).count(), 2);
    assert_eq!(haul.conversations.len(), 4, "his own folder is of nobody now");
    assert!(haul.notes_say("the id of another user"));
}

#[test]
fn documents_are_found_where_a_script_left_them() {
    let (_folder, haul) = changed("pharmgpt-v2-userrag", |root| {
        let rag = root.join("user_data/rag_cd613e30-d8f1-4adf-91b7-584a2265b1f5");
        let to = rag.join("conversation_e4b06ce6-0741-47a8-bce4-2c8218072e8c");
        fs::create_dir(&to).expect("made");
        let name = "documents_metadata.json";
        fs::rename(rag.join(name), to.join(name)).expect("moved");
    });
    assert_eq!(haul.counts(), [1, 2, 6, 4]);
    assert!(haul.documents.iter().all(|document| document.conversation.is_some()));
    let pieces: usize = haul.documents.iter().map(|document| document.fragments.len()).sum();
    assert_eq!(pieces, 14);
}

const RAG: &str = "user_data/rag_668d27448eaaa4425e93f658189ae4f3/conversation_b35331ce-af2e-49dd-87e3-55b26210b784";

#[test]
fn pieces_without_an_entry_and_entries_without_pieces_come_over() {
    let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
        fs::remove_file(root.join(RAG).join("documents_metadata.json")).expect("gone");
    });
    let document = &haul.documents[0];
    assert_eq!(document.claimed, None);
    assert!(!document.fragments.is_empty() && !document.name.is_empty(), "{document:?}");

    let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
        fs::remove_dir_all(root.join(RAG).join("chroma_db")).expect("gone");
    });
    assert_eq!((haul.documents.len(), haul.documents[0].fragments.len()), (1, 0));
    assert!(haul.notes_say("0 are left"));
}

#[test]
fn a_store_that_was_made_to_harm_is_refused_or_read_as_what_it_is() {
    let hostile = |sql: &str| {
        changed("pharmgpt-corrupt/00-good-base", |root| {
            let store = root.join(RAG).join("chroma_db/chroma.sqlite3");
            Connection::open(store).and_then(|open| open.execute_batch(sql)).expect("made hostile");
        })
        .1
    };
    let view = "ALTER TABLE embeddings RENAME TO real_embeddings;
        CREATE VIEW embeddings AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
        SELECT id, 'x_' || id AS embedding_id FROM n;";
    let haul = hostile(view);
    assert_eq!((haul.skips.len(), haul.documents[0].fragments.len()), (1, 0), "a view never runs");
    let trigger =
        "CREATE TRIGGER harm AFTER INSERT ON embeddings BEGIN DELETE FROM embeddings; END;";
    assert_eq!(hostile(trigger).documents[0].fragments.len(), 1, "a trigger does not matter");
}

#[test]
fn pieces_whose_names_fill_the_memory_are_counted_and_the_others_are_read() {
    let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
        let store = root.join(RAG).join("chroma_db/chroma.sqlite3");
        let sql = "INSERT INTO embeddings (segment_id, embedding_id, seq_id)
            WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n LIMIT 3)
            SELECT 's', zeroblob(1025 + n), n FROM n";
        Connection::open(store).and_then(|open| open.execute_batch(sql)).expect("changed");
    });
    assert_eq!((haul.skips.len(), haul.documents[0].fragments.len()), (1, 1));
    assert!(haul.skips[0].reason.contains("3 pieces have no name"), "{:?}", haul.skips);
}

#[test]
fn a_damaged_store_costs_its_texts_and_nothing_else() {
    for damage in [&[][..], b"SQLite format 3\0 and then nothing", &[0xff; 200_000]] {
        let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
            fs::write(root.join(RAG).join("chroma_db/chroma.sqlite3"), damage).expect("damaged");
        });
        assert_eq!(haul.counts(), [2, 4, 8, 1]);
        assert_eq!(haul.skips.len(), 1, "{:?}", haul.skips);
    }
    // Pages that are torn in the middle: whatever can be read is, and nothing crashes.
    let store = fs::read(
        fixture("pharmgpt-corrupt/00-good-base").join(RAG).join("chroma_db/chroma.sqlite3"),
    );
    let store = store.expect("bytes");
    for page in 1..store.len() / 4096 {
        let mut torn = store.clone();
        torn[page * 4096..(page + 1) * 4096].fill(0xa5);
        let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
            fs::write(root.join(RAG).join("chroma_db/chroma.sqlite3"), &torn).expect("damaged");
        });
        assert_eq!(haul.counts()[..3], [2, 4, 8], "page {page}");
    }
}

#[test]
fn other_encodings_and_odd_values_cost_nothing() {
    let utf16 = |text: &str| -> Vec<u8> {
        [0xfeff_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let odd = [
        r#""x": NaN, "#.to_owned(),
        r#""x": 1e400, "title": "Twice", "#.to_owned(),
        r#""x": "\ud83d", "#.to_owned(),
        format!("\"x\": {nested}, "),
    ];
    for odd in odd {
        let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
            let file = root.join(chats(ALICE));
            let text = fs::read_to_string(&file).expect("text");
            let text = text.replacen("\"title\"", &format!("{odd}\"title\""), 1);
            fs::write(&file, utf16(&text)).expect("written");
            fs::write(file.with_file_name("._conversations.json"), b"\0\x05\x16").expect("written");
            fs::write(root.join("user_data/.DS_Store"), b"\0").expect("written");
        });
        assert_eq!((haul.counts(), haul.skips.len()), ([2, 4, 8, 1], 0), "{odd:.20}");
    }
}

#[test]
fn half_a_character_and_nothing_at_all_come_back_byte_for_byte() {
    let haul = read("pharmgpt-corrupt/17-nul-and-controls");
    let message = &haul.conversation("b35331ce-af2e-49dd-87e3-55b26210b784").messages[0];
    assert_eq!(&message.content.bytes()[..3], b"a\0b");
    assert!(message.content.shown.starts_with("a\u{2400}b"));
}

#[cfg(unix)]
#[test]
fn links_are_told_and_never_followed() {
    let outside = tempfile::tempdir().expect("a folder");
    copy(&fixture("pharmgpt-corrupt/00-good-base"), outside.path());
    let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
        let theirs = format!("user_data/conversations_{BOB}");
        fs::remove_dir_all(root.join(&theirs)).expect("gone");
        std::os::unix::fs::symlink(outside.path().join(&theirs), root.join(&theirs))
            .expect("a link");
        let own = root.join(chats(ALICE));
        fs::remove_file(&own).expect("gone");
        std::os::unix::fs::symlink(outside.path().join(chats(ALICE)), &own).expect("a link");
    });
    assert_eq!((haul.counts(), haul.skips.len()), ([2, 0, 0, 1], 2), "{:?}", haul.skips);
}

/// The messages of the sound fixture, by their hashes.
fn sound() -> Vec<String> {
    let haul = read("pharmgpt-corrupt/00-good-base");
    haul.conversations.iter().flat_map(hashes).collect()
}

#[test]
fn every_beginning_of_a_file_gives_a_part_of_what_is_in_it() {
    let sound = sound();
    let whole =
        fs::read(fixture("pharmgpt-corrupt/00-good-base").join(chats(ALICE))).expect("bytes");
    let folder = tempfile::tempdir().expect("a folder");
    copy(&fixture("pharmgpt-corrupt/02-empty-files"), folder.path());
    let mut most = 0;
    for cut in (0..200).map(|step| step * whole.len() / 199) {
        fs::write(folder.path().join(chats(ALICE)), &whole[..cut]).expect("cut");
        let haul = Haul::of(&PharmGpt, folder.path());
        let found: Vec<_> = haul.conversations.iter().flat_map(hashes).collect();
        assert!(found.iter().all(|hash| sound.contains(hash)), "{cut}");
        assert!(found.len() >= most && found.len() <= 4, "{cut}: more of the file is never less");
        most = found.len();
    }
    assert_eq!(most, 4);
}

#[test]
fn any_changed_byte_costs_what_it_touches_and_no_more() {
    let sound = sound();
    let whole =
        fs::read(fixture("pharmgpt-corrupt/00-good-base").join(chats(ALICE))).expect("bytes");
    let folder = tempfile::tempdir().expect("a folder");
    copy(&fixture("pharmgpt-corrupt/02-empty-files"), folder.path());
    let mut seed = 0x1234_5678_9abc_def0_u64;
    for round in 0..500 {
        // Xorshift: the same bytes at every run.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let (at, with) = (seed as usize % whole.len(), (seed >> 40) as u8);
        let mut torn = whole.clone();
        torn[at] = with;
        fs::write(folder.path().join(chats(ALICE)), &torn).expect("torn");
        let haul = Haul::of(&PharmGpt, folder.path());
        let found: Vec<_> = haul.conversations.iter().flat_map(hashes).collect();
        let foreign = found.iter().filter(|hash| !sound.contains(hash)).count();
        assert!(foreign <= 1 && found.len() <= 4, "round {round}: byte {at} as {with:#x}");
    }
}

#[test]
fn conversations_out_of_their_place_are_read_and_have_the_ids_of_their_folder() {
    let name = format!("pharmgpt-corrupt/00-good-base/user_data/conversations_{ALICE}");
    for lone in [name.clone(), format!("{name}/conversations.json")] {
        let haul = read(&lone);
        assert_eq!(haul.counts(), [0, 2, 4, 0], "{lone}");
        assert_eq!(haul.conversations[0].owner.as_deref(), Some(ALICE), "so that ids are the same");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = fixture(&format!("{name}/conversations.json"));
    fs::copy(file, folder.path().join("conversations.json")).expect("copied");
    let haul = Haul::of(&PharmGpt, folder.path());
    assert_eq!(haul.conversations[1].owner.as_deref(), Some("unknown"));
}

#[test]
fn a_conversations_json_of_another_program_is_not_taken_for_ours() {
    for other in ["chatgpt-export.zip", "claude", "librechat", "open-webui"] {
        assert!(!PharmGpt.recognises(&fixture(&format!("other-exports/{other}"))), "{other}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("conversations.json");
    for text in [
        "[]",
        "{}",
        r#"{"conversations": [{"title": "a", "messages": []}]}"#,
        r#"{"conversationId": "a", "title": "b", "messages": []}"#,
    ] {
        fs::write(&file, text).expect("written");
        assert!(!PharmGpt.recognises(&file) && !PharmGpt.recognises(folder.path()), "{text}");
    }
}

#[test]
fn what_is_nested_deeply_or_a_number_of_many_digits_comes_back_as_it_was_kept() {
    let (_folder, haul) = changed("pharmgpt-corrupt/00-good-base", |root| {
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        let text = format!(
            r#"{{"c": {{"title": "t", "messages": [{{"role": "user", "content": {deep}, "score": 0.1234567890123456789, "at": 11.100000000000001}}]}}}}"#
        );
        fs::write(root.join(chats(ALICE)), text).expect("written");
    });
    let metadata = &haul.conversation("c").messages[0].metadata;
    let text = serde_json::to_string(metadata).expect("a text");
    let back: serde_json::Map<_, _> = serde_json::from_str(&text).expect("it can be read back");
    assert_eq!(back, *metadata);
}
