package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage"
)

// backupCommand is `usher backup`.
func backupCommand(std streams, sites order.Sites) *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Writes all of Usher's records in Redis to a new file, sealed with the key ring; Usher may run meanwhile",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, log, err := configured(std)
			if err != nil {
				return err
			}
			return backup(cmd.Context(), vault{s: s, sites: sites, log: log}, std, args[0])
		},
	}
}

// restoreCommand is `usher restore`.
func restoreCommand(std streams, sites order.Sites) *cobra.Command {
	var replace bool
	command := &cobra.Command{
		Use:   "restore FILE",
		Short: "Puts a backup into Redis, while no Usher runs",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, log, err := configured(std)
			if err != nil {
				return err
			}
			return restore(cmd.Context(), vault{s: s, sites: sites, log: log}, std, args[0], replace)
		},
	}
	command.Flags().BoolVar(&replace, "replace", false, "remove the records that are in Redis now")
	return command
}

// vault opens the records without a node: which network they are of is known already.
type vault struct {
	s     settings
	sites order.Sites
	log   *slog.Logger
}

func (v vault) keys() (*storage.Keyring, error) {
	keys, err := storage.LoadKeyring(v.s.keysFile)
	if err != nil {
		return nil, fmt.Errorf("reading the key ring: %w", err)
	}
	return keys, nil
}

func (v vault) open(ctx context.Context, keys *storage.Keyring, network string) (*storage.DB, error) {
	storage.SendDriverLog(v.log)
	db, err := storage.Open(ctx, storage.Config{
		URL: v.s.redisURL, Keys: keys, Network: network, Sites: v.sites, Log: v.log, Clock: v.s.clock, Restoring: network != "",
	})
	switch {
	case errors.Is(err, storage.ErrNoNetwork):
		return nil, errors.New("this Redis holds nothing of Usher's: set USHER_REDIS_URL to the one that does")
	case errors.Is(err, storage.ErrRestoring):
		return nil, fmt.Errorf("%w: restore again first", err)
	case err != nil:
		return nil, fmt.Errorf("no answer from Redis: start it, or set USHER_REDIS_URL: %w", err)
	}
	return db, nil
}

// backup writes a new file, which gets its name only once it was read again and found whole.
func backup(ctx context.Context, v vault, std streams, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: name a new file", path)
	}
	keys, err := v.keys()
	if err != nil {
		return err
	}
	db, err := v.open(ctx, keys, "")
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // it was only read
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return fmt.Errorf("making the backup file: %w", err)
	}
	defer os.Remove(part.Name()) //nolint:errcheck // it has the other name where all went well
	made, err := db.Backup(ctx, part)
	if err := errors.Join(err, part.Sync(), part.Close()); err != nil {
		return err
	}
	size, err := checked(part.Name(), keys)
	if err != nil {
		return fmt.Errorf("reading the backup again: %w", err)
	}
	if err := os.Rename(part.Name(), path); err != nil {
		return fmt.Errorf("naming the backup file: %w", err)
	}
	_, err = fmt.Fprintf(std.out, "%s made and read again: %s of %s, %d kB.\nOnly this key ring opens it: keep a copy of the key ring too, in another place.\n",
		path, counted(made.Keys, "key"), made.Network, (size+1023)/1024)
	return err
}

// checked reads a whole backup and gives its size in bytes.
func checked(path string, keys *storage.Keyring) (int64, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator names it
	if err != nil {
		return 0, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	if _, err := storage.CheckBackup(file, keys); err != nil {
		return 0, err
	}
	return file.Seek(0, io.SeekCurrent)
}

// restore puts a backup into Redis and has everything doubted that could be older than what happened since.
func restore(ctx context.Context, v vault, std streams, path string, replace bool) error {
	keys, err := v.keys()
	if err != nil {
		return err
	}
	file, err := os.Open(path) // #nosec G304 -- the operator names it
	if err != nil {
		return fmt.Errorf("opening the backup: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	about, err := storage.CheckBackup(file, keys)
	if err != nil {
		return fmt.Errorf("%s, nothing was changed: %w", path, unfit(err))
	}
	db, err := v.open(ctx, keys, about.Network)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // all was written
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	if _, err := db.Restore(ctx, file, replace); err != nil {
		return unfit(err)
	}
	if err := errors.Join(db.Owned("courier").Doubt(ctx), db.NoteOlder(ctx, storage.OlderRestored)); err != nil {
		return err
	}
	if err := db.Restored(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.out, "Redis holds what it held at %s UTC: %s of %s.\nUsher may start. It has every secret chat made anew, and holds every order against the chain.\nWhat was ordered after that time is not known to it.\n",
		about.Made.UTC().Format("2006-01-02 15:04:05"), counted(about.Keys, "key"), about.Network)
	return err
}

// unfit says what to do about a backup that cannot be put back.
func unfit(err error) error {
	switch {
	case errors.Is(err, storage.ErrSealed):
		return fmt.Errorf("%w: set USHER_KEYS_FILE to the key ring that it was made with", err)
	case errors.Is(err, storage.ErrRunning):
		return fmt.Errorf("%w: stop every Usher, wait some seconds, and restore again", err)
	case errors.Is(err, storage.ErrNotEmpty):
		return fmt.Errorf("%w: back them up, and give --replace to have them removed", err)
	}
	return err
}
