//! `sotto-cli assist`: a model is asked, and nothing goes to a cloud that was not agreed to.

use sotto_client::Command;
use sotto_client::assistant::{
    self, AssistError, Line, Names, Outgoing, Provider, ProviderKind, Task, Tone,
};
use sotto_client::view::{
    AssistantUse, AssistantView, Body, ChatId, HelpState, MessageRange, ProfileState, ProfileView,
};

use crate::chat::find;
use crate::failure::Failure;
use crate::options::{
    AssistCommand, AssistSetup, CloudRule, Common, ModelProvider, Outward, Rephrase, RephraseTone,
    Summarize, Translate,
};
use crate::session::{Network, Session};
use crate::{json, output, passphrase, send, words};

/// Key sentences that are written.
const KEY_SENTENCES: usize = 5;

pub(crate) async fn run(common: &Common, command: AssistCommand) -> Result<(), Failure> {
    match command {
        AssistCommand::Setup(setup) => set_up(common, setup).await,
        AssistCommand::Models { provider, address } => models(common, provider, address).await,
        AssistCommand::Rephrase(rephrase) => self::rephrase(common, rephrase).await,
        AssistCommand::Summarize(summarize) => self::summarize(common, &summarize).await,
        AssistCommand::Translate(translate) => self::translate(common, translate).await,
        AssistCommand::Cloud { peer, rule } => cloud(common, &peer, rule).await,
        AssistCommand::Log { json } => log(common, json).await,
    }
}

async fn set_up(common: &Common, setup: AssistSetup) -> Result<(), Failure> {
    let key = setup
        .key_file
        .as_deref()
        .map(passphrase::read)
        .transpose()?;
    let session = Session::open(common, Network::Unused).await?;
    let before = view(&session)?;
    let mut commands = Vec::new();
    if let Some(kind) = setup.provider {
        let provider = match kind_of(kind) {
            Some(kind) => Some(provider(&before, kind, setup.address, setup.model)?),
            None => None,
        };
        if provider.as_ref().is_some_and(|it| it.model().is_empty()) {
            return Err(Failure::Usage(words::assist(AssistError::NoModel)));
        }
        commands.push(Command::UseProvider(provider));
    }
    if let Some(key) = key {
        let kind = setup.provider.and_then(kind_of);
        let provider = match kind.or(before.provider.as_ref().map(Provider::kind)) {
            Some(kind) => provider(&before, kind, None, None)?,
            None => return Err(Failure::Usage(words::no_provider())),
        };
        commands.push(Command::SetProviderKey { provider, key });
    }
    commands.extend(setup.tell.map(Command::TellUse));
    let is_asked = commands.is_empty();
    for command in commands {
        perform(&session, command).await?;
    }
    if !is_asked {
        return Ok(());
    }
    output::lines(before.set_up.iter().map(|it| {
        let provider = &it.provider;
        let used = match &before.provider {
            Some(used) if used.kind() == provider.kind() => "in use",
            _ => "set up",
        };
        let key = if it.has_key { "key" } else { "no key" };
        let name = provider.kind().name();
        let (address, model) = (provider.address(), output::plain(provider.model()));
        format!("{name}\t{used}\t{address}\t{model}\t{key}")
    }))
}

async fn models(
    common: &Common,
    kind: Option<ModelProvider>,
    address: Option<String>,
) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let before = view(&session)?;
    let kind = kind.and_then(kind_of);
    let kind = kind.or(before.provider.as_ref().map(Provider::kind));
    let Some(kind) = kind else {
        return Err(Failure::Usage(words::no_provider()));
    };
    let provider = provider(&before, kind, address, None)?;
    perform(&session, Command::FindModels(provider)).await?;
    let found = wait(&session, |view| {
        view.assistant.models.as_ref()?.outcome.clone()
    });
    let models = found.await?.map_err(failure)?;
    output::lines(models.iter().map(|model| output::plain(model)))
}

