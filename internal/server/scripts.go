package server

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/engine/errs"
	"coatcheck/internal/acl"
	"coatcheck/internal/command"
	"coatcheck/internal/script"
	"coatcheck/resp"
)

// Scripts run on a goroutine of their own, one at a time, in place of the transport's that
// asked: it waits, and the lock is the script's. So one that takes long can be left
// behind: after busy-reply-threshold its unit is suspended, the transport goes on with its
// batch, and everybody is told BUSY; from then on the script takes the lock only for the
// commands that it calls. What wants the keyspace (timers, cron, other packages) waits.

// scripts is the server's scripts and the one that runs. It is guarded by the engine's
// lock, but for what is atomic.
type scripts struct {
	srv      *Server
	machine  *script.Machine // nil until the first one
	byName   map[string]*keptScript
	fromEval []string // names of those that EVAL brought, oldest first
	bytes    int64    // of all sources

	jobs chan *scriptJob // nil until the first one
	job  *scriptJob      // that runs; nil: none
	// busy is the job while its unit is suspended.
	busy *scriptJob
	// stopping: the server ends, and no script holds it up.
	stopping atomic.Bool
	// later are clients that go on when no script is suspended any more.
	later []*Client
	wg    sync.WaitGroup
}

// keptScript stays until SCRIPT FLUSH when SCRIPT LOAD has asked for it.
type keptScript struct {
	*script.Script
	stays bool
}

// scriptJob is a command that runs scripts: EVAL, or an EXEC with some.
type scriptJob struct {
	client *Client // who asked
	run    func(out *resp.Reply) error
	out    resp.Reply
	err    error
	done   chan struct{}
	left   chan struct{} // closed when it is left behind

	patience time.Duration // how long others wait for the script that runs; 0 is as long as it takes
	readOnly bool
	allowOOM bool
	oom      bool // there was no room when it began
	wrote    atomic.Bool
	stop     atomic.Pointer[errs.Error] // why it is to end
	caller   *Client                    // as whom commands run

	// While it was left behind:
	behind bool   // it has been, and holds the lock itself when it has it
	await  *await // what its client waits for
	within int    // Server.within of its unit
}

// maxEvalScripts is how many scripts are kept that only EVAL brought, as in Redis since 7.4.
const maxEvalScripts = 500

var (
	errBusyScript   = &errs.Error{Code: "BUSY", Text: "Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."}
	errNoScriptRuns = &errs.Error{Code: "NOTBUSY", Text: "No scripts in execution right now."}
	errUnkillable   = &errs.Error{Code: "UNKILLABLE", Text: "Sorry the script already executed write commands against the dataset. " +
		"You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command."}
	errKilledByUser = &errs.Error{Code: "ERR", Text: "Script killed by user with SCRIPT KILL."}
	errServerEnds   = &errs.Error{Code: "ERR", Text: "Script ended by the end of the server."}
	errNoScript     = &errs.Error{Code: "NOSCRIPT", Text: "No matching script. Please use EVAL."}
)

// onScriptGoroutine runs what runs scripts, and replies for it at once or, when that takes
// too long, later.
func (s *Server) onScriptGoroutine(c *Client, out *resp.Reply, run func(out *resp.Reply) error) error {
	x := &s.scripts
	if x.job != nil { // EVAL within EXEC
		return run(out)
	}
	j := &scriptJob{client: c, run: run, done: make(chan struct{}), left: make(chan struct{})}
	j.out.Proto = c.proto
	x.job = j
	x.start()
	x.jobs <- j
	select {
	case <-j.done:
	case <-j.left:
		j.await = c.await()
		return j.await
	}
	x.job = nil
	if j.err != nil {
		j.out.Reset()
		return j.err
	}
	out.AppendReply(&j.out)
	return nil
}

// start begins the goroutine.
func (x *scripts) start() {
	if x.jobs != nil {
		return
	}
	x.jobs = make(chan *scriptJob)
	x.wg.Go(func() {
		for j := range x.jobs {
			x.execute(j)
			if !j.behind {
				close(j.done)
				continue
			}
			x.finishBehind(j)
		}
	})
}

// finishBehind replies to who has waited. The job holds the lock.
func (x *scripts) finishBehind(j *scriptJob) {
	x.job = nil
	j.await.end(func(out *resp.Reply) error {
		if j.err != nil {
			return j.err
		}
		out.AppendReply(&j.out)
		return nil
	})
	for _, c := range x.later {
		if !c.gone {
			c.wake()
		}
	}
	x.later = nil
	x.srv.running = nil
	x.srv.held.Unlock()
	x.srv.flushLog()
}

