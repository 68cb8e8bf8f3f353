package metrics

// Memory in INFO's words: used_memory is what maxmemory bounds, that is the
// keyspace; the dataset is its entries, the overhead what finds them. The
// allocator is the keyspace's mapped memory and Go's heap together.

var memoryRows = []row{
	{section: "memory", field: "used_memory", get: func(s *Snapshot) value { return count(s.Memory.Used) }, exporter: "redis_memory_used_bytes",
		ours: "coatcheck_memory_used_bytes", help: "Memory of the keyspace, which maxmemory bounds."},
	{section: "memory", field: "used_memory_human", get: func(s *Snapshot) value { return human(s.Memory.Used) }},
	{section: "memory", field: "used_memory_rss", get: func(s *Snapshot) value { return count(s.Process.RSS) }, exporter: "redis_memory_used_rss_bytes",
		ours: "coatcheck_memory_resident_bytes", help: "Memory of the process that is in RAM."},
	{section: "memory", field: "used_memory_rss_human", get: func(s *Snapshot) value { return human(s.Process.RSS) }},
	{section: "memory", field: "used_memory_peak", get: func(s *Snapshot) value { return count(s.Memory.Peak) }, exporter: "redis_memory_used_peak_bytes",
		ours: "coatcheck_memory_used_peak_bytes", help: "The highest memory of the keyspace so far."},
	{section: "memory", field: "used_memory_peak_human", get: func(s *Snapshot) value { return human(s.Memory.Peak) }},
	{section: "memory", field: "used_memory_peak_perc", get: func(s *Snapshot) value { return percent(100 * ratio(s.Memory.Used, s.Memory.Peak)) }},
	{section: "memory", field: "used_memory_overhead", get: func(s *Snapshot) value { return count(overhead(s)) }, exporter: "redis_memory_used_overhead_bytes"},
	{section: "memory", field: "used_memory_startup", get: func(s *Snapshot) value { return count(s.StartupMemory) }, exporter: "redis_memory_used_startup_bytes"},
	{section: "memory", field: "used_memory_dataset", get: func(s *Snapshot) value { return count(s.Memory.Entries) }, exporter: "redis_memory_used_dataset_bytes"},
	{section: "memory", field: "used_memory_dataset_perc", get: func(s *Snapshot) value { return percent(100 * ratio(s.Memory.Entries, s.Memory.Used-s.StartupMemory)) }},
	{section: "memory", field: "allocator_allocated", get: func(s *Snapshot) value { return count(allocated(s)) }, exporter: "redis_allocator_allocated_bytes"},
	{section: "memory", field: "allocator_active", get: func(s *Snapshot) value { return count(active(s)) }, exporter: "redis_allocator_active_bytes"},
	{section: "memory", field: "allocator_resident", get: func(s *Snapshot) value { return count(s.Process.RSS) }, exporter: "redis_allocator_resident_bytes"},
	{section: "memory", field: "total_system_memory", get: func(s *Snapshot) value { return count(s.Process.Memory) }, exporter: "redis_total_system_memory_bytes"},
	{section: "memory", field: "total_system_memory_human", get: func(s *Snapshot) value { return human(s.Process.Memory) }},
	{section: "memory", field: "used_memory_lua", get: constant(count(0)), exporter: "redis_memory_used_lua_bytes"},
	{section: "memory", field: "used_memory_vm_eval", get: constant(count(0)), exporter: "redis_memory_used_vm_eval_bytes"},
	{section: "memory", field: "used_memory_lua_human", get: constant(human(0))},
	{section: "memory", field: "used_memory_scripts_eval", get: func(s *Snapshot) value { return count(s.Scripts.Bytes) }, exporter: "redis_memory_used_scripts_eval_bytes"},
	{section: "memory", field: "number_of_cached_scripts", get: func(s *Snapshot) value { return count(s.Scripts.Count) }, exporter: "redis_number_of_cached_scripts"},
	{section: "memory", field: "number_of_functions", get: constant(count(0)), exporter: "redis_number_of_functions"},
	{section: "memory", field: "number_of_libraries", get: constant(count(0)), exporter: "redis_number_of_libraries"},
	{section: "memory", field: "used_memory_vm_functions", get: constant(count(0)), exporter: "redis_memory_used_vm_functions_bytes"},
	{section: "memory", field: "used_memory_vm_total", get: constant(count(0)), exporter: "redis_memory_used_vm_total"},
	{section: "memory", field: "used_memory_vm_total_human", get: constant(human(0))},
	{section: "memory", field: "used_memory_functions", get: constant(count(0)), exporter: "redis_memory_used_functions_bytes"},
	{section: "memory", field: "used_memory_scripts", get: func(s *Snapshot) value { return count(s.Scripts.Bytes) }, exporter: "redis_memory_used_scripts_bytes"},
	{section: "memory", field: "used_memory_scripts_human", get: func(s *Snapshot) value { return human(s.Scripts.Bytes) }},
	{section: "memory", field: "maxmemory", get: func(s *Snapshot) value { return count(s.MaxMemory) }, exporter: "redis_memory_max_bytes",
		ours: "coatcheck_memory_limit_bytes", help: "The limit of the keyspace's memory (maxmemory); 0 for none."},
	{section: "memory", field: "maxmemory_human", get: func(s *Snapshot) value { return human(s.MaxMemory) }},
	{section: "memory", field: "maxmemory_policy", get: func(s *Snapshot) value { return words(s.MaxMemoryPolicy) }},
	{section: "memory", field: "allocator_frag_ratio", get: func(s *Snapshot) value { return fixed(ratio(active(s), allocated(s)), 2) }, exporter: "redis_allocator_frag_ratio"},
	{section: "memory", field: "allocator_frag_bytes", get: func(s *Snapshot) value { return count(active(s) - allocated(s)) }, exporter: "redis_allocator_frag_bytes"},
	{section: "memory", field: "allocator_rss_ratio", get: func(s *Snapshot) value { return fixed(ratio(s.Process.RSS, active(s)), 2) }, exporter: "redis_allocator_rss_ratio"},
	{section: "memory", field: "allocator_rss_bytes", get: func(s *Snapshot) value { return count(s.Process.RSS - active(s)) }, exporter: "redis_allocator_rss_bytes"},
	{section: "memory", field: "rss_overhead_ratio", get: constant(fixed(1, 2)), exporter: "redis_rss_overhead_ratio"},
	{section: "memory", field: "rss_overhead_bytes", get: constant(count(0)), exporter: "redis_rss_overhead_bytes"},
	{section: "memory", field: "mem_fragmentation_ratio", get: func(s *Snapshot) value { return fixed(ratio(s.Process.RSS, s.Memory.Used), 2) }, exporter: "redis_mem_fragmentation_ratio"},
	{section: "memory", field: "mem_fragmentation_bytes", get: func(s *Snapshot) value { return count(s.Process.RSS - s.Memory.Used) }, exporter: "redis_mem_fragmentation_bytes"},
	{section: "memory", field: "mem_not_counted_for_evict", get: constant(count(0)), exporter: "redis_mem_not_counted_for_eviction_bytes"},
	{section: "memory", field: "mem_replication_backlog", get: func(s *Snapshot) value { return count(s.Replication.BacklogHeld) }, exporter: "redis_mem_replication_backlog_bytes"},
	{section: "memory", field: "mem_total_replication_buffers", get: func(s *Snapshot) value { return count(s.Replication.Kept) }, exporter: "redis_mem_total_replication_buffers_bytes"},
	{section: "memory", field: "mem_clients_slaves", get: constant(count(0)), exporter: "redis_mem_clients_slaves"},
	{section: "memory", field: "mem_clients_normal", get: func(s *Snapshot) value { return count(s.Clients.Buffers) }, exporter: "redis_mem_clients_normal",
		ours: "coatcheck_clients_buffer_bytes", help: "Memory of clients' buffers."},
	{section: "memory", field: "mem_cluster_links", get: constant(count(0)), exporter: "redis_mem_cluster_links_bytes"},
	{section: "memory", field: "mem_aof_buffer", get: func(s *Snapshot) value { return count(s.AOF.Pending) }, exporter: "redis_mem_aof_buffer_bytes"},
	{section: "memory", field: "mem_allocator", get: func(s *Snapshot) value { return words("slab-" + s.Process.GoVersion) }},
	{section: "memory", field: "active_defrag_running", get: constant(count(0)), exporter: "redis_active_defrag_running"},
	{section: "memory", field: "lazyfree_pending_objects", get: constant(count(0)), exporter: "redis_lazyfree_pending_objects"},
	{section: "memory", field: "lazyfreed_objects", get: constant(count(0)), exporter: "redis_lazyfreed_objects"},
}

// overhead is the part of the keyspace's memory that is no entry.
func overhead(s *Snapshot) int64 { return s.Memory.Used - s.Memory.Entries }

func allocated(s *Snapshot) int64 { return s.Memory.Used + s.Process.HeapLive }

func active(s *Snapshot) int64 { return s.Memory.Mapped + s.Process.HeapInUse }
