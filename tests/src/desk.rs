//! One computer with identities on it, driven and watched as a user interface would.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sotto_client::view::{
    Body, ChatId, ChatRow, Message, MessageKey, ProfileId, ProfileState, ProfileView, Timeline,
    ViewModel,
};
use sotto_client::{
    Answer, Argon2Cost, AskError, Client, Command, Config, Environment, OpenAtStart,
    well_known_people,
};
use sotto_net::Invite;
use tokio::sync::watch;

/// Whatever has not happened by then never will. Long, because an RSA key may take its time on a
/// busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// Waits for an answer.
///
/// # Errors
/// What the client answers instead.
///
/// # Panics
/// When there is none in time.
pub fn ask<T>(answer: Answer<T>) -> Result<T, AskError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let answer = runtime.block_on(async { tokio::time::timeout(DEADLINE, answer).await });
    answer.expect("an answer in time")
}

/// Tells waiting tests that the snapshot changed.
#[derive(Debug, Default)]
struct Bell {
    rings: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.rung.notify_all();
    }

    fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there were more than `seen` rings; false at the deadline.
    fn wait(&self, seen: u64, until: Instant) -> bool {
        let mut rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        while *rings <= seen {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                return false;
            };
            rings = self
                .rung
                .wait_timeout(rings, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }
}

/// A client with the four identities (or one of them) and its data folder.
#[derive(Debug)]
pub struct Desk {
    client: Client,
    bell: Arc<Bell>,
    /// Where the relay is; tests may send another one.
    pub relay: watch::Sender<Option<Invite>>,
}

impl Desk {
    /// All four identities.
    pub fn open(data_dir: &Path, relay: Option<Invite>) -> Self {
        Self::start(data_dir, relay, OpenAtStart::All)
    }

    /// One identity; the others stay closed.
    pub fn open_only(data_dir: &Path, relay: Option<Invite>, who: &str) -> Self {
        Self::start(data_dir, relay, OpenAtStart::Only(ProfileId::new(who)))
    }

    /// Starts the client.
    ///
    /// # Panics
    /// When the system gives no thread.
    pub fn start(data_dir: &Path, relay: Option<Invite>, open: OpenAtStart) -> Self {
        let (relay, receiver) = watch::channel(relay);
        let bell = Arc::new(Bell::default());
        let ringer = Arc::clone(&bell);
        let config = Config {
            data_dir: data_dir.to_owned(),
            people: well_known_people(),
            open,
            relay: receiver,
            passphrase_cost: Argon2Cost::FLOOR,
            environment: Environment::system(),
        };
        let client = Client::start(&config, move || ringer.ring()).expect("threads");
        Self {
            client,
            bell,
            relay,
        }
    }

    /// The client, to be asked as scripts ask it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The client, to add and remove identities.
    pub fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Everything that is shown now.
    pub fn model(&self) -> Arc<ViewModel> {
        self.client.snapshot()
    }

    /// What is shown of a profile now.
    ///
    /// # Panics
    /// When there is no such profile.
    pub fn view(&self, who: &str) -> Arc<ProfileView> {
        let model = self.client.snapshot();
        Arc::clone(model.profile(&ProfileId::new(who)).expect("a profile"))
    }

    /// Waits until `look` sees something in a profile's view.
    ///
    /// # Panics
    /// When that does not happen in time; says `what` was awaited and what was there instead.
    pub fn wait<T>(
        &self,
        who: &str,
        what: &str,
        mut look: impl FnMut(&ProfileView) -> Option<T>,
    ) -> T {
        let until = Instant::now() + DEADLINE;
        loop {
            let seen = self.bell.rings();
            let view = self.view(who);
            if let Some(found) = look(&view) {
                return found;
            }
            assert!(
                self.bell.wait(seen, until),
                "{who} never saw: {what}. Instead: {view:#?}"
            );
        }
    }

    /// Waits until `look`, which may look at anything that follows from the snapshots, is
    /// satisfied.
    ///
    /// # Panics
    /// When that does not happen in time.
    pub fn wait_until(&self, what: &str, mut look: impl FnMut() -> bool) {
        let until = Instant::now() + DEADLINE;
        loop {
            let seen = self.bell.rings();
            if look() {
                return;
            }
            assert!(self.bell.wait(seen, until), "never seen: {what}");
        }
    }

    /// Waits until a profile is in use.
    pub fn wait_ready(&self, who: &str) {
        self.wait(who, "its own vault open", |view| {
            (view.state == ProfileState::Ready).then_some(())
        });
    }

    /// Gives a command.
    ///
    /// # Panics
    /// When it is not taken.
    pub fn command(&self, who: &str, command: Command) {
        self.client
            .send(&ProfileId::new(who), command)
            .expect("a command is taken");
    }

    /// Gives a command as soon as it is taken.
    ///
    /// # Panics
    /// When that does not happen in time.
    pub fn command_when_taken(&self, who: &str, mut command: Command) {
        let until = Instant::now() + DEADLINE;
        loop {
            let seen = self.bell.rings();
            match self.client.send(&ProfileId::new(who), command) {
                Ok(()) => return,
                Err(busy) => command = busy.0,
            }
            assert!(self.bell.wait(seen, until), "{who} takes no commands");
        }
    }

    /// The row of the chat with a handle, once it is there.
    pub fn chat(&self, who: &str, with: &str) -> ChatRow {
        self.wait(who, &format!("a chat with {with}"), |view| {
            view.chats.iter().find(|row| row.handle == with).cloned()
        })
    }

    /// The number of the chat with a handle.
    pub fn chat_id(&self, who: &str, with: &str) -> ChatId {
        self.chat(who, with).id
    }

    /// Sends a text, and shows the chat.
    pub fn write(&self, who: &str, to: &str, text: &str) {
        let chat = self.chat_id(who, to);
        self.show(who, to);
        let text = text.to_owned();
        self.command(
            who,
            Command::SendText {
                chat,
                text,
                answers: None,
            },
        );
    }

    /// Shows a chat.
    pub fn show(&self, who: &str, with: &str) {
        let chat = self.chat_id(who, with);
        let around = None;
        self.command(who, Command::ShowChat { chat, around });
    }

    /// Waits until the shown chat is the one with `with` and `look` sees something in its
    /// messages.
    pub fn wait_messages<T>(
        &self,
        who: &str,
        with: &str,
        what: &str,
        mut look: impl FnMut(&[Arc<Message>]) -> Option<T>,
    ) -> T {
        let chat = self.chat_id(who, with);
        self.wait(who, &format!("in the chat with {with}: {what}"), |view| {
            look(&shown(view, chat)?.messages)
        })
    }

    /// Shows the chat, waits for these texts and nothing else in it, and marks them as read.
    pub fn read(&self, who: &str, with: &str, expected: &[&str]) {
        self.show(who, with);
        let up_to = self.wait_messages(who, with, &format!("{expected:?}"), |messages| {
            (texts(messages) == expected)
                .then(|| messages.last().map_or(MessageKey(0), |last| last.key))
        });
        let chat = self.chat_id(who, with);
        self.command(who, Command::MarkRead { chat, up_to });
    }
}

fn shown(view: &ProfileView, chat: ChatId) -> Option<&Arc<Timeline>> {
    view.timeline
        .as_ref()
        .filter(|timeline| timeline.chat == chat)
}

/// The texts of messages; anything else reads `?`.
pub fn texts(messages: &[Arc<Message>]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| match &message.body {
            Body::Text(text) => text.as_str(),
            Body::Note(_) | Body::Unknown => "?",
        })
        .collect()
}
