package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/usherbot/usher/bot/simulator/local"
	"github.com/usherbot/usher/chain/cirrus"
	"github.com/usherbot/usher/chain/sandbox"
	"github.com/usherbot/usher/chain/sandbox/replay"
)

// sandboxCommand is `usher sandbox`, a local Ticketbooth node as a process of its own.
func sandboxCommand(io streams) *cobra.Command {
	var generation, node, network, block, listen string
	var empty bool
	command := &cobra.Command{
		Use:   "sandbox",
		Short: "Serves a local Ticketbooth node with a chain behind it",
		Long: "Serves a local Ticketbooth node with a chain behind it. It prints what Usher needs as lines USHER_NAME=value,\n" +
			"then ready. The node API and the control API (/sandbox/) share a port; Ticketbooth has one of its own.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := sandboxOptions(generation, node, network, block)
			if err != nil {
				return err
			}
			options.Listen, options.Seed = listen, !empty
			return sandbox.Run(cmd.Context(), options, io.out)
		},
	}
	flags := command.Flags()
	flags.StringVar(&generation, "generation", "ciphered", "of Ticketbooth: ciphered or hashed")
	flags.StringVar(&node, "node", "today", "of the node: 2020 or today")
	flags.StringVar(&network, "network", "test", "test or main")
	flags.StringVar(&block, "block", "16s", "time between blocks, or manual")
	flags.StringVar(&listen, "listen", "127.0.0.1:0", "address of the node API and the control API")
	flags.BoolVar(&empty, "empty", false, "begin without venues")
	command.AddCommand(replayCommand(io))
	return command
}

func sandboxOptions(generation, node, network, block string) (sandbox.Options, error) {
	options := sandbox.Options{Generation: sandbox.Generation(generation), Node: sandbox.NodeAge(node)}
	switch network {
	case "test":
		options.Network = cirrus.TestNet
	case "main":
		options.Network = cirrus.MainNet
	default:
		return options, fmt.Errorf("--network is %q: must be test or main", network)
	}
	if block != "manual" {
		every, err := time.ParseDuration(block)
		if err != nil || every <= 0 {
			return options, fmt.Errorf("--block is %q: must be manual or a duration such as 16s", block)
		}
		options.Block = every
	}
	return options, nil
}

// replayCommand is `usher sandbox replay FILE…`.
func replayCommand(io streams) *cobra.Command {
	return &cobra.Command{
		Use:   "replay FILE...",
		Short: "Replays recorded contract calls, tickets and bytes, and says what does not agree",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			good := true
			for _, name := range files {
				agrees, err := replayFile(io, name)
				if err != nil {
					return err
				}
				good = good && agrees
			}
			if !good {
				return errSaid
			}
			return nil
		},
	}
}

func replayFile(io streams, name string) (agrees bool, err error) {
	file, err := os.Open(name) // #nosec G304 -- the user names the file
	if err != nil {
		return false, fmt.Errorf("replaying %s: it cannot be read", name)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	summary, err := replay.Replay(io.out, name, file)
	return summary.Disagreed == 0, err
}

// telegramCommand is `usher telegram`, a local Telegram as a process of its own.
func telegramCommand(io streams) *cobra.Command {
	var listen string
	var options local.Options
	command := &cobra.Command{
		Use:   "telegram",
		Short: "Serves a local Telegram: Bot API, control API and MTProto",
		Long: "Serves a local Telegram: the Bot API and the control API (/telegram/) on one port, MTProto on another.\n" +
			"It prints what Usher needs as lines USHER_NAME=value, then ready.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return local.Run(cmd.Context(), options, listen, io.out) },
	}
	command.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address of the Bot API and the control API")
	command.Flags().BoolVar(&options.NoLimits, "no-limits", false, "leave out flood control")
	command.Flags().IntVar(&options.DailyChats, "daily-chats", 30, "secret chats that an account may ask for in a day")
	command.Flags().IntVar(&options.Couriers, "couriers", 1, "accounts that can be logged in to; GET /telegram/couriers lists them")
	command.Flags().StringVar(&options.CourierPasswordFile, "courier-password-file", "", "file with the two-step password of the couriers' accounts")
	return command
}
