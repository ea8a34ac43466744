package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/hibiken/asynq"

	"github.com/usherbot/usher/flows/order"
)

const (
	jobType = "order"
	// jobWorkers is how many orders one process runs at once.
	jobWorkers = 8
	// jobRetries is how often a failed run is tried again soon; after that the sweep finds the order when it is due.
	jobRetries = 3
	// jobLasts bounds one run; the calls in it have deadlines of their own, far shorter.
	jobLasts = 5 * time.Minute
	// jobLook is how often the queue and the delayed jobs are looked at.
	jobLook = 200 * time.Millisecond
	// jobNames is how many runs of one version can be under way at once before Wake gives up.
	jobNames = 16
	// shutdownLasts is how long Run waits for runs under way.
	shutdownLasts = 8 * time.Second
)

// Jobs runs orders soon, over asynq. Correctness never depends on it: what it loses, the sweep over Due finds.
type Jobs struct {
	db      *DB
	handler func(context.Context, order.ID) error
	client  *asynq.Client
	inspect *asynq.Inspector
}

var _ order.Jobs = (*Jobs)(nil)

// NewJobs gives jobs over db's connections. handler runs an order; its errors are logged, so they hold no secret.
func NewJobs(db *DB, handler func(context.Context, order.ID) error) *Jobs {
	return &Jobs{
		db: db, handler: handler,
		client: asynq.NewClientFromRedisClient(db.client), inspect: asynq.NewInspectorFromRedisClient(db.client),
	}
}

func (j *Jobs) queue() string { return "usher-" + j.db.cfg.Network }

// Wake implements order.Jobs. A job is named for the order and its version, one that is due later for its time too.
//
// A name that is taken means that nothing needs doing only as long as that job has not begun. One that is running may
// have read the order, or the chain, before whatever the caller saw happen: then a second job is named beside it.
func (j *Jobs) Wake(ctx context.Context, id order.ID, version uint64, at time.Time) error {
	delay := max(0, at.Sub(j.db.cfg.Clock()))
	name := string(id) + "." + strconv.FormatUint(version, 10)
	if delay > 0 {
		name += "." + strconv.FormatInt(at.UnixMilli(), 10)
	}
	for n := range jobNames {
		placed, err := j.place(ctx, id, name+"/"+strconv.Itoa(n), delay)
		if err != nil {
			return fmt.Errorf("wake order %s: %w", id, err)
		}
		if placed {
			return nil
		}
	}
	return fmt.Errorf("wake order %s: it is running %d times already: %w", id, jobNames, order.ErrBusy)
}

// place makes sure that a job of this name waits to be run. placed is false where one is running.
func (j *Jobs) place(ctx context.Context, id order.ID, name string, delay time.Duration) (placed bool, err error) {
	err = j.enqueue(ctx, id, name, delay)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err == nil, err
	}
	var state asynq.TaskState
	err = j.db.do(ctx, "redis.job.look", func(context.Context) error {
		info, err := j.inspect.GetTaskInfo(j.queue(), name)
		if err == nil {
			state = info.State
		}
		return err
	})
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound):
		return false, nil // it just ended; the next name is free
	case err != nil:
		return false, err
	case state == asynq.TaskStatePending, state == asynq.TaskStateScheduled && delay > 0:
		return true, nil
	case state == asynq.TaskStateScheduled, state == asynq.TaskStateRetry, state == asynq.TaskStateArchived:
		return j.hurry(ctx, name)
	}
	return false, nil
}

func (j *Jobs) enqueue(ctx context.Context, id order.ID, name string, delay time.Duration) error {
	opts := []asynq.Option{
		asynq.TaskID(name), asynq.Queue(j.queue()), asynq.MaxRetry(jobRetries), asynq.Timeout(jobLasts),
	}
	if delay > 0 {
		opts = append(opts, asynq.ProcessIn(delay))
	}
	return j.db.do(ctx, "redis.job.enqueue", func(ctx context.Context) error {
		_, err := j.client.EnqueueContext(ctx, asynq.NewTask(jobType, []byte(id)), opts...)
		return err
	})
}

// hurry runs a job now that failed before and waits for its next try. moved is false where somebody else moved it.
func (j *Jobs) hurry(ctx context.Context, name string) (moved bool, err error) {
	err = j.db.do(ctx, "redis.job.hurry", func(context.Context) error { return j.inspect.RunTask(j.queue(), name) })
	if err != nil {
		j.db.cfg.Log.DebugContext(ctx, "job not hurried", "job", name, "error", err)
		return false, nil
	}
	return true, nil
}

// Run runs jobs until ctx ends, then waits shortly for those under way.
func (j *Jobs) Run(ctx context.Context) error {
	// Runs under way are not cut off when ctx ends, but when Run gives up waiting for them.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	server := asynq.NewServerFromRedisClient(j.db.client, asynq.Config{
		Concurrency:              jobWorkers,
		Queues:                   map[string]int{j.queue(): 1},
		BaseContext:              func() context.Context { return work },
		TaskCheckInterval:        jobLook,
		DelayedTaskCheckInterval: jobLook,
		RetryDelayFunc:           retryDelay,
		ShutdownTimeout:          shutdownLasts,
		Logger:                   jobLog{j.db.cfg.Log},
		LogLevel:                 asynq.InfoLevel,
	})
	if err := server.Start(asynq.HandlerFunc(j.process)); err != nil {
		return fmt.Errorf("run jobs: %w", err)
	}
	<-ctx.Done()
	server.Shutdown()
	return ctx.Err()
}

// errRunFailed stands for the handler's error in Redis, which needs no words of it.
var errRunFailed = errors.New("failed, see the log")

func (j *Jobs) process(ctx context.Context, task *asynq.Task) error {
	id := order.ID(task.Payload())
	err := j.handler(ctx, id)
	if err == nil {
		return nil
	}
	tried, _ := asynq.GetRetryCount(ctx)
	j.db.cfg.Log.WarnContext(ctx, "order not run", "order", id, "tried", tried+1, "error", err)
	if tried >= jobRetries {
		// An archived job would keep its name from being used again; the sweep comes back to the order.
		return asynq.RevokeTask
	}
	return errRunFailed
}

// retryDelay is one second after the first failure, then twice as long each time.
func retryDelay(failed int, _ error, _ *asynq.Task) time.Duration {
	return time.Second << min(failed, jobRetries)
}

// jobLog passes asynq's own words on. None of them ends the process, and its routine is worth a debug line only.
type jobLog struct{ log *slog.Logger }

func (l jobLog) Debug(args ...any) { l.log.Debug("jobs", "asynq", fmt.Sprint(args...)) }
func (l jobLog) Info(args ...any)  { l.log.Debug("jobs", "asynq", fmt.Sprint(args...)) }
func (l jobLog) Warn(args ...any)  { l.log.Warn("jobs", "asynq", fmt.Sprint(args...)) }
func (l jobLog) Error(args ...any) { l.log.Error("jobs", "asynq", fmt.Sprint(args...)) }
func (l jobLog) Fatal(args ...any) { l.log.Error("jobs", "asynq", fmt.Sprint(args...)) }
