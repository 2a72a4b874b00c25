//! Environment variables: the documented names, what each one sets, and those that have no effect in this version.

use std::collections::BTreeMap;

/// The process environment as a map; tests pass their own.
pub type Environment = BTreeMap<String, String>;

/// The documented names and the settings behind them.
pub const DOCUMENTED: [(&str, &str); 10] = [
    ("MLOPS_BASE_PATH", "data.folder"),
    ("MAX_CONCURRENT_TRAINING_JOBS", "training.max_concurrent_jobs"),
    ("TRAINING_JOB_TIMEOUT_HOURS", "training.job_timeout_hours"),
    ("MIN_TRAINING_DATA_POINTS", "training.min_data_points"),
    ("MIN_MODEL_ACCURACY", "gates.min_model_accuracy"),
    ("MAX_MODEL_MSE", "gates.max_model_mse"),
    ("MIN_R2_SCORE", "gates.min_r2_score"),
    ("DRIFT_THRESHOLD", "monitoring.drift_threshold"),
    ("DEFAULT_DEPLOYMENT_STRATEGY", "deployment.default_strategy"),
    ("HEALTH_CHECK_TIMEOUT", "deployment.health_check_timeout"),
];

/// Documented names of features that this version does not have.
pub const WITHOUT_EFFECT: [&str; 10] = [
    "MLFLOW_TRACKING_URI",
    "MLFLOW_EXPERIMENT_NAME",
    "PERFORMANCE_THRESHOLD",
    "MONITORING_WINDOW_HOURS",
    "AB_TEST_MIN_DURATION_HOURS",
    "AB_TEST_CONFIDENCE_LEVEL",
    "AB_TEST_SIGNIFICANCE_THRESHOLD",
    "CANARY_TRAFFIC_PERCENTAGE",
    "ALERT_EMAIL",
    "SLACK_WEBHOOK_URL",
];

/// Start of the names that set any other setting: `BELLWETHER_SERVER_BIND` sets `server.bind`.
pub const PREFIX: &str = "BELLWETHER_";

/// Names with the prefix that are read elsewhere: by the command line itself, and by the builds of plugins.
pub const OF_THE_COMMAND_LINE: [&str; 7] = [
    "BELLWETHER_URL",
    "BELLWETHER_TOKEN",
    "BELLWETHER_CONFIG",
    "BELLWETHER_REGISTRY_USERNAME",
    "BELLWETHER_REGISTRY_PASSWORD",
    "BELLWETHER_REGISTRY_TOKEN",
    "BELLWETHER_TOOLS",
];

/// The environment of this process. Names and values that are no Unicode are left out: no setting has such a name.
pub fn of_process() -> Environment {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// The variable that sets `path` besides a documented name.
pub(crate) fn prefixed_name(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_uppercase())
}
