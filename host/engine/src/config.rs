//! Every setting of a host, typed, with its default. Read from files and the environment in `server::config` only.

use std::path::PathBuf;

use bellwether_domain::gate::GateConfig;
use bellwether_domain::job::Precision;
use bellwether_domain::{Error, Result};
use bellwether_plugin::PluginsConfig;
use bellwether_plugin::size::ByteSize;
use serde::{Deserialize, Serialize};

/// The settings of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where everything is kept.
    pub data: DataConfig,
    /// Training jobs.
    pub training: TrainingConfig,
    /// Thresholds a version must pass.
    pub gates: GateSettings,
    /// Rollouts.
    pub deployment: DeploymentConfig,
    /// Predictions.
    pub serving: ServingConfig,
    /// Drift and alerts.
    pub monitoring: MonitoringConfig,
    /// Plugins.
    pub plugins: PluginsConfig,
}

/// Where everything is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The data folder (`MLOPS_BASE_PATH`).
    pub folder: PathBuf,
    /// Bytes of prediction log kept.
    pub prediction_log_bytes: u64,
}

/// Training jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Jobs that run at once (`MAX_CONCURRENT_TRAINING_JOBS`).
    pub max_concurrent_jobs: usize,
    /// Longest run of a job in hours (`TRAINING_JOB_TIMEOUT_HOURS`).
    pub job_timeout_hours: f64,
    /// Least bars a job needs (`MIN_TRAINING_DATA_POINTS`).
    pub min_data_points: u64,
    /// Jobs that wait; more are refused.
    pub queue: usize,
    /// Where networks are trained: `cpu`, or `cuda:0` in a build that has CUDA.
    pub device: String,
    /// Precision of the products of matrices while training, unless a job asks otherwise: `f32`, or `bf16` where the processor
    /// has AVX512-BF16. Predictions have 32 bits.
    pub precision: Precision,
    /// Threads that the running jobs share; the processor's own when absent.
    pub threads: Option<usize>,
    /// Memory that the running jobs may take together, by estimate; three quarters of the machine's when absent. A job that
    /// alone needs more is refused, one that does not fit beside the others waits.
    pub memory_limit: Option<ByteSize>,
    /// Minutes between checkpoints of a fit under way, fractions too; 0 saves none, and a job that is taken up again begins anew.
    pub checkpoint_minutes: f64,
    /// Bytes of computed feature columns kept for the next job on the same bars; 0 keeps none.
    pub feature_cache_bytes: u64,
    /// Times a job is started in all when the host or the worker is killed under it.
    pub attempts: u32,
    /// The program that trains (this binary) and its first arguments. Not a setting of the file.
    #[serde(skip)]
    pub worker: Vec<String>,
}

/// Thresholds a version must pass; see [`GateConfig`]. Absolute ones are off unless set, because what a good value is
/// depends on the target; the relative ones are on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GateSettings(pub GateConfig);

/// Rollouts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeploymentConfig {
    /// The strategy when a request names none (`DEFAULT_DEPLOYMENT_STRATEGY`).
    pub default_strategy: String,
    /// Longest health check in seconds (`HEALTH_CHECK_TIMEOUT`).
    pub health_check_timeout: f64,
    /// Most a probe may take, in milliseconds.
    pub health_check_latency_ms: f64,
    /// Windows a health check predicts.
    pub health_check_probes: u32,
    /// Most steps of one rollout; a strategy that wants more is rolled back.
    pub max_steps: u32,
}

/// Predictions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServingConfig {
    /// Bytes of loaded models kept in memory.
    pub cache_bytes: u64,
    /// Most windows in one request.
    pub max_windows: usize,
    /// Predictions computed at once.
    pub concurrency: usize,
    /// Predictions that wait; more are refused.
    pub queue: usize,
}

/// Drift and alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MonitoringConfig {
    /// The drift tests whose baselines are stored with every version; the first one answers drift checks.
    pub drift_tests: Vec<String>,
    /// Distance at which a feature counts as drifted (`DRIFT_THRESHOLD`), for tests that measure one.
    pub drift_threshold: Option<f64>,
    /// Most rows in one drift check.
    pub max_rows: usize,
    /// Tries to deliver an alert.
    pub alert_attempts: u32,
    /// First wait between tries, in milliseconds; doubles each time, at most a minute.
    pub alert_backoff_ms: u64,
}

impl Default for DataConfig {
    fn default() -> Self {
        DataConfig { folder: PathBuf::from(".bellwether"), prediction_log_bytes: 1 << 30 }
    }
}

