package storage

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrURL says that a Redis URL cannot be used. The error never shows the URL, which may hold a password.
var ErrURL = errors.New("not a Redis URL")

const (
	redisPort    = "6379"
	sentinelPort = "26379"
)

// parseURL understands redis://[user:password@]host[:port][/db], rediss:// (TLS) of the same form,
// redis+sentinel://[user:password@]host[:port],…/master[/db] and redis+cluster://[user:password@]host[:port],….
// The last two exist with rediss+ as well. User and password are those of the data nodes.
func parseURL(text string) (*redis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return nil, fmt.Errorf("%w: no scheme", ErrURL)
	}
	hosts, path, _ := strings.Cut(rest, "/")
	opts := &redis.UniversalOptions{}
	if at := strings.LastIndex(hosts, "@"); at >= 0 {
		if err := credentials(opts, hosts[:at]); err != nil {
			return nil, err
		}
		hosts = hosts[at+1:]
	}
	base, kind, _ := strings.Cut(scheme, "+")
	switch base {
	case "redis":
	case "rediss":
		opts.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	default:
		return nil, fmt.Errorf("%w: scheme is none of redis, rediss, redis+sentinel, redis+cluster", ErrURL)
	}
	return place(opts, kind, hosts, strings.Trim(path, "/"))
}

// credentials reads user:password, either of which may be escaped or left out.
func credentials(opts *redis.UniversalOptions, text string) error {
	user, password, _ := strings.Cut(text, ":")
	var errs [2]error
	opts.Username, errs[0] = url.PathUnescape(user)
	opts.Password, errs[1] = url.PathUnescape(password)
	if errs[0] != nil || errs[1] != nil {
		return fmt.Errorf("%w: user or password is badly escaped", ErrURL)
	}
	return nil
}

// place fills in where the servers are.
func place(opts *redis.UniversalOptions, kind, hosts, path string) (*redis.UniversalOptions, error) {
	port, db := redisPort, path
	switch kind {
	case "":
		if strings.Contains(hosts, ",") {
			return nil, fmt.Errorf("%w: several hosts need redis+sentinel or redis+cluster", ErrURL)
		}
	case "cluster":
		opts.IsClusterMode = true
		if path != "" {
			return nil, fmt.Errorf("%w: a cluster has no numbered databases", ErrURL)
		}
	case "sentinel":
		port = sentinelPort
		opts.MasterName, db, _ = strings.Cut(path, "/")
		if opts.MasterName == "" {
			return nil, fmt.Errorf("%w: redis+sentinel needs the master's name after the hosts", ErrURL)
		}
	default:
		return nil, fmt.Errorf("%w: scheme is none of redis, rediss, redis+sentinel, redis+cluster", ErrURL)
	}
	for host := range strings.SplitSeq(hosts, ",") {
		addr, err := hostPort(host, port)
		if err != nil {
			return nil, err
		}
		opts.Addrs = append(opts.Addrs, addr)
	}
	return opts, number(opts, db)
}

func number(opts *redis.UniversalOptions, db string) error {
	if db == "" {
		return nil
	}
	n, err := strconv.Atoi(db)
	if err != nil || n < 0 {
		return fmt.Errorf("%w: the database is not a number", ErrURL)
	}
	opts.DB = n
	return nil
}

func hostPort(host, port string) (string, error) {
	if host == "" || strings.ContainsAny(host, "?#@/ ") {
		return "", fmt.Errorf("%w: a host is missing or has strange characters", ErrURL)
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host, nil
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), port), nil
}
