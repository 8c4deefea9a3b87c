//! What is asked of models, beside everything else. What goes to a cloud is noted before it does.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Engine;
use crate::assistant::{self, Answer, Approved, AssistError, Outgoing, Provider, TaskKind};
use crate::command::Command;
use crate::core::{Action, message_excerpt};
use crate::vault::{AssistantSettings, Vault, VaultError};
use crate::view::{
    AssistantUse, AssistantView, Body, ChatId, Help, HelpState, MATERIAL_MESSAGES_MAX, Material,
    MessageRange, ModelSearch, Note, NoteTask, Notice, USES_MAX,
};

/// A request of its own, which ends with it.
struct Request<T>(JoinHandle<T>);

impl<T> Drop for Request<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An answer that is on its way.
struct Running {
    request: Request<Result<Answer, AssistError>>,
    text: watch::Receiver<Arc<str>>,
    /// What the peer is told of it.
    note: Option<(ChatId, Note)>,
}

/// What is set up, and what is asked.
pub(super) struct Assistant {
    view: AssistantView,
    /// The view differs from that of the last snapshot.
    shown: Option<Arc<AssistantView>>,
    running: Option<Running>,
    models: Option<Request<Result<Vec<String>, AssistError>>>,
    requests: u64,
}

impl Assistant {
    pub(super) fn new(vault: &Vault) -> Result<Self, VaultError> {
        let mut assistant = Self {
            view: AssistantView::default(),
            shown: None,
            running: None,
            models: None,
            requests: 0,
        };
        assistant.read(vault)?;
        Ok(assistant)
    }

    /// Reads what the vault knows of it.
    fn read(&mut self, vault: &Vault) -> Result<(), VaultError> {
        let AssistantSettings {
            provider,
            set_up,
            tells_use,
        } = vault.assistant()?;
        let view = self.change();
        (view.provider, view.set_up, view.tells_use) = (provider, set_up, tells_use);
        view.uses = vault.uses(USES_MAX)?.into();
        Ok(())
    }

    fn change(&mut self) -> &mut AssistantView {
        self.shown = None;
        &mut self.view
    }

    /// Its part of the snapshot, shared with the last one if nothing has changed.
    pub(super) fn view(&mut self) -> Arc<AssistantView> {
        let view = &self.view;
        let shown = self.shown.get_or_insert_with(|| Arc::new(view.clone()));
        Arc::clone(shown)
    }

    fn help(&mut self, text: Arc<str>, state: HelpState) {
        let number = self.requests;
        let help = Help {
            number,
            text,
            state,
        };
        self.change().help = Some(help);
    }

    fn fail(&mut self, error: AssistError) {
        let text = self.view.help.as_ref().map(|help| Arc::clone(&help.text));
        self.help(text.unwrap_or_default(), HelpState::Failed(error));
    }

    fn begin(&mut self, approved: Approved, key: Option<Key>, note: Option<(ChatId, Note)>) {
        let (show, text) = watch::channel(Arc::from(""));
        let request = tokio::spawn(async move {
            let key = key.as_ref().map(|key| key.as_str());
            let show = |text: &str| drop(show.send_replace(text.into()));
            assistant::run(&approved, key, show).await
        });
        self.running = Some(Running {
            request: Request(request),
            text,
            note,
        });
        self.help(Arc::from(""), HelpState::Running);
    }

    /// Waits until something has come; for ever while nothing is asked. Gives what a peer is to be
    /// told. Cancelling loses nothing.
    pub(super) async fn changed(&mut self) -> Option<(ChatId, Note)> {
        tokio::select! {
            biased;
            ended = ended(self.running.as_mut()) => match ended {
                None => {
                    let text = self.running.as_mut().map(|it| it.text.borrow_and_update().clone());
                    self.help(text.unwrap_or_default(), HelpState::Running);
                    None
                }
                Some(Ok(Answer { text, is_cut })) => {
                    self.help(text.into(), HelpState::Done { is_cut });
                    self.running.take()?.note.take()
                }
                Some(Err(error)) => {
                    self.fail(error);
                    self.running = None;
                    None
                }
            },
            found = found(self.models.as_mut()) => {
                self.models = None;
                if let Some(models) = &mut self.change().models {
                    models.outcome = Some(found);
                }
                None
            }
        }
    }

    fn find(&mut self, provider: Provider, key: Option<Key>) {
        self.change().models = Some(ModelSearch {
            kind: provider.kind(),
            address: provider.address().to_owned(),
            outcome: None,
        });
        self.models = Some(Request(tokio::spawn(async move {
            let key = key.as_ref().map(|key| key.as_str());
            assistant::models(&provider, key).await
        })));
    }
}

type Key = zeroize::Zeroizing<String>;

