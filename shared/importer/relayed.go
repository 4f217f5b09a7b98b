package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/directory"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/ports/objects"
	"rollcall/shared/ports/queue"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

const (
	// connectorPatience is how long a read waits for a connector that is not there.
	connectorPatience = 15 * time.Minute
	// maxOrders is how many reads a connector is asked for at once.
	maxOrders = 64
)

// CodeConnectorOffline is that of a run's failure where no instance of its connector was there.
const CodeConnectorOffline = "connector_offline"

// errParked means that the run waits for a connector's read: it is sent again once that is there.
var errParked = errors.New("the run waits for a connector")

// wait is what a parked run waits for.
type wait struct {
	order string
	// until is when the wait is over, unless the connector is heard of.
	until time.Time
	// phase is run.PhaseConnector until an instance has the order.
	phase run.Phase
}

// reader is who reads the directory for the run: this process, or a connector.
func (j *job) reader() Directory {
	if id := j.run.Import.Connection.ConnectorID; id != "" {
		return relayed{j, id}
	}
	return j.Directory
}

// relayed has a connector read, and plays back what it recorded: a run asks the same question again once its answer is
// there.
type relayed struct {
	*job
	connectorID string
}

func (r relayed) Read(ctx context.Context, c settings.Connection, q directory.Query, onStep func(run.Step),
	onEntry func(*directory.Entry) error) (directory.Info, error) {
	player, err := r.player(ctx, connector.ReadOf(r.run.Import, q))
	if err != nil {
		return directory.Info{}, err
	}
	return player.Read(ctx, c, q, onStep, onEntry)
}

func (r relayed) Find(ctx context.Context, c settings.Connection, q directory.Question, onStep func(run.Step),
) (directory.Answer, error) {
	player, err := r.player(ctx, connector.FindOf(r.run.Import, q))
	if err != nil {
		return directory.Answer{}, err
	}
	return player.Find(ctx, c, q, onStep)
}

// player returns the recording of a request, or asks for it and returns errParked.
func (r relayed) player(ctx context.Context, request connector.Request) (*recording.Player, error) {
	files, id := r.Objects.For(r.account), r.run.ID+"-"+request.Key()[:16]
	c, err := r.Connectors.For(r.account).Get(ctx, r.connectorID)
	if errors.Is(err, connectors.ErrNotFound) {
		return nil, connectorRevoked()
	}
	if err != nil {
		return nil, err
	}
	i := orderIndex(&c, id)
	if i < 0 {
		return nil, r.ask(ctx, &c, id, request)
	}
	found := c.Orders[i]
	if found.Recording == nil {
		return nil, r.await(&c, &found)
	}
	return &recording.Player{
		Reader: r.Bounds, Sealed: *found.Recording,
		Order: connector.Order{ID: id, Attempt: found.Attempt, Request: request},
		Block: func(ctx context.Context, n int) ([]byte, error) { return readBlock(ctx, files, found, n) },
	}, nil
}

func orderIndex(c *connectors.Connector, id string) int {
	return slices.IndexFunc(c.Orders, func(o connectors.Order) bool { return o.ID == id })
}

// ask asks a connector for a read, and returns errParked. A look does not wait for one that is not there: the next look
// comes soon.
func (r relayed) ask(ctx context.Context, c *connectors.Connector, id string, request connector.Request) error {
	target, now := connector.TargetOf(request.Connection), r.now()
	if takers, _ := takersOf(c, target, now); r.looking && !anyOnline(takers, now) {
		return r.offline(c, target, "")
	}
	err := putRequest(ctx, r.Objects.For(r.account), id, request)
	if err == nil {
		_, err = r.Connectors.For(r.account).Update(ctx, r.connectorID,
			func(c *connectors.Connector) ([]runs.AuditEntry, error) { return nil, r.order(c, id, request) })
	}
	switch {
	case errors.Is(err, connectors.ErrNotFound):
		return connectorRevoked()
	case err != nil:
		return fmt.Errorf("ask connector %s for a read: %w", r.connectorID, err)
	}
	return r.waitFor(id, now, run.PhaseConnector)
}

// waitFor returns errParked for an order of which somebody heard last at a time.
func (r relayed) waitFor(order string, heard time.Time, phase run.Phase) error {
	r.waits = wait{order, heard.Add(connectorPatience), phase}
	return errParked
}

// order adds an order. One that an earlier look asked for in vain is given up.
func (r relayed) order(c *connectors.Connector, id string, request connector.Request) error {
	m := message(r.account, &r.run)
	if r.looking {
		m.Task = queue.TaskLook
	}
	c.Orders = slices.DeleteFunc(c.Orders, func(o connectors.Order) bool {
		return o.ID == id || r.looking && o.Message.Task == queue.TaskLook || r.now().Sub(o.CreatedAt) > PlanLifetime
	})
	if len(c.Orders) >= maxOrders {
		return &run.Failure{Code: "connector_busy", Message: fmt.Sprintf(
			"The connector %s has %d reads to do. Try again when some have ended.", c.Name, len(c.Orders))}
	}
	c.Orders = append(c.Orders, connectors.Order{
		ID: id, Target: connector.TargetOf(request.Connection), Message: m, CreatedAt: r.now(),
		Wanted: r.run.Trigger == "" || r.run.Trigger == run.TriggerManual,
	})
	return nil
}

