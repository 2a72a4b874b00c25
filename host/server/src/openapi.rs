//! What the OpenAPI document says beyond the handlers: who we are, the token, and that every error is a problem document.

use utoipa::ToSchema;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

use crate::problem::ProblemDocument;

const TEXT: &str = "A host for market models: it ingests bars, trains versions, gates and rolls them out, answers predictions and \
    watches for drift. Every request but `/livez`, `/readyz` and `/openapi.json` carries `authorization: Bearer TOKEN`. Errors are \
    problem documents (RFC 9457) with a stable `code` and, for wrong input, the `field`. Unknown fields and query parameters are refused.";

/// Completes the document that the handlers make.
pub(crate) fn finish(mut document: OpenApi) -> OpenApi {
    document.info = InfoBuilder::new()
        .title("Bellwether")
        .version(crate::VERSION)
        .description(Some(TEXT))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    let mut schemas = Vec::new();
    <ProblemDocument as ToSchema>::schemas(&mut schemas);
    schemas.push((ProblemDocument::name().into_owned(), <ProblemDocument as utoipa::PartialSchema>::schema()));
    components.schemas.extend(schemas);
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    document.security = Some(vec![SecurityRequirement::new("token", Vec::<String>::new())]);
    for path in document.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.delete, &mut path.patch];
        operations.into_iter().flatten().for_each(add_problem);
    }
    document
}

fn add_problem(operation: &mut Operation) {
    let schema = Ref::from_schema_name(ProblemDocument::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description("What went wrong.").content("application/problem+json", content).build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(response));
}