/// What became of a request, or `None` when there is more of its answer; never, without one.
async fn ended(running: Option<&mut Running>) -> Option<Result<Answer, AssistError>> {
    let Some(Running { request, text, .. }) = running else {
        return std::future::pending().await;
    };
    if text.changed().await.is_ok() {
        return None;
    }
    // Nothing more is shown: it has ended or is about to.
    let ended = (&mut request.0).await;
    Some(ended.unwrap_or(Err(AssistError::Failed)))
}

async fn found(
    models: Option<&mut Request<Result<Vec<String>, AssistError>>>,
) -> Result<Vec<String>, AssistError> {
    match models {
        Some(request) => (&mut request.0).await.unwrap_or(Err(AssistError::Failed)),
        None => std::future::pending().await,
    }
}

impl Engine<'_> {
    /// Carries out what concerns the assistant.
    pub(super) fn assistant(&mut self, command: Command) -> Result<(), VaultError> {
        match command {
            Command::UseProvider(provider) => {
                let stored = self.vault.use_provider(provider.as_ref());
                self.set_up(stored)?;
            }
            Command::SetProviderKey { provider, key } => {
                let stored = self.vault.set_provider_key(&provider, &key);
                self.set_up(stored)?;
            }
            Command::TellUse(tells) => {
                let stored = self.vault.set_tells_use(tells);
                self.set_up(stored)?;
            }
            Command::FindModels(provider) => {
                let key = self.vault.provider_key(provider.kind())?;
                self.assistant.find(provider, key);
            }
            Command::GatherMessages(wanted) => {
                let material = wanted.map(|(chat, range)| self.gather(chat, range));
                self.assistant.change().material = material.transpose()?;
            }
            Command::Assist { approved, chat } => self.assist(approved, chat)?,
            // The request ends with its task.
            _ => {
                self.assistant.running = None;
                self.assistant.change().help = None;
            }
        }
        self.screen.touch();
        Ok(())
    }

    fn set_up(&mut self, stored: Result<(), VaultError>) -> Result<(), VaultError> {
        if let Err(error) = stored {
            tracing::warn!(%error, "the assistant was not set up");
            self.core.set_notice(Some(Notice::NotStored));
        }
        self.assistant.read(&self.vault)
    }

    fn gather(&self, chat: ChatId, range: MessageRange) -> Result<Arc<Material>, VaultError> {
        let records = self.vault.gather(chat, range, MATERIAL_MESSAGES_MAX + 1)?;
        let is_cut = records.len() > MATERIAL_MESSAGES_MAX;
        let records = records.iter().skip(usize::from(is_cut));
        let messages = records.map(message_excerpt);
        let is_text = |message: &crate::view::Message| matches!(message.body, Body::Text(_));
        Ok(Arc::new(Material {
            chat,
            range,
            messages: messages.filter(is_text).map(Arc::new).collect(),
            is_cut,
        }))
    }

    fn assist(&mut self, approved: Approved, chat: Option<ChatId>) -> Result<(), VaultError> {
        self.assistant.running = None;
        self.assistant.change().help = None;
        self.assistant.requests += 1;
        let outgoing = approved.outgoing();
        let mut note = None;
        if !outgoing.is_here() {
            if chat.is_some_and(|chat| !self.core.allows_cloud(chat)) {
                self.assistant.fail(AssistError::Forbidden);
                return Ok(());
            }
            let it = self.use_of(outgoing);
            if let Err(error) = self.vault.add_use(&it) {
                tracing::warn!(%error, "a use of the assistant was not noted, nothing was sent");
                self.assistant.fail(AssistError::NotStored);
                return Ok(());
            }
            self.assistant.read(&self.vault)?;
            note = chat.zip(note_of(&it, outgoing.provider()));
        }
        let key = self.vault.provider_key(outgoing.provider().kind())?;
        let note = note.filter(|_| self.assistant.view.tells_use);
        self.assistant.begin(approved, key, note);
        Ok(())
    }

    fn use_of(&self, outgoing: &Outgoing) -> AssistantUse {
        AssistantUse {
            at_millis: self.profile.environment.now().unix_millis,
            host: outgoing.host().to_owned(),
            model: outgoing.provider().model().to_owned(),
            task: outgoing.task(),
            messages: outgoing.messages(),
            bytes: outgoing.body().len() as u64,
        }
    }

    /// A request has come further.
    pub(super) fn assistant_changed(
        &mut self,
        told: Option<(ChatId, Note)>,
    ) -> Result<(), VaultError> {
        self.screen.touch();
        // Reading an answer is being there.
        self.somebody_is_there();
        match told {
            Some((chat, note)) => self.wish(Action::Tell { chat, note }),
            None => Ok(()),
        }
    }
}

/// What a peer is told; nothing about what the person has written.
fn note_of(it: &AssistantUse, provider: &Provider) -> Option<Note> {
    let task = match it.task {
        TaskKind::Rephrase => return None,
        TaskKind::Summarize => NoteTask::Summary,
        TaskKind::Translate => NoteTask::Translation,
    };
    Some(Note::Assisted {
        task,
        messages: it.messages,
        provider: provider.kind().name().to_owned(),
    })
}
