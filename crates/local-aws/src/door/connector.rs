//! The way in without a port: an HTTP client for the AWS SDK whose requests never leave the process.

use super::Request;
use crate::world::World;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use std::fmt;
use std::sync::Arc;

/// Leads every request of an SDK client to a world.
#[derive(Clone)]
pub(crate) struct Connector(pub Arc<World>);

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("local_aws::Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let world = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let request = read(request).await?;
            let response = super::exchange(&world, request).await.map_err(|reset| ConnectorError::io(reset.into()))?;
            write(response)
        })
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

async fn read(request: HttpRequest) -> Result<Request, ConnectorError> {
    let (parts, body) = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?.into_parts();
    let body = body.collect().await.map_err(ConnectorError::user)?.to_bytes();
    Ok(Request::from_parts(parts, body))
}

fn write(response: super::Response) -> Result<HttpResponse, ConnectorError> {
    let (parts, body) = response.into_parts();
    let status =
        StatusCode::try_from(parts.status.as_u16()).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut written = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            written.headers_mut().append(name.as_str().to_owned(), value.to_owned());
        }
    }
    Ok(written)
}
