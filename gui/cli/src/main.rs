//! The program `sotto-cli`: Sotto without a window, for scripts, bots and servers.
//!
//! - `options` is what can be typed; one module for each command carries it out,
//! - `session` opens an identity, `passphrase` asks for what protects it,
//! - `output` is what is written to standard output, `json` how messages look there to programs,
//! - `failure` is how a command ends without success, `words` what is said about it.
//!
//! The manual is `gui/client/README.md`.

mod assist;
mod backup;
mod chat;
mod failure;
mod identity;
mod json;
mod options;
mod output;
mod passphrase;
mod receive;
mod rpc;
mod send;
mod session;
mod signal;
mod words;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::failure::Failure;
use crate::options::{Command, Options};

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) if !error.use_stderr() => {
            // Help or version; a reader that is gone wants neither.
            drop(error.print());
            return ExitCode::SUCCESS;
        }
        Err(error) => return Failure::Usage(words::usage(&error.to_string())).end(),
    };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SOTTO_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("off")),
        )
        .init();
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.end(),
    }
}

fn run(options: Options) -> Result<(), Failure> {
    let common = options.common;
    if let Command::Completions { shell } = options.command {
        return output::write(completions(shell).as_bytes());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(words::no_room(&error)))?;
    let outcome = runtime.block_on(async {
        match options.command {
            Command::Identity(command) => identity::run(&common, command).await,
            Command::Contacts { json } => chat::contacts(&common, json).await,
            Command::Accept { peer } => chat::accept(&common, &peer).await,
            Command::Send(send) => send::run(&common, send).await,
            Command::Receive(receive) => receive::run(&common, &receive).await,
            Command::History(history) => chat::history(&common, &history).await,
            Command::Search(search) => chat::search(&common, &search).await,
            Command::Verify(verify) => chat::verify(&common, &verify).await,
            Command::Backup(backup) => backup::back_up(&common, backup).await,
            Command::Restore(restore) => backup::restore(&common, &restore),
            Command::Export(export) => backup::export(&common, export).await,
            Command::Assist(command) => assist::run(&common, command).await,
            Command::Rpc => rpc::run(&common).await,
            Command::Completions { .. } => Ok(()),
        }
    });
    // A thread that still waits for standard input or output holds nothing up.
    runtime.shutdown_background();
    outcome
}

/// The completions for a shell.
fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Options::command(), "sotto-cli", &mut script);
    // For bash, the dash of the program's name comes in two spellings, so that no command after the
    // first word is found (clap-rs/clap#6421).
    String::from_utf8_lossy(&script).replace("sotto__subcmd__cli", "sotto__cli")
}
