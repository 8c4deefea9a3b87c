//! Who answers, and where.

use std::sync::Arc;

use super::AssistError;
use super::http::Address;
use super::text::is_hidden;
use super::wire::{self, Assistant};

/// The longest name of a model, in bytes.
const MODEL_BYTES_MAX: usize = 128;

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// Ollama, on this computer.
    Ollama,
    /// Any server on this computer that speaks as `OpenAI`'s does, for example llama.cpp.
    OpenAi,
    /// Google's cloud, with a key of the person's own.
    Gemini,
}

impl ProviderKind {
    /// All kinds, those on this computer first.
    pub const ALL: [Self; 3] = [Self::Ollama, Self::OpenAi, Self::Gemini];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::OpenAi => "Local server",
            Self::Gemini => "Gemini",
        }
    }

    /// Where it is unless somebody says otherwise.
    pub fn usual_address(self) -> &'static str {
        match self {
            Self::Ollama => "http://127.0.0.1:11434/",
            Self::OpenAi => "http://127.0.0.1:8080/v1/",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta/",
        }
    }

    /// The model that is proposed; none where only the provider knows what there is.
    pub fn usual_model(self) -> &'static str {
        match self {
            Self::Ollama | Self::OpenAi => "",
            Self::Gemini => "gemini-3.8-flash",
        }
    }

    /// Whether what it is given stays on this computer, whatever its address.
    pub fn is_here(self) -> bool {
        self != Self::Gemini
    }

    pub(super) fn assistant(self) -> &'static dyn Assistant {
        match self {
            Self::Ollama => &wire::Ollama,
            Self::OpenAi => &wire::OpenAi,
            Self::Gemini => &wire::Gemini,
        }
    }
}

/// A provider and one of its models. Its key is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    kind: ProviderKind,
    address: Arc<Address>,
    model: Arc<str>,
}

impl Provider {
    /// A provider at an address (the usual one if it is empty), and the name of its model, which may
    /// still be empty.
    ///
    /// # Errors
    /// [`AssistError::Address`] when that is none, does not name this computer where it has to, or
    /// would be spoken to in the clear elsewhere; [`AssistError::ModelUnknown`] when no model can
    /// have that name.
    pub fn new(kind: ProviderKind, address: &str, model: &str) -> Result<Self, AssistError> {
        let address = match address.trim() {
            "" => kind.usual_address(),
            address => address,
        };
        let model = model.trim();
        // As the list of models names them.
        let model = match kind {
            ProviderKind::Gemini => model.strip_prefix("models/").unwrap_or(model),
            _ => model,
        };
        let is_fit = |sign: char| match kind {
            // It stands in the path.
            ProviderKind::Gemini => sign.is_ascii_alphanumeric() || matches!(sign, '.' | '-' | '_'),
            _ => !is_hidden(sign) && !sign.is_whitespace(),
        };
        let is_model =
            model.len() <= MODEL_BYTES_MAX && model.chars().all(is_fit) && !model.starts_with('.');
        if !is_model {
            return Err(AssistError::ModelUnknown);
        }
        Ok(Self {
            kind,
            address: Arc::new(Address::new(address, kind.is_here())?),
            model: model.into(),
        })
    }

    /// How it is spoken to.
    pub fn kind(&self) -> ProviderKind {
        self.kind
    }

    /// Its address, which ends with a slash.
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// The host in it, with the port if that is not the usual one.
    pub fn host(&self) -> &str {
        self.address.host()
    }

    /// The name of its model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether what it is given stays on this computer.
    pub fn is_here(&self) -> bool {
        self.kind.is_here()
    }

    pub(super) fn at(&self) -> &Address {
        &self.address
    }
}
