package storage

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// SendDriverLog sends what the Redis driver has to say of its connections to log instead of standard error. The driver
// has one log for the whole process, so main calls this once, and nobody else does.
func SendDriverLog(log *slog.Logger) { redis.SetLogger(driverLog{log}) }

type driverLog struct{ log *slog.Logger }

// Printf implements the driver's logging. Its words are for whoever looks into a broken connection: errors reach the
// callers by themselves.
func (d driverLog) Printf(ctx context.Context, format string, args ...any) {
	d.log.DebugContext(ctx, "redis driver", "says", fmt.Sprintf(format, args...))
}
