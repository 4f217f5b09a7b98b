package e2e

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	numbers "encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/directory"
)

// instance is a connector's enrolled instance that a test speaks for: it signs with a key that the cloud knows, and
// says what it likes, as one does whose machine somebody took over.
type instance struct {
	*program
	key ed25519.PrivateKey
	// id is the connector's.
	id     string
	target connector.Target
}

// newInstance adds a connector to the program's account and enrols an instance of it.
func newInstance(p *program) *instance {
	p.t.Helper()
	added := p.must(http.StatusCreated, "POST", "/v1/connectors", object{"name": "HQ"})
	return enrol(p, added.text("enrolmentCode"), "srv",
		connector.Target{Host: "dc1.example.com", Port: 389, Username: "reader"})
}

// enrol makes an instance known by a code. It says that it holds the password of a target.
func enrol(p *program, code, name string, target connector.Target) *instance {
	p.t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	i, enrolled := &instance{program: p, key: key, target: target}, connector.Enrolled{}
	i.says(http.StatusCreated, connector.PathEnrol,
		connector.Enrol{Code: code, PublicKey: public, Name: name, Version: "1.0.0"}, &enrolled)
	i.id = enrolled.ConnectorID
	return i
}

// connection is one through the instance's connector.
func (i *instance) connection() object {
	return object{"serverType": "exchange", "host": i.target.Host, "port": i.target.Port, "username": i.target.Username,
		"connectorId": i.id}
}

// signed is a signed request.
func (i *instance) signed(path string, in any) *http.Request {
	i.t.Helper()
	r, err := connector.NewRequest(i.t.Context(), i.base+path, in, i.key, time.Now())
	if err != nil {
		i.t.Fatal(err)
	}
	return r
}

// send sends a request and returns the status. The answer goes into out, unless that is nil.
func (i *instance) send(r *http.Request, out any) int {
	i.t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		i.t.Fatal(err)
	}
	defer answer.Body.Close()
	if out != nil {
		if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
			i.t.Fatal(err)
		}
	}
	return answer.StatusCode
}

// says sends a signed request that has to be answered so.
func (i *instance) says(want int, path string, in, out any) {
	i.t.Helper()
	if status := i.send(i.signed(path, in), out); status != want {
		i.t.Errorf("%s %+v: status %d, want %d", path, in, status, want)
	}
}

// poll asks for work, after which the instance is online for 45 s.
func (i *instance) poll() connector.Polled {
	i.t.Helper()
	var polled connector.Polled
	i.says(http.StatusOK, connector.PathPoll, connector.Poll{Version: "1.0.0", Targets: []connector.Target{i.target}},
		&polled)
	return polled
}

// take waits for an order.
func (i *instance) take() connector.Order {
	i.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if o := i.poll().Order; o != nil {
			return *o
		}
		if time.Now().After(deadline) {
			i.t.Fatal("the connector is asked for nothing")
		}
	}
}

// link asks where a block goes.
func (i *instance) link(o connector.Order, number int, block []byte) connector.BlockGrant {
	i.t.Helper()
	var grant connector.BlockGrant
	i.says(http.StatusOK, connector.PathBlock, blockRequest(o, number, block), &grant)
	return grant
}

func blockRequest(o connector.Order, number int, block []byte) connector.BlockRequest {
	sum := sha256.Sum256(block)
	return connector.BlockRequest{Order: o.ID, Attempt: o.Attempt, Number: number, Size: len(block), SHA256: sum[:]}
}

// put sends something to a link and returns the status.
func (i *instance) put(to connector.BlockGrant, block []byte) int {
	i.t.Helper()
	r, err := http.NewRequestWithContext(i.t.Context(), http.MethodPut, i.base+to.URL, bytes.NewReader(block))
	if err != nil {
		i.t.Fatal(err)
	}
	for name, value := range to.Headers {
		r.Header.Set(name, value)
	}
	return i.send(r, nil)
}

