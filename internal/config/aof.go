package config

// AOF is the parameters about the append-only log.
type AOF struct {
	On                bool   // appendonly
	Sync              string // appendfsync: always, everysec, no
	DirName, FileName string
	LoadTruncated     bool
	Timestamps        bool
	// NoSyncOnRewrite leaves syncing to the system while a file is saved.
	NoSyncOnRewrite bool
	// A rewrite begins by itself when the log has grown by so many percent, 0 for
	// never, and to that many bytes.
	RewritePercentage, RewriteMinSize int64
}