// await returns errParked, or why to wait for the order is no use any more.
func (r relayed) await(c *connectors.Connector, o *connectors.Order) error {
	now, heard, phase := r.now(), o.CreatedAt, run.PhaseConnector
	if o.Attempt > 0 {
		// The connector was heard of last when it took or renewed its lease.
		heard, phase = o.LeaseUntil.Add(-connector.LeaseTime), run.PhaseConnecting
	}
	switch {
	case now.Before(o.LeaseUntil):
	case spent(o, now):
		return &run.Failure{Code: "connector_lost", Message: fmt.Sprintf("The connector %s took the read up %d times "+
			"and did not finish it. Look at its log on site.", c.Name, o.Attempt)}
	case now.Sub(heard) >= connectorPatience:
		return r.offline(c, o.Target, fmt.Sprintf("No instance of it took the read up within %d minutes. ",
			int(connectorPatience.Minutes())))
	}
	return r.waitFor(o.ID, heard, phase)
}

// offline is the failure of a read that no instance of the connector did. what comes before why.
func (r relayed) offline(c *connectors.Connector, t connectors.Target, what string) error {
	takers, hold := takersOf(c, t, r.now())
	var last connectors.Instance
	for _, i := range takers {
		if i.LastSeenAt.After(last.LastSeenAt) {
			last = i
		}
	}
	who := "It"
	if hold {
		who = fmt.Sprintf("Its instance %s, which holds the password,", last.Name)
	}
	seen := fmt.Sprintf("%s was seen last at %s: look on site whether it runs (rollcall-connector status)", who,
		last.LastSeenAt.Format(time.RFC3339))
	is, why := "offline", ""
	switch {
	case len(takers) == 0:
		why = "None is enrolled: install the connector on site, and enrol it."
	case last.LastSeenAt.IsZero():
		why = "It was enrolled, and never asked for work: start it (rollcall-connector run)."
	case anyOnline(takers, r.now()):
		is = "there"
		why = "It has other reads to do: look at rollcall-connector status on site, or have another instance enrol."
	case anyOnline(c.Instances, r.now()):
		is, why = "there, but not with the password", seen+", or enter the password at another instance."
	default:
		why = seen + "."
	}
	return &run.Failure{Code: CodeConnectorOffline,
		Message: fmt.Sprintf("The connector %s is %s. %s%s", c.Name, is, what, why)}
}

func connectorRevoked() *run.Failure {
	return &run.Failure{Code: connector.CodeRevoked,
		Message: "The connector of these settings was revoked. Choose another one, or Directly."}
}

// dropOrders forgets what a connector read for the run, or is to read.
func (j *job) dropOrders(ctx context.Context) error {
	id := j.run.Import.Connection.ConnectorID
	if id == "" {
		return nil
	}
	return dropOrders(ctx, j.Connectors.For(j.account), id, j.run.ID)
}

func dropOrders(ctx context.Context, all connectors.Connectors, connectorID, runID string) error {
	_, err := all.Update(ctx, connectorID, func(c *connectors.Connector) ([]runs.AuditEntry, error) {
		before := len(c.Orders)
		c.Orders = slices.DeleteFunc(c.Orders, func(o connectors.Order) bool { return o.Message.RunID == runID })
		if len(c.Orders) == before {
			return nil, runs.ErrUnchanged
		}
		return nil, nil
	})
	if errors.Is(err, connectors.ErrNotFound) {
		return nil
	}
	return err
}

// park lets the run wait without a worker, which is no death. It reports false where somebody cancelled the run, and
// nobody would end it then.
func (j *job) park(ctx context.Context) (parked bool, err error) {
	r, err := j.update(ctx, func(r *run.Run) {
		if r.CancelRequested {
			return
		}
		r.Deaths--
		r.Parked, r.ParkedUntil = j.waits.order, j.waits.until
		r.Progress, r.Steps, r.Notes = run.Progress{Phase: j.waits.phase}, nil, nil
	})
	switch {
	case errors.Is(err, errEnded), errors.Is(err, errReplaced):
		// The connector was quicker than this worker, and another one has the run.
		return true, nil
	case err != nil:
		return false, fmt.Errorf("%w: park run %s: %w", errInterrupted, j.run.ID, err)
	case r.CancelRequested:
		return false, nil
	}
	j.log.InfoContext(ctx, "run waits for a connector", "connector", j.run.Import.Connection.ConnectorID)
	return true, nil
}

// RequestSuffix ends the keys of the objects that hold what connectors are asked, and BlockSuffix those of the blocks
// of their recordings: policies tell them apart.
const (
	RequestSuffix = ".request"
	BlockSuffix   = ".block"
)

// requestKey is the object that holds what an order asks for, and blockKey that of a block of its recording.
func requestKey(order string) string { return objects.RecordingPrefix + order + RequestSuffix }

func blockKey(order string, attempt, number int) string {
	return fmt.Sprintf("%s%s.%d.%d%s", objects.RecordingPrefix, order, attempt, number, BlockSuffix)
}

func putRequest(ctx context.Context, files objects.Objects, order string, request connector.Request) error {
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	return files.Put(ctx, requestKey(order), func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// readObject reads an object of at most so many bytes.
func readObject(ctx context.Context, files objects.Objects, key string, most int) ([]byte, error) {
	object, err := files.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	if object.Size() > int64(most) {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", key, object.Size(), most)
	}
	content := make([]byte, object.Size())
	if n, err := object.ReadAt(content, 0); n < len(content) {
		return nil, err
	}
	return content, nil
}

func readBlock(ctx context.Context, files objects.Objects, o connectors.Order, number int) ([]byte, error) {
	block, err := readObject(ctx, files, blockKey(o.ID, o.Attempt, number), recording.MaxBlock)
	if errors.Is(err, objects.ErrNotFound) {
		return nil, recording.ErrMissing
	}
	return block, err
}
