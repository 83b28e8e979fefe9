//! The import of this process: at most one, beside everything else, watched and paused.
//!
//! A run waits for the disk, so it has a thread of its own; what it tells becomes a state that can be
//! asked for and watched, and [`Change::Import`] for those who listen. Pausing lets the batch that is
//! being written come to its end: what was written stays, and going on reads the source again and leaves
//! alone what is here.
//!
//! An import that was cut off (the program was closed, or died) is offered when the program starts again,
//! and not started: whoever paused one and closed the window meant it, the source may be on a disk that is
//! not there now, and a run reads and writes for minutes. So a paused one and one that was cut off are the
//! same: a row of the mirror in the state `running` that nobody runs.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use ts_rs::TS;
use uuid::Uuid;

use super::moment::{Expected, ImportMoment, moment};
use super::{ImportRequest, is_recent, request_of};
use crate::api::Tidemark;
use crate::error::{Code, Failure, Result};
use crate::events::Change;
use crate::import::report::Plan;
use crate::import::run::Progress;
use crate::mirror::imports::{self, State};

/// Progress is told so often, at most.
const PACE: Duration = Duration::from_millis(100);
/// Where the import of this process is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum ImportState {
    /// Nothing is under way.
    #[default]
    Idle,
    /// A source is read, to say what would come over.
    Planning {
        /// Where it is.
        path: String,
        /// Messages so far.
        #[ts(type = "number")]
        messages: u64,
    },
    /// It comes over.
    Running {
        /// What was asked for.
        request: ImportRequest,
        /// How far it is.
        moment: ImportMoment,
    },
    /// As [`ImportState::Running`], until the batch that is being written is at its end.
    Pausing {
        /// What was asked for.
        request: ImportRequest,
        /// How far it is.
        moment: ImportMoment,
    },
    /// It was paused or cut off. What was written stays.
    Paused {
        /// What was asked for.
        request: ImportRequest,
        /// The import; none where it had not begun.
        id: Option<String>,
    },
    /// It is at its end; the report says how.
    Done {
        /// The import.
        id: String,
    },
    /// It could not go on. What was written stays.
    Failed {
        /// What was asked for.
        request: ImportRequest,
        /// Why.
        failure: Failure,
    },
}

/// What would come over, and whether there is room for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct PlannedImport {
    /// What would come over.
    pub plan: Plan,
    /// What is free there; none where the system does not say.
    #[ts(type = "number | null")]
    pub free_bytes: Option<u64>,
}

/// The import of this process.
#[derive(Debug, Default)]
pub(in crate::api) struct Importing {
    state: watch::Sender<ImportState>,
    /// Stops what is under way.
    stop: Mutex<Option<CancellationToken>>,
    /// What the latest plan said, by its path.
    planned: Mutex<Option<(String, Expected)>>,
}

impl Importing {
    /// Takes the place for something new.
    fn begin(&self, new: ImportState, stop: &CancellationToken) -> Result<()> {
        let mut free = false;
        self.state.send_if_modified(|state| {
            free = !matches!(
                state,
                ImportState::Planning { .. }
                    | ImportState::Running { .. }
                    | ImportState::Pausing { .. }
            );
            if free {
                *state = new;
            }
            free
        });
        if !free {
            return Err(busy());
        }
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop.clone());
        Ok(())
    }

    fn expected(&self, path: &str) -> Expected {
        let planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.as_ref().filter(|(of, _)| of == path).map(|(_, said)| *said).unwrap_or_default()
    }

    fn remember(&self, path: &str, plan: &Plan) {
        let said = Expected { messages: Some(plan.counts.messages), bytes: Some(plan.bytes) };
        *self.planned.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((path.to_owned(), said));
    }

    fn stop(&self) {
        if let Some(stop) = &*self.stop.lock().unwrap_or_else(PoisonError::into_inner) {
            stop.cancel();
        }
    }
}

/// Another import of this data folder is under way, here or in another process.
pub(super) fn busy() -> Failure {
    Failure::new(Code::Busy, "Another import is under way.")
        .hint("Wait until it is at its end, or pause it.")
}

/// Tells how far something is, not more often than a person can see.
struct Teller {
    core: Tidemark,
    told: Option<Instant>,
}

impl Teller {
    fn new(core: &Tidemark) -> Self {
        Self { core: core.clone(), told: None }
    }

    fn tell(&mut self, change: impl FnOnce(&mut ImportState)) {
        if self.told.is_some_and(|told| told.elapsed() < PACE) {
            return;
        }
        self.told = Some(Instant::now());
        self.core.inner.importing.state.send_modify(change);
        self.core.tell_import();
    }
}

impl Tidemark {
    /// Where the import of this process is. Where nothing is under way, an import that was cut off is
    /// told as paused.
    ///
    /// # Errors
    /// The mirror cannot be read.
    pub fn import_state(&self) -> Result<ImportState> {
        let state = self.inner.importing.state.borrow().clone();
        if state != ImportState::Idle {
            return Ok(state);
        }
        let cut_off = self.cut_off()?.filter(|_| matches!(self.try_import_lock(), Ok(Some(_))));
        Ok(cut_off.map_or(ImportState::Idle, |(id, request)| ImportState::Paused {
            request,
            id: Some(id.to_string()),
        }))
    }

    /// Follows where the import of this process is.
    pub fn watch_import(&self) -> watch::Receiver<ImportState> {
        self.inner.importing.state.subscribe()
    }