// uploads hands blocks over, nil for one that is left out.
func (i *instance) uploads(o connector.Order, blocks [][]byte) {
	i.t.Helper()
	for number, block := range blocks {
		if block == nil {
			continue
		}
		if status := i.put(i.link(o, number, block), block); status != http.StatusOK {
			i.t.Errorf("block %d: status %d", number, status)
		}
	}
}

// finishes says that blocks are an order's recording.
func (i *instance) finishes(want int, o connector.Order, sealed connector.Sealed) {
	i.t.Helper()
	i.says(want, connector.PathFinish, connector.Finish{Order: o.ID, Attempt: o.Attempt, Sealed: sealed}, nil)
}

// honest does an order well.
func (i *instance) honest(o connector.Order, entries []directory.Entry) {
	i.t.Helper()
	blocks, sealed := chain(o, honestRecords(i.t, entries)...)
	i.uploads(o, blocks)
	i.finishes(http.StatusNoContent, o, sealed)
}

// bulk are the records of a block's worth of entries that have no address: much to play back, and little to send.
func bulk(t testing.TB) []byte {
	t.Helper()
	var entries []directory.Entry
	for n := range bulkEntries {
		entries = append(entries, directory.Entry{DN: []byte("cn=bulk"), Attributes: []directory.Attribute{
			{Name: "description", Values: [][]byte{bytes.Repeat([]byte{byte(n)}, 1<<20/bulkEntries)}}}})
	}
	return records(t, entries...)
}

const bulkEntries = 512

// records are those of entries, without the end.
func records(t testing.TB, entries ...directory.Entry) []byte {
	t.Helper()
	all, end := withEnd(t, entries), withEnd(t, nil)
	return all[:len(all)-len(end)]
}

// withEnd are the records of a read of entries.
func withEnd(t testing.TB, entries []directory.Entry) []byte {
	t.Helper()
	var block []byte
	r := recording.New(t.Context(), connector.Order{}, func(_ context.Context, number int, b []byte) error {
		if number > 0 {
			return errors.New("the entries are too many for one block")
		}
		block = bytes.Clone(b)
		return nil
	})
	for n := range entries {
		if err := r.Entry(&entries[n]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Close(directory.Info{DirectoryID: "dc=example,dc=com"}, nil); err != nil {
		t.Fatal(err)
	}
	out, err := s2.Decode(nil, block[blockHeader:])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// honestRecords are the records of a read in three blocks.
func honestRecords(t testing.TB, entries []directory.Entry) [][]byte {
	t.Helper()
	half := len(entries) / 2
	return [][]byte{records(t, entries[:half]...), records(t, entries[half:]...), withEnd(t, nil)}
}

// blockHeader is what stands before a block's compressed records: magic, number, hash of the block before.
const blockHeader = 5 + 4 + sha256.Size

// chain makes a recording's blocks of their records.
func chain(o connector.Order, of ...[]byte) (blocks [][]byte, sealed connector.Sealed) {
	before := o.Seed()
	for number, r := range of {
		block := sealedBlock(number, before, s2.Encode(nil, r))
		before = sha256.Sum256(block)
		blocks, sealed.Bytes = append(blocks, block), sealed.Bytes+int64(len(block))
	}
	sealed.Blocks, sealed.SHA256 = len(blocks), before[:]
	return blocks, sealed
}

// sealedBlock is a block of records that are compressed already.
func sealedBlock(number int, before [sha256.Size]byte, compressed []byte) []byte {
	block := numbers.BigEndian.AppendUint32([]byte{'R', 'C', 'R', 'D', connector.Protocol}, uint32(number))
	return append(append(block, before[:]...), compressed...)
}

// employees are people with an address each, and something that nobody asked for.
func employees(n int, extra string) (entries []directory.Entry) {
	for i := range n {
		name := fmt.Sprintf("person%d", i)
		entries = append(entries, directory.Entry{DN: []byte("cn=" + name + ",dc=example,dc=com"),
			Attributes: []directory.Attribute{
				{Name: "objectClass", Values: [][]byte{[]byte("user")}},
				{Name: "proxyAddresses", Values: [][]byte{[]byte("SMTP:" + name + "@example.com")}},
				{Name: "description", Values: [][]byte{[]byte(extra)}},
			}})
	}
	return entries
}
