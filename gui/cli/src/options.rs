//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use sotto_client::view::ExportFormat;
use sotto_net::Invite;

/// Private chat for scripts and bots: the same identities as the window's, without a window.
///
/// Exit codes: 0 done, 1 failed, 2 wrong use, 3 the relay did not answer in time (what was to be
/// sent is kept), 4 the identity is open elsewhere or its passphrase is missing or wrong.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) common: Common,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Keep identities and messages in this folder instead of the app's
    #[arg(long, global = true, value_name = "FOLDER", env = "SOTTO_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Use the relay of this invite (sotto://…) instead of the one of the app on this computer
    #[arg(long, global = true, value_name = "INVITE", env = "SOTTO_RELAY")]
    pub(crate) relay: Option<Invite>,

    /// The identity to use, by its handle; needed if there are several
    #[arg(long, global = true, value_name = "HANDLE", env = "SOTTO_IDENTITY")]
    pub(crate) identity: Option<String>,

    /// Read the passphrase from the first line of this file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "passphrase_fd"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Read the passphrase from the first line of this file descriptor
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) passphrase_fd: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make, list, rename and delete identities
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// List the contacts, those who wrote unasked, and whom the relay names
    Contacts {
        /// Write one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Accept what somebody has written unasked; writing to them does so as well
    Accept {
        /// Their handle
        peer: String,
    },
    /// Send a text, and write its id
    Send(Send),
    /// Write what contacts have written and nobody has read yet, and mark it as read
    Receive(Receive),
    /// Write the messages of a chat, oldest first
    History(History),
    /// Write the messages that a query finds, newest first
    Search(Search),
    /// Write the safety number shared with a contact, and record what comparing it has shown
    Verify(Verify),
    /// Write an identity with its keys and messages into one encrypted file
    Backup(Backup),
    /// Bring an identity back from a backup, and write its handle
    Restore(Restore),
    /// Write a chat into a file, NOT ENCRYPTED, for other programs and for paper
    Export(Export),
    /// Ask a model on this computer, or in a cloud, about words
    #[command(subcommand)]
    Assist(AssistCommand),
    /// Answer JSON-RPC 2.0 on standard input and output, one object a line
    Rpc,
    /// Write the completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// Make an identity, and write its handle
    Create {
        /// How others see it, for example "Guest"
        name: String,
        /// How others find it, for example guest; made from the name unless given
        #[arg(long)]
        handle: Option<String>,
        /// Ask for a passphrase that protects it; a passphrase file or descriptor does so as well
        #[arg(long)]
        protect: bool,
    },
    /// List the identities that are here
    List {
        /// Write one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Change the name that others see; the handle stays
    Rename {
        /// The new name
        name: String,
    },
    /// The same as backup
    Export(Backup),
    /// The same as restore
    Import(Restore),
    /// Delete an identity with its keys and all its messages, for good
    Delete {
        /// Its handle
        handle: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AssistCommand {
    /// Choose who answers, or write who does
    Setup(AssistSetup),
    /// Write the names of the models that a provider has
    Models {
        /// The provider; the one in use unless given
        #[arg(long, value_enum)]
        provider: Option<ModelProvider>,
        /// Its address, unless it is the usual one
        #[arg(long, value_name = "URL")]
        address: Option<String>,
    },
    /// Write a text in other words
    Rephrase(Rephrase),
    /// Write in short what a chat says
    Summarize(Summarize),
    /// Write a text in another language
    Translate(Translate),
    /// Let nothing of a chat go to a cloud, or let it again; the contact is told
    Cloud {
        /// The contact's handle
        peer: String,
        /// Which
        #[arg(value_enum)]
        rule: CloudRule,
    },
    /// Write what was given to a cloud, the newest first
    Log {
        /// Write one JSON object a line
        #[arg(long)]
        json: bool,
    },
}

/// Whether texts may go to a cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CloudRule {
    /// They may, as far as the contact allows it too
    Allow,
    /// They may not
    Forbid,
}

/// Whose models answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModelProvider {
    /// Nobody's
    None,
    /// Ollama, on this computer
    Ollama,
    /// A server on this computer with the chat completions of many others, such as llama.cpp
    Openai,
    /// Google's cloud, with a key of one's own
    Gemini,
}

#[derive(Debug, Args)]
pub(crate) struct AssistSetup {
    /// Who answers from now on; without it, what is set up is written
    #[arg(value_enum)]
    pub(crate) provider: Option<ModelProvider>,
    /// Its model
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Its address, unless it is the usual one
    #[arg(long, value_name = "URL")]
    pub(crate) address: Option<String>,
    /// Read the key from the first line of this file, and keep it in the vault
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// Whether contacts are told in their chat when messages of it were given to a cloud
    #[arg(long, value_name = "YES|NO", value_parser = clap::builder::BoolishValueParser::new())]
    pub(crate) tell: Option<bool>,
}

/// What goes where.
#[derive(Debug, Args)]
pub(crate) struct Outward {
    /// Write the request exactly as it would be sent, and send nothing
    #[arg(long)]
    pub(crate) show: bool,
    /// Send the text to this host, where it can be read; needed for a cloud
    #[arg(long, value_name = "HOST", conflicts_with = "show")]
    pub(crate) yes_send_to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Rephrase {
    /// The text; from standard input if there is none, or if it is -
    pub(crate) text: Option<String>,
    /// How
    #[arg(long, value_enum, default_value_t = RephraseTone::Clearer, conflicts_with = "how")]
    pub(crate) tone: RephraseTone,
    /// How, in words of one's own
    #[arg(long, value_name = "WORDS")]
    pub(crate) how: Option<String>,
    /// For whom it is, by handle: what is said there about clouds counts
    #[arg(long, value_name = "PEER")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) outward: Outward,
}

/// How a text is to sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RephraseTone {
    /// Clearer
    Clearer,
    /// Shorter
    Shorter,
    /// Friendlier
    Friendlier,
    /// More formal
    Formal,
}

#[derive(Debug, Args)]
pub(crate) struct Summarize {
    /// The contact's handle
    pub(crate) peer: String,
    /// So many of the newest messages
    #[arg(long, value_name = "NUMBER", default_value_t = 50,
          value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) last: u16,
    /// Leave names as they are instead of writing "Person A"
    #[arg(long)]
    pub(crate) keep_names: bool,
    /// Ask no model: write the key sentences, which are chosen here
    #[arg(long, conflicts_with_all = ["show", "yes_send_to"])]
    pub(crate) key_sentences: bool,
    #[command(flatten)]
    pub(crate) outward: Outward,
}