impl Default for TrainingConfig {
    fn default() -> Self {
        TrainingConfig {
            max_concurrent_jobs: 3,
            job_timeout_hours: 6.0,
            min_data_points: 1000,
            queue: 1000,
            device: "cpu".to_owned(),
            precision: Precision::F32,
            threads: None,
            memory_limit: None,
            checkpoint_minutes: 5.0,
            feature_cache_bytes: 1 << 30,
            attempts: 3,
            worker: Vec::new(),
        }
    }
}

impl Default for GateSettings {
    fn default() -> Self {
        GateSettings(GateConfig { min_skill: Some(0.0), max_mse_vs_champion: Some(1.0), ..GateConfig::default() })
    }
}

impl Default for DeploymentConfig {
    fn default() -> Self {
        DeploymentConfig {
            default_strategy: "blue_green".to_owned(),
            health_check_timeout: 30.0,
            health_check_latency_ms: 1000.0,
            health_check_probes: 8,
            max_steps: 1000,
        }
    }
}

impl Default for ServingConfig {
    fn default() -> Self {
        ServingConfig { cache_bytes: 512 << 20, max_windows: 4096, concurrency: 2, queue: 1024 }
    }
}

impl Default for MonitoringConfig {
    fn default() -> Self {
        MonitoringConfig {
            drift_tests: vec!["ks".to_owned()],
            drift_threshold: None,
            max_rows: 100_000,
            alert_attempts: 8,
            alert_backoff_ms: 500,
        }
    }
}

impl Config {
    /// Checks every setting; all problems together, one line each.
    pub fn check(&self) -> Result<()> {
        let mut problems = Vec::new();
        let mut want = |good: bool, text: &str| {
            if !good {
                problems.push(text.to_owned());
            }
        };
        let training = &self.training;
        want(training.max_concurrent_jobs >= 1, "training.max_concurrent_jobs must be at least 1");
        want(
            training.job_timeout_hours > 0.0 && training.job_timeout_hours <= 8760.0,
            "training.job_timeout_hours must be above 0 and at most 8760",
        );
        want(training.attempts >= 1, "training.attempts must be at least 1");
        want(training.threads.is_none_or(|threads| (1..=1024).contains(&threads)), "training.threads must be 1 to 1024");
        want(training.memory_limit.is_none_or(|limit| limit.0 >= 128 << 20), "training.memory_limit must be at least 128 MiB");
        want((0.0..=1440.0).contains(&training.checkpoint_minutes), "training.checkpoint_minutes must be 0 (off) to 1440");
        want(is_device(&training.device), "training.device must be cpu or cuda:0 (the number of a GPU)");
        want(training.queue >= 1, "training.queue must be at least 1");
        let deployment = &self.deployment;
        want(deployment.health_check_timeout > 0.0, "deployment.health_check_timeout must be above 0 seconds");
        want(deployment.health_check_latency_ms > 0.0, "deployment.health_check_latency_ms must be above 0");
        want(deployment.health_check_probes >= 1, "deployment.health_check_probes must be at least 1");
        want(self.serving.concurrency >= 1, "serving.concurrency must be at least 1");
        want(self.serving.max_windows >= 1, "serving.max_windows must be at least 1");
        want(!self.monitoring.drift_tests.is_empty(), "monitoring.drift_tests must name at least one drift test");
        want(self.monitoring.alert_attempts >= 1, "monitoring.alert_attempts must be at least 1");
        want(
            self.monitoring.drift_threshold.is_none_or(|threshold| threshold > 0.0 && threshold.is_finite()),
            "monitoring.drift_threshold must be above 0",
        );
        if problems.is_empty() { Ok(()) } else { Err(Error::invalid("config", problems.join("\n"))) }
    }
}

/// Whether a text names a device, there or not: what is there is known to the worker only.
fn is_device(name: &str) -> bool {
    name == "cpu" || name.strip_prefix("cuda:").is_some_and(|number| number.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_training_have_bounds() {
        let check = |change: fn(&mut TrainingConfig), part: &str| {
            let mut config = Config::default();
            change(&mut config.training);
            match config.check() {
                Ok(()) => assert_eq!(part, ""),
                Err(error) => assert!(!part.is_empty() && error.to_string().contains(part), "{error}"),
            }
        };
        check(|_| (), "");
        check(|training| training.checkpoint_minutes = 0.0001, "");
        check(|training| training.checkpoint_minutes = -1.0, "training.checkpoint_minutes");
        check(|training| training.checkpoint_minutes = f64::NAN, "training.checkpoint_minutes");
        check(|training| training.threads = Some(0), "training.threads");
        check(|training| training.memory_limit = Some(ByteSize(1)), "training.memory_limit");
        check(|training| training.device = "cuda:1".to_owned(), "");
        check(|training| training.device = "gpu".to_owned(), "training.device");
    }
}
