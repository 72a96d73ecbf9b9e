/**
 * Tracking, logged models and registry. Names of metrics, params and run tags are interned in `keys`; run-sized
 * tables carry the experiment so that search walks one index per condition. Booleans are 0 and 1, times are
 * milliseconds.
 */
import type { Migration } from "../migrate.ts";

export const foundation: Migration = {
  version: 1,
  name: "foundation",
  statements: ({ identity, bigint, double, text, bytes, clustered }) => [
    // Experiments
    `CREATE TABLE experiments (
      id ${identity}, name ${text} NOT NULL UNIQUE, artifact_location ${text} NOT NULL,
      deleted ${bigint} NOT NULL, creation_time ${bigint} NOT NULL, last_update_time ${bigint} NOT NULL)`,
    `CREATE INDEX experiments_by_creation ON experiments (creation_time DESC, id)`,
    `CREATE TABLE experiment_tags (
      experiment ${bigint} NOT NULL, key ${text} NOT NULL, value ${text} NOT NULL,
      PRIMARY KEY (experiment, key)) ${clustered}`,

    // Runs
    `CREATE TABLE keys (id ${identity}, name ${text} NOT NULL UNIQUE)`,
    `CREATE TABLE runs (
      id ${identity}, run_id ${text} NOT NULL UNIQUE, experiment ${bigint} NOT NULL, name ${text} NOT NULL,
      user_id ${text} NOT NULL, status ${bigint} NOT NULL, start_time ${bigint} NOT NULL, end_time ${bigint},
      deleted ${bigint} NOT NULL, deleted_time ${bigint}, artifact_uri ${text} NOT NULL,
      last_activity_time ${bigint} NOT NULL, lease_expires_at ${bigint})`,
    `CREATE INDEX runs_by_start ON runs (experiment, deleted, start_time DESC, run_id)`,
    `CREATE INDEX runs_by_lease ON runs (lease_expires_at) WHERE lease_expires_at IS NOT NULL`,
    `CREATE TABLE params (
      run ${bigint} NOT NULL, key ${bigint} NOT NULL, value ${text} NOT NULL, experiment ${bigint} NOT NULL,
      PRIMARY KEY (run, key)) ${clustered}`,
    `CREATE INDEX params_by_value ON params (experiment, key, value, run)`,
    `CREATE TABLE tags (
      run ${bigint} NOT NULL, key ${bigint} NOT NULL, value ${text} NOT NULL, experiment ${bigint} NOT NULL,
      PRIMARY KEY (run, key)) ${clustered}`,
    `CREATE INDEX tags_by_value ON tags (experiment, key, value, run)`,

    // Metrics: a series is one metric of one run. Recent points are rows, older ones sealed chunks.
    `CREATE TABLE series (
      run ${bigint} NOT NULL, key ${bigint} NOT NULL, experiment ${bigint} NOT NULL,
      latest_step ${bigint} NOT NULL, latest_time ${bigint} NOT NULL, latest_value ${double} NOT NULL, latest_nan ${bigint} NOT NULL,
      first_step ${bigint} NOT NULL, first_time ${bigint} NOT NULL, first_value ${double} NOT NULL, first_nan ${bigint} NOT NULL,
      min_value ${double}, max_value ${double},
      hot ${bigint} NOT NULL, sealed ${bigint} NOT NULL, sealed_step ${bigint}, sealed_time ${bigint},
      PRIMARY KEY (run, key)) ${clustered}`,
    `CREATE INDEX series_by_latest ON series (experiment, key, latest_nan, latest_value, run)`,
    `CREATE TABLE points (
      run ${bigint} NOT NULL, key ${bigint} NOT NULL, step ${bigint} NOT NULL, time ${bigint} NOT NULL,
      nan ${bigint} NOT NULL, value ${double} NOT NULL,
      PRIMARY KEY (run, key, step, time, nan, value)) ${clustered}`,
    `CREATE TABLE chunks (
      id ${identity}, run ${bigint} NOT NULL, key ${bigint} NOT NULL, points ${bigint} NOT NULL,
      first_step ${bigint} NOT NULL, last_step ${bigint} NOT NULL, first_time ${bigint} NOT NULL, last_time ${bigint} NOT NULL,
      min_value ${double}, max_value ${double}, data ${bytes} NOT NULL)`,
    `CREATE INDEX chunks_of_series ON chunks (run, key, first_step, last_step)`,

    // Inputs and outputs
    `CREATE TABLE datasets (
      id ${identity}, experiment ${bigint} NOT NULL, name ${text} NOT NULL, digest ${text} NOT NULL,
      source_type ${text} NOT NULL, source ${text} NOT NULL, schema ${text}, profile ${text},
      UNIQUE (experiment, name, digest))`,
    `CREATE TABLE run_datasets (
      id ${identity}, run ${bigint} NOT NULL, dataset ${bigint} NOT NULL, UNIQUE (run, dataset))`,
    `CREATE INDEX run_datasets_by_dataset ON run_datasets (dataset, run)`,
    `CREATE TABLE run_dataset_tags (
      input ${bigint} NOT NULL, key ${text} NOT NULL, value ${text} NOT NULL, PRIMARY KEY (input, key)) ${clustered}`,
    `CREATE TABLE run_models (
      id ${identity}, run ${bigint} NOT NULL, output ${bigint} NOT NULL, model_id ${text} NOT NULL, step ${bigint} NOT NULL,
      UNIQUE (run, output, model_id))`,

    // Logged models. Filters match any value, so their points stay rows with an index.
    `CREATE TABLE logged_models (
      id ${identity}, model_id ${text} NOT NULL UNIQUE, experiment ${bigint} NOT NULL, name ${text} NOT NULL,
      artifact_location ${text} NOT NULL, creation_time ${bigint} NOT NULL, last_updated_time ${bigint} NOT NULL,
      status ${bigint} NOT NULL, status_message ${text}, model_type ${text}, source_run_id ${text}, deleted ${bigint} NOT NULL)`,
    `CREATE INDEX logged_models_by_creation ON logged_models (experiment, deleted, creation_time DESC, model_id)`,
    `CREATE TABLE logged_model_params (
      model ${bigint} NOT NULL, key ${text} NOT NULL, value ${text} NOT NULL, PRIMARY KEY (model, key)) ${clustered}`,
    `CREATE TABLE logged_model_tags (
      model ${bigint} NOT NULL, key ${text} NOT NULL, value ${text} NOT NULL, PRIMARY KEY (model, key)) ${clustered}`,
    // One value per dataset and point: the same metric of two data sets may share step and time. The experiment is
    // the model's, which search asks for, and not the run's.
    `CREATE TABLE logged_model_metrics (
      id ${identity}, model ${bigint} NOT NULL, key ${text} NOT NULL, time ${bigint} NOT NULL, step ${bigint} NOT NULL, run_id ${text} NOT NULL,
      value ${double} NOT NULL, nan ${bigint} NOT NULL, experiment ${bigint} NOT NULL,
      dataset_name ${text}, dataset_digest ${text})`,
    `CREATE UNIQUE INDEX logged_model_metrics_once ON logged_model_metrics
      (model, key, time, step, run_id, value, nan, (coalesce(dataset_name, '')), (coalesce(dataset_digest, '')))`,
    `CREATE INDEX logged_model_metrics_by_value ON logged_model_metrics (experiment, key, value, model)`,

    // Registry
    `CREATE TABLE registered_models (
      id ${identity}, name ${text} NOT NULL UNIQUE, description ${text}, creation_time ${bigint} NOT NULL,
      last_updated_time ${bigint} NOT NULL)`,
    `CREATE TABLE registered_model_tags (
      model ${bigint} NOT NULL, key ${text} NOT NULL, value ${text} NOT NULL, PRIMARY KEY (model, key)) ${clustered}`,
    `CREATE TABLE registered_model_aliases (
      model ${bigint} NOT NULL, alias ${text} NOT NULL, version ${bigint} NOT NULL, PRIMARY KEY (model, alias)) ${clustered}`,
    `CREATE TABLE model_versions (
      id ${identity}, model ${bigint} NOT NULL, version ${bigint} NOT NULL, creation_time ${bigint} NOT NULL,
      last_updated_time ${bigint} NOT NULL, description ${text}, user_id ${text}, stage ${text} NOT NULL,
      source ${text}, storage_location ${text}, run_id ${text}, run_link ${text}, status ${bigint} NOT NULL,
      status_message ${text}, UNIQUE (model, version))`,
    `CREATE INDEX model_versions_by_update ON model_versions (last_updated_time DESC)`,
    `CREATE INDEX model_versions_by_run ON model_versions (run_id)`,
    `CREATE INDEX model_versions_by_stage ON model_versions (model, stage, version)`,
    `CREATE TABLE model_version_tags (
      version ${bigint} NOT NULL, key ${text} NOT NULL, value ${text} NOT NULL, PRIMARY KEY (version, key)) ${clustered}`,

    // Webhooks: an event and its deliveries are written with the change they tell of.
    `CREATE TABLE webhooks (
      id ${identity}, webhook_id ${text} NOT NULL UNIQUE, name ${text} NOT NULL, description ${text}, url ${text} NOT NULL,
      status ${bigint} NOT NULL, secret ${bytes}, creation_time ${bigint} NOT NULL, last_updated_time ${bigint} NOT NULL)`,
    `CREATE TABLE webhook_events (
      webhook ${bigint} NOT NULL, entity ${bigint} NOT NULL, action ${bigint} NOT NULL,
      PRIMARY KEY (webhook, entity, action)) ${clustered}`,
    `CREATE INDEX webhook_events_by_type ON webhook_events (entity, action, webhook)`,
    `CREATE TABLE webhook_deliveries (
      id ${identity}, delivery_id ${text} NOT NULL, webhook ${bigint} NOT NULL, body ${text} NOT NULL,
      attempts ${bigint} NOT NULL, next_attempt_time ${bigint} NOT NULL)`,
    `CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_time)`,

    // Operation
    `CREATE TABLE changes (
      sequence ${identity}, time ${bigint} NOT NULL, entity ${text} NOT NULL, entity_id ${text} NOT NULL,
      experiment ${bigint}, kind ${text} NOT NULL)`,
    `CREATE INDEX changes_by_time ON changes (time)`,
    `CREATE TABLE artifact_purges (
      id ${identity}, uri ${text} NOT NULL, attempts ${bigint} NOT NULL, next_attempt_time ${bigint} NOT NULL)`,
  ],
};
