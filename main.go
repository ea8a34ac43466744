// Usher buys event tickets from Ticketbooth contracts on the Cirrus chain for its customers on Telegram.
//
// This package reads the command line and the configuration and wires the other packages together; it is the only one
// that knows them all.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/usherbot/usher/flows/order"
	"github.com/usherbot/usher/storage"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}, order.Straight{})
	stop()
	os.Exit(code)
}

// streams are what a command reads and writes. Logs go to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// errSaid ends a command with exit code 1 when everything was said already.
var errSaid = errors.New("")

// run is the whole program: it gives the exit code. sites lets tests kill it at chosen moments.
func run(ctx context.Context, args []string, io streams, sites order.Sites) int {
	root := commands(io, sites)
	root.SetArgs(args)
	root.SetIn(io.in)
	root.SetOut(io.out)
	root.SetErr(io.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSaid) {
		fmt.Fprintln(io.err, "usher:", err) //nolint:errcheck // nowhere is left to say it
	}
	return 1
}

func commands(io streams, sites order.Sites) *cobra.Command {
	root := &cobra.Command{
		Use:   "usher",
		Short: "Buys event tickets on the Cirrus chain for customers on Telegram",
		Long: "Without a subcommand Usher runs, configured by environment variables: see usher help config.\n" +
			"To look at it first, with nothing configured: usher demo.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return runUsher(cmd.Context(), io, sites) },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		demoCommand(io), sandboxCommand(io), telegramCommand(io), courierCommand(io), keysCommand(io), versionCommand(io),
		backupCommand(io, sites), restoreCommand(io, sites),
		auditCommand(io), winddownCommand(io), exportCommand(io),
		&cobra.Command{
			Use:   "config",
			Short: "Lists the settings (topic: usher help config)",
			Args:  cobra.NoArgs,
			RunE:  func(*cobra.Command, []string) error { return printConfig(io.out) },
		},
	)
	root.SetHelpCommand(helpCommand(root, io))
	return root
}

// helpCommand is cobra's, with the topic config.
func helpCommand(root *cobra.Command, io streams) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command | config]",
		Short: "Help about a command, or the settings",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "config" {
				return printConfig(io.out)
			}
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return fmt.Errorf("there is no help on %q: try usher help", args)
			}
			return about.Help()
		},
	}
}

func keysCommand(io streams) *cobra.Command {
	keys := &cobra.Command{Use: "keys", Short: "The key ring that seals what must not lie open in Redis", Args: cobra.NoArgs, RunE: helps}
	keys.AddCommand(&cobra.Command{
		Use:   "new FILE",
		Short: "Makes a new key ring, readable by you only",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := storage.CreateKeyring(args[0]); err != nil {
				return fmt.Errorf("making a key ring: %w", err)
			}
			_, err := fmt.Fprintf(io.out, "%s made. Keep a copy of it apart from Redis: without it nothing sealed can be opened.\n", args[0])
			return err
		},
	})
	return keys
}

func versionCommand(io streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Prints the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(io.out, "usher", version())
			return err
		},
	}
}

// version is the module's version, or the commit that it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && (info.Main.Version == "" || info.Main.Version == "(devel)") {
			return setting.Value
		}
	}
	return info.Main.Version
}