func (x *scripts) execute(j *scriptJob) {
	defer func() {
		if p := recover(); p != nil {
			j.err = x.panicked(j, p)
		}
	}()
	j.err = j.run(&j.out)
}

// panicked makes an error of a panic outside of Lua.
func (x *scripts) panicked(j *scriptJob, p any) error {
	s := x.srv
	s.Stats.Panics++
	s.log.Error("a script failed inside", "client", j.client.addr, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return errInternal
}

// end ends the goroutine. Nobody asks for a script any more, and the lock is not held.
func (x *scripts) end() {
	h := x.srv.eng.Lock()
	jobs, machine := x.jobs, x.machine
	x.jobs, x.machine = nil, nil
	h.Unlock()
	if jobs != nil {
		close(jobs)
	}
	x.wg.Wait()
	if machine != nil {
		machine.Close()
	}
}

// Poll implements script.Host.
func (x *scripts) Poll() error {
	j := x.job
	if err := x.whyEnd(j); err != nil {
		return err
	}
	if x.busy == nil && j.patience > 0 && x.machine.Elapsed() > j.patience {
		x.leaveBehind(j)
	}
	return nil
}

// whyEnd says why the job's script is to end, nil when it may go on.
func (x *scripts) whyEnd(j *scriptJob) error {
	if x.stopping.Load() {
		return errServerEnds
	}
	if err := j.stop.Load(); err != nil {
		return err
	}
	return nil
}

// leaveBehind suspends the job's unit and lets the transport go on.
func (x *scripts) leaveBehind(j *scriptJob) {
	s := x.srv
	s.log.Warn("Slow script detected: still in execution. You can try killing the script using the SCRIPT KILL command.",
		"client", j.client.addr, "after", x.machine.Elapsed())
	x.busy = j
	s.held.Suspend()
	if j.behind { // it was before: nobody waits for the lock
		x.leave(j)
		return
	}
	j.within, s.within = s.within, 0
	j.behind = true
	close(j.left)
}

// enter takes the lock for the job, whose unit is suspended.
func (x *scripts) enter(j *scriptJob) {
	s := x.srv
	s.begin(s.eng.LockSuspended())
	s.running, s.within = j.client, j.within
}

// leave gives the lock back; the unit stays suspended.
func (x *scripts) leave(j *scriptJob) {
	s := x.srv
	j.within, s.within, s.running = s.within, 0, nil
	s.held.Unlock()
}

// comeBack takes the lock for the rest of the job's unit, if it was left behind.
func (x *scripts) comeBack(j *scriptJob) {
	if x.busy != nil {
		x.enter(j)
		x.busy = nil
		x.srv.held.Resume()
	}
}

// Call implements script.Host.
func (x *scripts) Call(argv [][]byte, out *resp.Reply) error {
	j := x.job
	if x.busy != nil {
		x.enter(j)
		defer x.leave(j)
		if err := x.whyEnd(j); err != nil { // before it writes
			return err
		}
	}
	return x.call(j, argv, out)
}

// call passes a script's command through the gates that scripts have (Redis' script.c,
// scriptCall), and runs it.
func (x *scripts) call(j *scriptJob, argv [][]byte, out *resp.Reply) error {
	s, c := x.srv, j.caller
	cmd, ok := s.table.find(argv)
	switch {
	case !ok:
		return &errs.Error{Code: "ERR", Text: "Unknown Redis command called from script"}
	case !cmd.AcceptsArity(len(argv)) || cmd.onData == nil && cmd.onConn == nil:
		return &errs.Error{Code: "ERR", Text: "Wrong number of args calling Redis command from script"}
	case cmd.Flags&command.NoScript != 0:
		return &errs.Error{Code: "ERR", Text: "This Redis command is not allowed from script"}
	}
	if d := s.checkCall(c, cmd, argv, acl.InScript); d != nil {
		return d.InScript()
	}
	if err := s.checkUnnamed(c, cmd, argv); err != nil {
		return err
	}
	if j.readOnly && cmd.Flags&(command.Write|command.MayReplicate) != 0 {
		return &errs.Error{Code: "ERR", Text: "Write commands are not allowed from read-only scripts."}
	}
	if cmd.Flags&command.Write != 0 {
		if err := s.cannotWrite(); err != nil {
			return err
		}
	}
	if j.oom && !j.allowOOM && !j.wrote.Load() && cmd.Flags&command.DenyOOM != 0 {
		return errs.OOM
	}
	if cmd.Flags&command.Write != 0 {
		j.wrote.Store(true)
	}
	c.argv = argv
	c.proto = out.Proto
	_ = s.callWithin(c, cmd, argv, out) // replied
	if cmd.Flags&command.ReadOnly != 0 && j.client.tracking != nil {
		s.tracking.remember(j.client, cmd, argv)
	}
	if c.closing {
		j.client.kill()
	}
	if out.Len() > maxWithin {
		return errTooLong
	}
	return nil
}

// Allowed implements script.Host.
func (x *scripts) Allowed(argv [][]byte) (bool, error) {
	cmd, ok := x.srv.table.find(argv)
	if !ok {
		return false, &errs.Error{Code: "ERR", Text: "Invalid command passed to redis.acl_check_cmd()"}
	}
	u := x.job.caller.user
	return u.IsUnlimited() || u.Check(cmd.acl, argv) == nil, nil
}

// Log implements script.Host.
func (x *scripts) Log(level int, line string) {
	levels := [...]slog.Level{slog.LevelDebug, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn}
	x.srv.log.Log(context.Background(), levels[level], line, "from", "script")
}

// script finds a script by its name in any spelling, nil if there is none.
func (x *scripts) script(name []byte) *script.Script {
	var low [64]byte
	if kept := x.byName[string(lower(low[:0], name))]; kept != nil {
		return kept.Script
	}
	return nil
}

// load compiles a script and keeps it. Those that EVAL brings are dropped when there are too many.
func (x *scripts) load(source []byte, stays bool) (*script.Script, error) {
	if x.machine == nil {
		x.machine = script.New(x, RedisVersion)
		x.byName = map[string]*keptScript{}
	}
	name := script.Name(source)
	kept := x.byName[name]
	if kept == nil {
		made, err := x.machine.Load(name, string(source))
		if err != nil {
			return nil, err
		}
		kept = &keptScript{Script: made}
		x.byName[name] = kept
		x.bytes += int64(len(source))
		if !stays {
			x.fromEval = append(x.fromEval, name)
			x.dropOldest()
		}
	}
	kept.stays = kept.stays || stays
	return kept.Script, nil
}

// dropOldest forgets scripts of EVAL that are too many.
func (x *scripts) dropOldest() {
	for len(x.fromEval) > maxEvalScripts {
		name := x.fromEval[0]
		x.fromEval = slices.Delete(x.fromEval, 0, 1)
		if kept := x.byName[name]; !kept.stays {
			x.bytes -= int64(len(kept.Source))
			delete(x.byName, name)
		}
	}
}

// flush forgets all scripts. Their machine goes with them, unless it runs.
func (x *scripts) flush() {
	if x.machine != nil && x.job == nil {
		x.machine.Close()
		x.machine = nil
	}
	x.byName, x.fromEval, x.bytes = map[string]*keptScript{}, nil, 0
}

// eval runs a script as one unit.
func (x *scripts) eval(c *Client, sc *script.Script, keys, args [][]byte, readOnly bool, out *resp.Reply) error {
	s, j := x.srv, x.job
	oom := s.outOfMemory()
	if err := x.mayRun(sc, readOnly, oom); err != nil {
		return err
	}
	j.readOnly = readOnly || sc.Flags&script.NoWrites != 0
	j.patience = time.Duration(s.cfg.BusyReplyThreshold) * time.Millisecond
	j.oom, j.allowOOM = oom, sc.Flags&script.AllowOOM != 0
	j.stop.Store(nil)
	j.caller = &Client{srv: s, id: c.id, addr: "lua", fd: -1, user: c.user, db: c.db, authenticated: true, created: s.now, active: s.now}
	tx := s.held.BeginAt(c.db, c.now())
	s.within++
	defer func() {
		x.comeBack(j)
		s.within--
		tx.End()
		s.repl.endUnit()
	}()
	return x.machine.Run(sc, keys, args, out)
}

// mayRun says why a script that tells what it does may not run.
func (x *scripts) mayRun(sc *script.Script, readOnly, oom bool) error {
	if sc.Flags&script.Compatible != 0 {
		return nil
	}
	writes := sc.Flags&script.NoWrites == 0
	if readOnly && writes {
		return &errs.Error{Code: "ERR", Text: "Can not execute a script with write flag using *_ro command."}
	}
	if writes {
		if err := x.srv.cannotWrite(); err != nil {
			return err
		}
	}
	if oom && writes && sc.Flags&script.AllowOOM == 0 {
		return &errs.Error{Code: "OOM", Text: "allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'"}
	}
	return nil
}

// kill is SCRIPT KILL.
func (x *scripts) kill() error {
	switch j := x.busy; {
	case j == nil:
		return errNoScriptRuns
	case j.wrote.Load():
		return errUnkillable
	default:
		j.stop.Store(errKilledByUser)
		return nil
	}
}
