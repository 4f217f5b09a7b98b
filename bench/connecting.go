package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/connector/connectortest"
	"rollcall/shared/directory"
	runs "rollcall/shared/run"
	"rollcall/shared/settings"
)

// The line to the cloud has this delay there and back, and a connector's goals are these.
const (
	lineDelay    = 80 * time.Millisecond
	bytesAnEntry = 30
	connectorMB  = 64
	connectorMax = 1.2
)

// readAttributes are what both sides read. The ids, which no compressor makes shorter, are what an import reads too.
var readAttributes = []string{"mail", "proxyAddresses", "entryUUID"}

// connecting is a read through the connector's program, over a line with a delay, from its first search to the last
// block that was taken, beside the search of the reader alone.
func (b *bench) connecting(ctx context.Context, n int) error {
	return b.withDirectory(ctx, n, startTLS, func(d *slapd) error {
		return inFolder(func(dir string) error {
			line, err := b.newLine(ctx, dir, d)
			if err != nil {
				return err
			}
			defer line.close()
			r := row{work: fmt.Sprintf("read %s entries through a connector, STARTTLS, %d ms to the cloud",
				thousands(n), lineDelay.Milliseconds()), peer: "our reader alone, from its first search to its end"}
			var after []float64
			read := func(ctx context.Context) (sample, error) {
				s, err := line.read(ctx, readAttributes...)
				after = append(after, float64(line.after.Milliseconds()))
				return s, err
			}
			if err := b.alternate(ctx, &r, rounds, read, b.searchAlone(d)); err != nil {
				return err
			}
			r.ratio("wall", wall, connectorMax)
			// The first run does not count.
			r.goals = append(r.goals, goal{what: "after the last entry", unit: " ms", got: quantile(after[1:], 0.5),
				shown: true})
			r.memory(connectorMB)
			r.goals = append(r.goals, goal{what: "bytes an entry", got: float64(line.bytes) / float64(n), shown: true})
			if _, err := line.read(ctx, "mail", "entryUUID"); err != nil {
				return err
			}
			r.goals = append(r.goals, goal{what: "bytes an entry with mail and id alone",
				got: float64(line.bytes) / float64(n), most: bytesAnEntry})
			b.add(r)
			return nil
		})
	})
}

// searchAlone measures the reader as reader does, but only its search: from the request to the last answer.
func (b *bench) searchAlone(d *slapd) work {
	return func(ctx context.Context) (sample, error) {
		var out strings.Builder
		s, err := b.readerTo(&out, d, readAttributes...)(ctx)
		if err != nil {
			return s, err
		}
		_, took, _ := strings.Cut(strings.TrimSpace(out.String()), "searched in ")
		if s.wall, err = time.ParseDuration(took); err != nil {
			return s, fmt.Errorf("read how long the reader searched from %q: %w", out.String(), err)
		}
		return s, nil
	}
}

// line is a connector that is enrolled with a cloud behind a delay.
type line struct {
	binary, state string
	directory     *slapd
	cloud         *connectortest.Cloud
	portal        *httptest.Server
	relay         net.Listener
	// bytes is the size of the blocks of the last read, and after the time from its last entry to its last block.
	bytes int64
	after time.Duration
}

func (b *bench) newLine(ctx context.Context, dir string, d *slapd) (*line, error) {
	l := &line{binary: filepath.Join(dir, "connector"), state: filepath.Join(dir, "state"), directory: d,
		cloud: connectortest.New()}
	//nolint:gosec // the names above
	build := exec.CommandContext(ctx, "go", "build", "-o", l.binary, "rollcall/connector")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the connector: %w: %s", err, out)
	}
	l.portal = httptest.NewTLSServer(l.cloud)
	var err error
	if l.relay, err = delayed(ctx, l.portal.Listener.Addr().String(), lineDelay/2); err != nil {
		return nil, err
	}
	url, ca := "https://"+l.relay.Addr().String(), filepath.Join(dir, "cloud.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.portal.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		return nil, err
	}
	if err := l.command(ctx, "", "enrol", "-url", url, "-code", connectortest.Code, "-ca", ca); err != nil {
		return nil, err
	}
	return l, l.command(ctx, d.Password, "password", "-host", d.Host, "-port", fmt.Sprint(d.Port), "-username",
		d.Username, "-ca", d.ca)
}

