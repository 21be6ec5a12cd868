//! Images that a stack names, and of which the state does not know that they run. ECS may take a deployment back while
//! CloudFormation reports success, and the state has an image only after somebody saw it run.

use crate::model::{Parameter, RenderedStack, StackRecord};

/// The images that a stack is given: digests of those made here, references of others.
pub fn named_images(wanted: &RenderedStack) -> Vec<String> {
    let images = wanted.parameters.values().filter_map(|parameter| match parameter {
        Parameter::LocalImage(image) => image.digest.clone(),
        Parameter::Image { reference, .. } => Some(reference.clone()),
        _ => None,
    });
    images.collect()
}

/// Whether a container's image is the named one, given as a reference or a digest.
pub fn is_image(image: &str, named: &str) -> bool {
    let digest = |text: &str| text.rsplit_once('@').map_or(text, |(_, digest)| digest).to_owned();
    image == named || (named.contains("sha256:") && digest(image) == digest(named))
}

/// Those of the named images that the state has not seen run.
pub fn unproven_images(record: &StackRecord, wanted: &RenderedStack) -> Vec<String> {
    let seen = |named: &String| record.images.values().any(|image| is_image(image, named));
    named_images(wanted).into_iter().filter(|named| !seen(named)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_compared_by_their_digests() {
        let digest = format!("sha256:{}", "1a".repeat(32));
        let image = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/api@{digest}");
        assert!(is_image(&image, &digest));
        assert!(is_image(&image, &format!("mirror.example/api@{digest}")));
        assert!(!is_image(&image, &format!("sha256:{}", "2b".repeat(32))));
        assert!(is_image("nginx:1", "nginx:1"));
        assert!(!is_image("nginx:2", "nginx:1"));
    }
}