async fn rephrase(common: &Common, rephrase: Rephrase) -> Result<(), Failure> {
    let draft = text(common, rephrase.text)?;
    let session = Session::open(common, Network::Unused).await?;
    let chat = chat_of(&session, rephrase.to.as_deref()).await?;
    let tone = match (rephrase.how, rephrase.tone) {
        (Some(how), _) => Tone::Own(how),
        (None, RephraseTone::Clearer) => Tone::Clearer,
        (None, RephraseTone::Shorter) => Tone::Shorter,
        (None, RephraseTone::Friendlier) => Tone::Friendlier,
        (None, RephraseTone::Formal) => Tone::MoreFormal,
    };
    let task = Task::Rephrase { draft, tone };
    ask(&session, chat, &task, &rephrase.outward).await
}

async fn translate(common: &Common, translate: Translate) -> Result<(), Failure> {
    let text = text(common, translate.text)?;
    let session = Session::open(common, Network::Unused).await?;
    let chat = chat_of(&session, translate.of.as_deref()).await?;
    let language = translate.language;
    let task = Task::Translate { text, language };
    ask(&session, chat, &task, &translate.outward).await
}

async fn summarize(common: &Common, summarize: &Summarize) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let row = find(&session, &summarize.peer).await?;
    let range = MessageRange::Last(summarize.last.into());
    let gather = Command::GatherMessages(Some((row.id, range)));
    perform(&session, gather).await?;
    let gathered = wait(&session, |view| {
        let material = view.assistant.material.clone()?;
        Some((material, view.name.clone()))
    });
    let (material, own) = gathered.await?;
    let lines = material.messages.iter().filter_map(|message| {
        let Body::Text(text) = &message.body else {
            return None;
        };
        let author = if message.is_mine { &own } else { &row.name };
        Some(Line {
            author: author.clone(),
            text: text.clone(),
        })
    });
    let lines: Vec<Line> = lines.collect();
    if summarize.key_sentences {
        let sentences = assistant::key_sentences(&lines, KEY_SENTENCES);
        return output::lines(sentences.iter().map(|sentence| output::plain(sentence)));
    }
    let names = if summarize.keep_names {
        Names::Kept
    } else {
        Names::Replaced
    };
    let task = Task::Summarize { lines, names };
    ask(&session, Some(row.id), &task, &summarize.outward).await
}

async fn cloud(common: &Common, peer: &str, rule: CloudRule) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let chat = find(&session, peer).await?.id;
    let is_forbidden = rule == CloudRule::Forbid;
    perform(&session, Command::ForbidCloud { chat, is_forbidden }).await
}

async fn log(common: &Common, json: bool) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let uses = view(&session)?.uses;
    output::lines(uses.iter().map(|it| {
        if json {
            json::line(&json::assistant_use(it))
        } else {
            for_person(it)
        }
    }))
}

fn for_person(it: &AssistantUse) -> String {
    let at = json::time(it.at_millis);
    let AssistantUse {
        host,
        messages,
        bytes,
        ..
    } = it;
    let (task, model) = (json::task(it.task), output::plain(&it.model));
    format!("{at} {task}: {messages} messages, {bytes} bytes to {model} at {host}")
}

