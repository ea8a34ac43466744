package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// files is what a sandbox writes for those who use it.
type files struct {
	dir, cert, passwords string
	temporary            bool
}

func (s *Sandbox) writeFiles() (files, error) {
	written := files{dir: s.options.Dir}
	if written.dir == "" {
		dir, err := os.MkdirTemp("", "usher-sandbox-")
		if err != nil {
			return files{}, fmt.Errorf("making a folder: %w", err)
		}
		written.dir, written.temporary = dir, true
	}
	written.cert = filepath.Join(written.dir, "ticketbooth.pem")
	written.passwords = filepath.Join(written.dir, "wallet-passwords")
	var lines strings.Builder
	for _, name := range s.wallets.Names() {
		fmt.Fprintf(&lines, "%s:%s\n", name, s.Password(name))
	}
	for path, data := range map[string]string{written.cert: string(s.cert.pem), written.passwords: lines.String()} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			return written, fmt.Errorf("writing %s: %w", path, err)
		}
	}
	return written, nil
}

// shellAccount is Account as the printed lines have it: without the space, which the node takes too.
const shellAccount = "account0"

// Environment gives what Usher needs to use this sandbox, as lines USHER_NAME=value.
func (s *Sandbox) Environment() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	venues := make([]string, 0, len(s.venues))
	for _, venue := range s.venues {
		venues = append(venues, string(venue))
	}
	return []string{
		"USHER_NODE_URL=" + s.nodeURL,
		"USHER_TICKETBOOTH_URL=" + s.boothURL,
		"USHER_TICKETBOOTH_CERT=" + s.files.cert,
		"USHER_WALLETS=" + WalletOne + "/" + shellAccount + "," + WalletTwo + "/" + shellAccount,
		"USHER_WALLET_PASSWORD_FILE=" + s.files.passwords,
		"USHER_FLOAT_WALLET=" + WalletFloat + "/" + shellAccount,
		"USHER_GAS_LIMIT=" + decimal(s.GasLimit()),
		"USHER_GENERATION=" + string(s.options.Generation),
		"USHER_VENUES=" + strings.Join(venues, ","),
	}
}

// Run serves a sandbox until ctx ends. On stdout it prints what Usher needs as lines USHER_NAME=value, then "ready".
func Run(ctx context.Context, options Options, stdout io.Writer) (err error) {
	s, err := Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, line := range s.Environment() {
		if _, err := fmt.Fprintln(stdout, quoteLine(line)); err != nil {
			return fmt.Errorf("printing the environment: %w", err)
		}
	}
	if _, err := fmt.Fprintln(stdout, "ready"); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	<-ctx.Done()
	return nil
}

// quoteLine quotes the value of a line where a shell would not read it as it is.
func quoteLine(line string) string {
	name, value, _ := strings.Cut(line, "=")
	if !strings.ContainsAny(value, " \t\"'$`\\;&|<>()*?!#~") {
		return line
	}
	return name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