#[derive(Debug, Args)]
pub(crate) struct Translate {
    /// Into which language, for example English
    pub(crate) language: String,
    /// The text; from standard input if there is none, or if it is -
    pub(crate) text: Option<String>,
    /// Of whose chat it is, by handle: what is said there about clouds counts
    #[arg(long, value_name = "PEER")]
    pub(crate) of: Option<String>,
    #[command(flatten)]
    pub(crate) outward: Outward,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// The contact's handle
    pub(crate) to: String,
    /// The text; from standard input if there is none, or if it is -
    pub(crate) text: Option<String>,
    /// Do not wait until the relay has it
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait for the relay, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) timeout: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Receive {
    /// Go on until a signal
    #[arg(long)]
    pub(crate) follow: bool,
    /// Write one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// How long to wait for the relay, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30,
        conflicts_with = "follow"
    )]
    pub(crate) timeout: u32,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// The contact's handle
    pub(crate) peer: String,
    /// Write at most so many messages
    #[arg(long, value_name = "NUMBER", default_value_t = 50,
          value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) limit: u16,
    /// Write those before the message with this id
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<sotto_client::view::MessageId>,
    /// Write one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Words, "phrases", from:HANDLE, in:HANDLE, before:DAY, after:DAY
    #[arg(required = true)]
    pub(crate) query: Vec<String>,
    /// Write at most so many messages
    #[arg(long, value_name = "NUMBER", default_value_t = 50,
          value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) limit: u16,
    /// Write one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write
    pub(crate) file: PathBuf,
    /// Replace a file of this name
    #[arg(long)]
    pub(crate) replace: bool,
    /// Read the backup's own passphrase from the first line of this file; asked for unless given
    #[arg(long = "backup-passphrase-file", value_name = "FILE")]
    pub(crate) its_passphrase: Option<PathBuf>,
    /// Make a recovery code that opens the backup, and write it; then no passphrase is needed
    #[arg(long)]
    pub(crate) code: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup; what opens it (passphrase or recovery code) is asked for, or read as the options
    /// say, and opens the identity from then on
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The contact's handle
    pub(crate) peer: String,
    /// The file to write
    pub(crate) file: PathBuf,
    /// How
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Replace a file of this name
    #[arg(long)]
    pub(crate) replace: bool,
}

/// How a chat is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line for each message
    Text,
    /// One object, with the fields of JSON-RPC
    Json,
    /// A page that needs nothing else
    Html,
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
            Format::Html => Self::Html,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The contact's handle
    pub(crate) peer: String,
    /// Record that the contact sees this safety number too
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["differs", "accept"])]
    pub(crate) matches: Option<String>,
    /// Record that the contact sees another one
    #[arg(long, conflicts_with = "accept")]
    pub(crate) differs: bool,
    /// Go on with the contact's changed identity, which has this safety number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) accept: Option<String>,
}
