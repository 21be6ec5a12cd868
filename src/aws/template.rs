//! Templates on their way to CloudFormation: inside the request while they fit, through the state bucket beyond.

use super::cloudformation::{MAX_INLINE_TEMPLATE_BYTES, MAX_TEMPLATE_BYTES, TemplateSource};
use super::{Objects, Precondition, Result};
use crate::error::{Error, Kind};
use crate::model::digest;

impl Objects {
    /// How CloudFormation will get this template; a long one is written below `prefix` under the digest of its text,
    /// once for all its uses.
    ///
    /// # Errors
    /// [`Kind::Configuration`] for a template that CloudFormation would refuse for its length.
    pub async fn template_source(&self, prefix: &str, template: &str) -> Result<TemplateSource> {
        let bytes = template.len();
        if bytes > MAX_TEMPLATE_BYTES {
            return Err(Error::new(
                Kind::Configuration,
                format!("the template has {bytes} bytes; CloudFormation takes {MAX_TEMPLATE_BYTES} at most"),
            )
            .hint("move some of its resources to a stack of their own"));
        }
        if bytes <= MAX_INLINE_TEMPLATE_BYTES {
            return Ok(TemplateSource::Body(template.to_owned()));
        }
        let key = self.put_template(prefix, template).await?;
        Ok(TemplateSource::Url(self.url(&key)))
    }

    /// Writes a template under the digest of its text, if it is not there yet; returns its key.
    pub async fn put_template(&self, prefix: &str, template: &str) -> Result<String> {
        let key = template_key(prefix, &digest(template));
        // Refused: the same text is there already, since the key is its digest.
        self.put(&key, template.as_bytes().to_vec(), "application/json", Precondition::Absent).await?;
        Ok(key)
    }
}

/// Where a template of this digest lies.
pub fn template_key(prefix: &str, digest: &str) -> String {
    format!("{prefix}/templates/{}.json", digest.strip_prefix("sha256:").unwrap_or(digest))
}