    /// What would come over, told as [`ImportState::Planning`] meanwhile. [`Self::import_pause`] ends it.
    ///
    /// # Errors
    /// As [`Self::import_plan`]; something is under way; or it was stopped.
    pub async fn import_survey(&self, wanted: ImportRequest) -> Result<PlannedImport> {
        let stop = self.stop_token();
        let planning = ImportState::Planning { path: wanted.path.clone(), messages: 0 };
        let importing = &self.inner.importing;
        importing.begin(planning, &stop)?;
        self.tell_import();
        let core = self.clone();
        let planned = tokio::task::spawn_blocking(move || core.survey(&wanted, &stop)).await;
        importing.state.send_replace(ImportState::Idle);
        self.tell_import();
        planned.unwrap_or_else(|_| Err(fault()))
    }

    fn survey(&self, wanted: &ImportRequest, stop: &CancellationToken) -> Result<PlannedImport> {
        let mut teller = Teller::new(self);
        let plan = self.plan_of(wanted, stop, &mut |progress| {
            let Progress::Planning(so_far) = progress else { return };
            teller.tell(|state| {
                if let ImportState::Planning { messages, .. } = state {
                    *messages = so_far;
                }
            });
        })?;
        self.inner.importing.remember(&wanted.path, &plan);
        let folder = self.mirror().path().parent();
        Ok(PlannedImport {
            free_bytes: folder.and_then(|folder| fs4::available_space(folder).ok()),
            plan,
        })
    }

    /// Begins to bring it over, in the background; returns at once.
    ///
    /// # Errors
    /// Something is under way.
    pub fn import_start(&self, wanted: ImportRequest) -> Result<()> {
        let stop = self.stop_token();
        let expected = self.inner.importing.expected(&wanted.path);
        let first = moment(Progress::Planning(0), expected, Duration::ZERO);
        let running = ImportState::Running { request: wanted.clone(), moment: first };
        self.inner.importing.begin(running, &stop)?;
        self.tell_import();
        let core = self.clone();
        self.inner.tasks.spawn("import", async move {
            let (worker, request) = (core.clone(), wanted.clone());
            let work = move || worker.bring_over(&request, expected, &stop);
            let ended = tokio::task::spawn_blocking(work).await;
            core.import_ended(wanted, ended.unwrap_or_else(|_| Err(fault())));
        });
        Ok(())
    }

    fn bring_over(
        &self,
        wanted: &ImportRequest,
        expected: Expected,
        stop: &CancellationToken,
    ) -> Result<String> {
        let (began, mut teller) = (Instant::now(), Teller::new(self));
        let report = self.import_run(wanted, stop, &mut |progress| {
            teller.tell(|state| {
                if let ImportState::Running { moment: now, .. }
                | ImportState::Pausing { moment: now, .. } = state
                {
                    *now = moment(progress, expected, began.elapsed());
                }
            });
        })?;
        Ok(report.id)
    }

    fn import_ended(&self, request: ImportRequest, ended: Result<String>) {
        let state = match ended {
            Ok(id) => ImportState::Done { id },
            Err(failure) if failure.code == Code::Interrupted => {
                let id = self.cut_off().ok().flatten().map(|(id, _)| id.to_string());
                ImportState::Paused { request, id }
            }
            Err(failure) => {
                tracing::warn!(%failure, "an import could not go on");
                ImportState::Failed { request, failure }
            }
        };
        self.inner.importing.state.send_replace(state);
        self.tell_import();
    }

    /// Pauses what is under way, or ends the reading for a plan. What was written stays.
    pub fn import_pause(&self) {
        self.inner.importing.state.send_if_modified(|state| match state {
            ImportState::Running { request, moment } => {
                *state = ImportState::Pausing { request: request.clone(), moment: moment.clone() };
                true
            }
            _ => false,
        });
        self.inner.importing.stop();
        self.tell_import();
    }

    /// Goes on with an import that was paused or cut off, or that failed.
    ///
    /// # Errors
    /// There is no such import, it is at its end, or something is under way.
    pub fn import_go_on(&self, id: Option<Uuid>) -> Result<()> {
        let asked = self.inner.importing.state.borrow().clone();
        let request = match (id, asked) {
            (None, ImportState::Paused { request, .. } | ImportState::Failed { request, .. }) => {
                request
            }
            (None, _) => {
                self.cut_off()?.map(|(_, request)| request).ok_or_else(nothing_to_go_on)?
            }
            (Some(id), _) => {
                let import = self.read(|connection| imports::get(connection, id))?;
                let is_open = import.state == State::Running;
                is_open.then(|| request_of(&import)).ok_or_else(nothing_to_go_on)?
            }
        };
        self.import_start(request)
    }

    /// Forgets how the latest import ended: it was seen. One that is paused stays so.
    pub fn import_settle(&self) {
        let settled = self.inner.importing.state.send_if_modified(|state| {
            let is_over = matches!(
                state,
                ImportState::Done { .. } | ImportState::Failed { .. } | ImportState::Paused { .. }
            );
            if is_over {
                *state = ImportState::Idle;
            }
            is_over
        });
        if settled {
            self.tell_import();
        }
    }

    /// The latest import that was cut off, while it can still be taken back.
    fn cut_off(&self) -> Result<Option<(Uuid, ImportRequest)>> {
        let now = self.clock().now();
        let open = self.read(imports::open)?;
        let open = open.iter().find(|one| is_recent(one, now));
        Ok(open.map(|import| (import.id, request_of(import))))
    }

    pub(super) fn tell_import(&self) {
        self.inner.mirror.events().publish([Change::Import]);
    }
}

fn fault() -> Failure {
    Failure::new(Code::Internal, "The import could not go on, and that is a fault of Tidemark.")
        .hint("What came over is here. The log says more.")
}

fn nothing_to_go_on() -> Failure {
    Failure::new(Code::WrongState, "There is no import to go on with.")
}