func (l *line) close() {
	l.relay.Close()
	l.portal.Close()
}

// program returns one command of the connector.
func (l *line) program(ctx context.Context, args ...string) *exec.Cmd {
	//nolint:gosec // the program that was built
	return exec.CommandContext(ctx, l.binary, append([]string{args[0], "-state", l.state}, args[1:]...)...)
}

func (l *line) command(ctx context.Context, input string, args ...string) error {
	c := l.program(ctx, args...)
	c.Stdin = strings.NewReader(input)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("connector %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

// read has one order done by a fresh process.
func (l *line) read(ctx context.Context, attributes ...string) (s sample, err error) {
	c := l.program(ctx, "run")
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		return s, fmt.Errorf("start the connector: %w", err)
	}
	defer func() {
		err = errors.Join(err, c.Process.Signal(syscall.SIGTERM), c.Wait())
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, log.String())
		}
	}()
	w := l.cloud.Order(connector.Request{
		Connection: settings.Connection{ServerType: settings.Exchange, Host: l.directory.Host, Port: l.directory.Port,
			Username: l.directory.Username},
		Query: &directory.Query{SearchBase: l.directory.BaseDN, Filter: filter, Attributes: attributes},
	})
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	player, err := l.cloud.Wait(ctx, w, directory.New(directory.Config{}))
	if err != nil {
		return s, err
	}
	entries := 0
	var reached, searched time.Duration
	onStep := func(step runs.Step) {
		took := time.Duration(step.MS) * time.Millisecond
		if step.Step == directory.StepSearch {
			searched = took
		} else {
			reached += took
		}
	}
	count := func(*directory.Entry) error {
		entries++
		return nil
	}
	_, err = player.Read(ctx, settings.Connection{}, directory.Query{}, onStep, count)
	// The two units above the people have no address.
	if err != nil || entries < l.directory.entries {
		return s, errors.Join(err, fmt.Errorf("%d entries came through, want %d", entries, l.directory.entries))
	}
	given, taken := l.cloud.Times(w)
	// The search begins when the order has come down the line and the steps before it are done. What the connector does
	// besides those counts as the search's.
	s.wall, l.bytes = taken.Sub(given)-lineDelay/2-reached, player.Sealed.Bytes
	l.after = s.wall - searched
	if s.cpu, err = cpuOf(c.Process.Pid); err != nil {
		return s, err
	}
	if s.peak, err = peakOf(c.Process.Pid); err != nil {
		return s, err
	}
	return s, nil
}

// delayed listens and passes connections on, each way so much later. The kernel takes a connection at once, so what it
// sends first waits for the way there and back that TCP would have needed.
func delayed(ctx context.Context, to string, by time.Duration) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := new(net.Dialer).DialContext(ctx, "tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			go func() {
				time.Sleep(2 * by)
				later(in, out, by)
			}()
			go later(out, in, by)
		}
	}()
	return listener, nil
}

// piece is what came, and when it goes on.
type piece struct {
	bytes []byte
	due   time.Time
}

// later passes on what comes, so much later, as fast as it came.
func later(from, to net.Conn, by time.Duration) {
	pieces := make(chan piece, 1024)
	go func() {
		defer to.Close()
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.bytes); err != nil {
				from.Close()
			}
		}
	}()
	defer close(pieces)
	for {
		buffer := make([]byte, 64<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			pieces <- piece{buffer[:n], time.Now().Add(by)}
		}
		if err != nil {
			return
		}
	}
}
