package metrics

import "time"

var persistenceRows = []row{
	{section: "persistence", field: "loading", get: func(s *Snapshot) value { return flag(s.Persistence.Loading) }, exporter: "redis_loading_dump_file"},
	{section: "persistence", field: "async_loading", get: constant(count(0)), exporter: "redis_async_loading"},
	{section: "persistence", field: "current_cow_peak", get: constant(count(0))},
	{section: "persistence", field: "current_cow_size", get: func(s *Snapshot) value { return count(s.Persistence.Kept) }},
	{section: "persistence", field: "current_cow_size_age", get: constant(count(0))},
	{section: "persistence", field: "current_fork_perc", get: constant(fixed(0, 2))},
	{section: "persistence", field: "current_save_keys_processed", get: func(s *Snapshot) value { return count(s.Persistence.KeysSaved) }},
	{section: "persistence", field: "current_save_keys_total", get: func(s *Snapshot) value { return count(s.Persistence.KeysTotal) }},
	{section: "persistence", field: "rdb_changes_since_last_save", get: func(s *Snapshot) value { return count(s.Persistence.ChangesSince) }, exporter: "redis_rdb_changes_since_last_save"},
	{section: "persistence", field: "rdb_bgsave_in_progress", get: func(s *Snapshot) value { return flag(s.Persistence.Saving) }, exporter: "redis_rdb_bgsave_in_progress"},
	{section: "persistence", field: "rdb_last_save_time", get: func(s *Snapshot) value { return count(s.Persistence.LastSave.Unix()) }, exporter: "redis_rdb_last_save_timestamp_seconds"},
	{section: "persistence", field: "rdb_last_bgsave_status", get: func(s *Snapshot) value { return status(!s.Persistence.LastFailed) }, exporter: "redis_rdb_last_bgsave_status"},
	{section: "persistence", field: "rdb_last_bgsave_time_sec", get: func(s *Snapshot) value { return wholeSeconds(s.Persistence.LastTook) }, exporter: "redis_rdb_last_bgsave_duration_sec"},
	{section: "persistence", field: "rdb_current_bgsave_time_sec", get: currentSave, exporter: "redis_rdb_current_bgsave_duration_sec"},
	{section: "persistence", field: "rdb_saves", get: func(s *Snapshot) value { return count(s.Persistence.Saves) }, counter: true, exporter: "redis_rdb_saves_total"},
	{section: "persistence", field: "rdb_last_cow_size", get: constant(count(0)), exporter: "redis_rdb_last_cow_size_bytes"},
	{section: "persistence", field: "rdb_last_load_keys_expired", get: func(s *Snapshot) value { return count(s.Persistence.LoadedExpired) }, exporter: "redis_rdb_last_load_expired_keys"},
	{section: "persistence", field: "rdb_last_load_keys_loaded", get: func(s *Snapshot) value { return count(s.Persistence.Loaded) }, exporter: "redis_rdb_last_load_loaded_keys"},
	{section: "persistence", field: "aof_enabled", get: func(s *Snapshot) value { return flag(s.AOF.On) }, exporter: "redis_aof_enabled"},
	{section: "persistence", field: "aof_rewrite_in_progress", get: func(s *Snapshot) value { return flag(s.AOF.Rewriting) }, exporter: "redis_aof_rewrite_in_progress"},
	{section: "persistence", field: "aof_rewrite_scheduled", get: func(s *Snapshot) value { return flag(s.AOF.Scheduled) }, exporter: "redis_aof_rewrite_scheduled"},
	{section: "persistence", field: "aof_last_rewrite_time_sec", get: func(s *Snapshot) value { return wholeSeconds(s.AOF.LastTook) }, exporter: "redis_aof_last_rewrite_duration_sec"},
	{section: "persistence", field: "aof_current_rewrite_time_sec", get: func(s *Snapshot) value { return wholeSeconds(s.AOF.Took) }, exporter: "redis_aof_current_rewrite_duration_sec"},
	{section: "persistence", field: "aof_last_bgrewrite_status", get: func(s *Snapshot) value { return status(!s.AOF.LastFailed) }, exporter: "redis_aof_last_bgrewrite_status"},
	{section: "persistence", field: "aof_rewrites", get: func(s *Snapshot) value { return count(s.AOF.Rewrites) }, counter: true},
	{section: "persistence", field: "aof_rewrites_consecutive_failures", get: func(s *Snapshot) value { return count(s.AOF.Failures) }},
	{section: "persistence", field: "aof_last_write_status", get: func(s *Snapshot) value { return status(!s.AOF.WriteFailed) }, exporter: "redis_aof_last_write_status"},
	{section: "persistence", field: "aof_last_cow_size", get: constant(count(0)), exporter: "redis_aof_last_cow_size_bytes"},
	{section: "persistence", field: "module_fork_in_progress", get: constant(count(0)), exporter: "redis_module_fork_in_progress"},
	{section: "persistence", field: "module_fork_last_cow_size", get: constant(count(0)), exporter: "redis_module_fork_last_cow_size"},
	{section: "persistence", field: "aof_current_size", get: func(s *Snapshot) value { return count(s.AOF.Size) }, only: hasAOF, exporter: "redis_aof_current_size_bytes"},
	{section: "persistence", field: "aof_base_size", get: func(s *Snapshot) value { return count(s.AOF.BaseSize) }, only: hasAOF, exporter: "redis_aof_base_size_bytes"},
	{section: "persistence", field: "aof_pending_rewrite", get: constant(count(0)), only: hasAOF, exporter: "redis_aof_pending_rewrite"},
	{section: "persistence", field: "aof_buffer_length", get: func(s *Snapshot) value { return count(s.AOF.Pending) }, only: hasAOF, exporter: "redis_aof_buffer_length"},
	{section: "persistence", field: "aof_pending_bio_fsync", get: func(s *Snapshot) value { return flag(s.AOF.Syncing) }, only: hasAOF, exporter: "redis_aof_pending_bio_fsync"},
	{section: "persistence", field: "aof_delayed_fsync", get: func(s *Snapshot) value { return count(s.AOF.Slow) }, only: hasAOF, counter: true, exporter: "redis_aof_delayed_fsync"},
}

func hasAOF(s *Snapshot) bool { return s.AOF.On }

// wholeSeconds is a duration in seconds, -1 for one that has not been.
func wholeSeconds(d time.Duration) value {
	if d < 0 {
		return count(-1)
	}
	return count(int64(d / time.Second))
}

func currentSave(s *Snapshot) value {
	if !s.Persistence.Saving {
		return count(-1)
	}
	return wholeSeconds(s.Persistence.Took)
}
