//! The program `sotto-relay`.

mod health;
mod inspect;
mod log;
mod notify;
mod picture;
mod serve;
mod settings;
mod words;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A relay for Sotto: keeps sealed envelopes until they were delivered, and cannot open them.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the relay until Ctrl-C
    Serve(Box<serve::Serve>),
    /// Show the invite of the relay that ran last on a folder
    Invite(inspect::Folder),
    /// Tell what lies in a relay's folder, whether a relay runs on it or not
    Status(inspect::Folder),
    /// Ask a running relay whether it is ready; exit code 1 if it is not
    Health(health::Health),
    /// Check the database in a relay's folder; exit code 1 if it is damaged
    Check(inspect::Folder),
    /// Copy key and mailboxes to a new folder, also while the relay runs
    Backup(inspect::Backup),
}

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match options.command {
        Command::Serve(serve) => serve.run(),
        Command::Invite(folder) => folder.invite(),
        Command::Status(folder) => folder.status(),
        Command::Health(health) => health.run(),
        Command::Check(folder) => folder.check(),
        Command::Backup(backup) => backup.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            // Nothing is left to do when even standard error is gone.
            drop(writeln!(io::stderr(), "sotto-relay: {sentence}"));
            ExitCode::FAILURE
        }
    }
}