/// Asks the provider in use, as far as that was agreed to, and writes its answer.
async fn ask(
    session: &Session,
    chat: Option<ChatId>,
    task: &Task,
    outward: &Outward,
) -> Result<(), Failure> {
    let Some(provider) = view(session)?.provider else {
        return Err(Failure::Usage(words::no_provider()));
    };
    let outgoing = assistant::prepare(&provider, task).map_err(failure)?;
    if outward.show {
        return show(&outgoing);
    }
    let approved = match &outward.yes_send_to {
        Some(host) => outgoing.approved_for(host),
        None => outgoing.stays_here(),
    };
    let approved = approved.map_err(|outgoing| Failure::Usage(words::consent(&outgoing)))?;
    perform(session, Command::Assist { approved, chat }).await?;
    let ended = wait(session, |view| {
        let help = view.assistant.help.as_ref()?;
        match help.state {
            HelpState::Running => None,
            HelpState::Done { is_cut } => Some(Ok((help.text.clone(), is_cut))),
            HelpState::Failed(error) => Some(Err(error)),
        }
    });
    let (answer, is_cut) = ended.await?.map_err(failure)?;
    output::lines(answer.lines().map(output::plain))?;
    if is_cut {
        crate::failure::say(&words::answer_is_cut());
    }
    Ok(())
}

/// The request, as it would be sent; a key is named and not shown.
fn show(outgoing: &Outgoing) -> Result<(), Failure> {
    let (line, body) = (outgoing.request_line(), outgoing.body());
    // Nothing that a terminal would obey is in what goes to a model.
    output::line(&format!("{line}\n\n{body}"))
}

async fn perform(session: &Session, command: Command) -> Result<(), Failure> {
    let answer = session.host.client.perform(&session.id, command);
    session.ask(answer, "").await
}

/// Waits until `look` sees something in the identity's view, which is not what it was before.
async fn wait<T>(
    session: &Session,
    mut look: impl FnMut(&ProfileView) -> Option<T>,
) -> Result<T, Failure> {
    let seen = session.host.wait(&session.id, |view| {
        if view.state == ProfileState::Ready {
            look(view).map(Some)
        } else {
            Some(None)
        }
    });
    let ended = sotto_client::AskError::Ended;
    let seen = seen.await?;
    seen.ok_or_else(|| words::ask(session.handle(), "", ended))
}

fn view(session: &Session) -> Result<AssistantView, Failure> {
    let model = session.host.client.snapshot();
    let view = model.profile(&session.id);
    let ended = || words::ask(session.handle(), "", sotto_client::AskError::Ended);
    Ok((*view.ok_or_else(ended)?.assistant).clone())
}

async fn chat_of(session: &Session, peer: Option<&str>) -> Result<Option<ChatId>, Failure> {
    match peer {
        Some(peer) => Ok(Some(find(session, peer).await?.id)),
        None => Ok(None),
    }
}

/// The text that was given, or standard input.
fn text(common: &Common, given: Option<String>) -> Result<String, Failure> {
    match given {
        Some(text) if text != "-" => Ok(text),
        _ => {
            passphrase::not_from_stdin(common)?;
            send::read()
        }
    }
}

fn kind_of(kind: ModelProvider) -> Option<ProviderKind> {
    match kind {
        ModelProvider::None => None,
        ModelProvider::Ollama => Some(ProviderKind::Ollama),
        ModelProvider::Openai => Some(ProviderKind::OpenAi),
        ModelProvider::Gemini => Some(ProviderKind::Gemini),
    }
}

/// A provider as it was set up before, but for what is given.
fn provider(
    before: &AssistantView,
    kind: ProviderKind,
    address: Option<String>,
    model: Option<String>,
) -> Result<Provider, Failure> {
    let known = before.set_up.iter().find(|it| it.provider.kind() == kind);
    let known = known.map(|it| &it.provider);
    let address = address.or_else(|| known.map(|it| it.address().to_owned()));
    let model = model.or_else(|| known.map(|it| it.model().to_owned()));
    Provider::new(
        kind,
        &address.unwrap_or_default(),
        &model.unwrap_or_default(),
    )
    .map_err(failure)
}

fn failure(error: AssistError) -> Failure {
    let sentence = words::assist(error);
    match error {
        AssistError::Empty
        | AssistError::TooLong
        | AssistError::Address
        | AssistError::NoModel
        | AssistError::KeyMissing
        | AssistError::Forbidden => Failure::Usage(sentence),
        _ => Failure::Failed(sentence),
    }
}
