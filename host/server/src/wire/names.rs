//! Schemas of values that are written as one name: taken from the domain's own serialization, so that they cannot differ.

use bellwether_domain::alert::{AlertPhase, Severity};
use bellwether_domain::drift::Recommendation;
use bellwether_domain::job::{JobState, Precision, Stage};
use bellwether_domain::model::ModelStatus;
use bellwether_domain::rollout::RolloutPhase;
use bellwether_domain::target::TargetKind;
use bellwether_plugin::Kind;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! names {
    ($($name:ident: $text:literal = $values:expr;)*) => {$(
        #[doc = $text]
        #[derive(Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                named($text, &$values)
            }
        }

        impl ToSchema for $name {}
    )*};
}

fn named<T: Serialize>(description: &str, values: &[T]) -> RefOr<Schema> {
    let values = values.iter().map(|value| serde_json::to_value(value).expect("a name is always JSON"));
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).enum_values(Some(values)).build().into()
}

names! {
    ModelStatusName: "Where a version stands: `training` (its job runs), `registered` (passed its gates), `rejected` (failed one), \
        `deployed` (serves an endpoint), `archived`, `failed` (its job did)." = ModelStatus::ALL;
    JobStateName: "Where a job stands. All but `queued` and `running` are final." = JobState::ALL;
    PrecisionName: "With how many bits training multiplies matrices; `bf16` needs AVX512-BF16." = Precision::ALL;
    StageName: "What a job is doing." =
        [Stage::Waiting, Stage::Preparing, Stage::Fitting, Stage::Evaluating, Stage::Registering, Stage::Done];
    PhaseName: "Where a rollout stands. `promoted`, `rolled_back` and `aborted` are final." = [
        RolloutPhase::Progressing,
        RolloutPhase::Paused,
        RolloutPhase::Promoted,
        RolloutPhase::RolledBack,
        RolloutPhase::Aborted,
    ];
    AlertPhaseName: "Where an alert is in its life." = [AlertPhase::Pending, AlertPhase::Firing, AlertPhase::Resolved];
    SeverityName: "How bad it is." = [Severity::Info, Severity::Warning, Severity::Critical];
    RecommendationName: "What to do about drift." = [
        Recommendation::None,
        Recommendation::Watch,
        Recommendation::RetrainSoon,
        Recommendation::RetrainNow,
        Recommendation::CheckData,
    ];
    TargetKindName: "The quantity predicted: `return` = `ln(close[t+h]/close[t])`; `direction` = whether that is above 0, as a \
        probability; `price` = `close[t+h]`; `realized-volatility` = ln of the root mean squared log return over the next h bars." =
        [TargetKind::Return, TargetKind::Direction, TargetKind::Price, TargetKind::RealizedVolatility];
    PluginKindName: "Which plugin world a component implements." =
        [Kind::Model, Kind::DriftTest, Kind::DriftDetector, Kind::AlertHandler, Kind::DeploymentStrategy];
}
