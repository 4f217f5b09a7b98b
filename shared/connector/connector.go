// Package connector is the protocol between the cloud and a connector: a program on a customer's site that reads a
// directory which the cloud cannot reach. The connector asks for work, reads with package directory, and hands over a
// recording of the read (package recording), which the importer plays back as if it had read itself. Everything about
// who asks, what may be asked and how requests are signed is here, for both sides; docs/adr/0061-connector.md says why
// it is like this, and 0062-trust-on-site.md whom the connector believes.
package connector

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/ports/connectors"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// Protocol is the number of this protocol and of the recordings' format. A side that gets another one refuses it.
const Protocol = 1

// The paths that a connector sends its requests to, all POST with a JSON body of at most MaxBody bytes and a signature
// (Sign). Errors are problems (RFC 9457) with one of the codes below.
const (
	// PathEnrol takes Enrol and answers 201 Enrolled.
	PathEnrol = "/v1/connector/enrol"
	// PathPoll takes Poll and answers 200 Polled.
	PathPoll = "/v1/connector/poll"
	// PathBlock takes BlockRequest and answers 200 BlockGrant.
	PathBlock = "/v1/connector/block"
	// PathFinish takes Finish and answers 204. It may come again after it was answered.
	PathFinish = "/v1/connector/finish"
	// PathReport takes Report and answers 204. A change whose ID was stored before is passed over.
	PathReport = "/v1/connector/report"
)

// MaxBody bounds the body of a request and of an answer, in bytes.
const MaxBody = 1 << 20

// The codes of problems that a connector tells apart. Any 401 or 403 means that its key is not, or no longer, known.
const (
	// CodeClock (401): the connector's clock is too far off.
	CodeClock = "connector_clock"
	// CodeProtocol (400): another Protocol; the message says which side is older.
	CodeProtocol = "connector_protocol"
	// CodeRevoked (403): the connector was deleted.
	CodeRevoked = "connector_revoked"
	// CodeCode (403): the enrolment code is wrong, used or older than CodeLifetime.
	CodeCode = "enrolment_code"
	// CodeReplaced (409): the order was given to another instance, cancelled, or has ended.
	CodeReplaced = "connector_replaced"
)

// The codes of directory.Error that a connector adds to those of package directory. A run fails with them.
const (
	// CodeNoPassword: the connector holds no password for the connection's host list, port and username.
	CodeNoPassword = "connector_no_password"
	// CodeRefused: the job asks for less protection than was set on site, or for an attribute that is not handed over.
	CodeRefused = "connector_refused"
)

// How long things last.
const (
	// CodeLifetime is how long an enrolment code can be used, once.
	CodeLifetime = 15 * time.Minute
	// BusyPoll is how often a connector at work polls. LeaseTime is how long an order stays with an instance that does
	// not; after it another instance may get it, with the next Attempt.
	BusyPoll  = 5 * time.Second
	LeaseTime = 45 * time.Second
	// MaxWait is the longest pause that a connector makes between polls, whatever the answer says.
	MaxWait = 30 * time.Second
)

// Enrol makes a key known. It is signed with that key.
type Enrol struct {
	Code string `json:"code"`
	// PublicKey is Ed25519 (RFC 8032), 32 bytes.
	PublicKey []byte `json:"publicKey"`
	// Name is what the machine calls itself, and Version the program's.
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Enrolled is the answer to Enrol.
type Enrolled struct {
	// ConnectorID and ConnectorName are those of the connector that the code was made for.
	ConnectorID   string `json:"connectorId"`
	ConnectorName string `json:"connectorName"`
}

// Target is a directory that an instance holds a password for: hosts as they were typed, with ", " between them.
type Target = connectors.Target

// TargetOf returns the target that a connection asks for.
func TargetOf(c settings.Connection) Target {
	c = c.Normalised()
	return Target{Host: c.Host, Port: c.Port, Username: c.Username}
}

// Poll says that an instance lives and what it holds, and asks for work.
type Poll struct {
	Version string   `json:"version"`
	Targets []Target `json:"targets"`
	// Busy is the order at work, nil where there is none. With it no further order is given.
	Busy *Busy `json:"busy,omitempty"`
}

// Busy says how far an order is.
type Busy struct {
	Order   string `json:"order"`
	Attempt int    `json:"attempt"`
	// Steps are the steps of the connection so far, and Entries the entries that were read.
	Steps   []run.Step `json:"steps"`
	Entries int        `json:"entries"`
}

// Polled is the answer to Poll.
type Polled struct {
	// WaitSeconds is the pause before the next poll: 1 while somebody waits on the page, 15 otherwise.
	WaitSeconds int `json:"waitSeconds"`
	// Order is work to do, nil where there is none.
	Order *Order `json:"order,omitempty"`
	// Stop says that the order at work is not wanted any more.
	Stop bool `json:"stop,omitempty"`
}

// Order is one read to do. Whoever takes it records it and sends a Finish, whether the read went well or not.
type Order struct {
	ID string `json:"id"`
	// Attempt counts how often the order was given out, from 1 on. It fences: blocks, Busy and Finish name it, and only
	// the newest counts.
	Attempt int     `json:"attempt"`
	Request Request `json:"request"`
}

// Request is what to ask the directory: a read where Question is nil.
type Request struct {
	// Connection has no password, and its CACertificate can only narrow what the connector trusts.
	Connection settings.Connection `json:"connection"`
	// Overrides are the settings' attributes; they decide which values count as addresses (directory.Query.Found).
	Overrides settings.Attributes `json:"overrides"`
	Query     *directory.Query    `json:"query,omitempty"`
	Question  *directory.Question `json:"question,omitempty"`
}

// ReadOf returns the request for a read of an import.
func ReadOf(imp settings.Import, q directory.Query) Request {
	return Request{Connection: imp.Connection.Normalised(), Overrides: imp.Advanced.Attributes, Query: &q}
}

// FindOf returns the request for a question of an import.
func FindOf(imp settings.Import, q directory.Question) Request {
	return Request{Connection: imp.Connection.Normalised(), Overrides: imp.Advanced.Attributes, Question: &q}
}

// Key is a hash of the request (SHA-256, hexadecimal): a run that asks the same again finds its recording by it.
func (r Request) Key() string {
	// The struct has no type that json cannot marshal.
	text, _ := json.Marshal(r)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Seed is what the first block of the order's recording is chained to: no block of another order, attempt or request
// fits.
func (o Order) Seed() [sha256.Size]byte {
	return sha256.Sum256([]byte("rollcall recording " + strconv.Itoa(Protocol) + "\n" + o.ID + "\n" +
		strconv.Itoa(o.Attempt) + "\n" + o.Request.Key()))
}

// BlockRequest asks where to put a block.
type BlockRequest struct {
	Order   string `json:"order"`
	Attempt int    `json:"attempt"`
	// Number counts from 0. Size is in bytes, at most recording.MaxBlock, and SHA256 is the block's hash.
	Number int    `json:"number"`
	Size   int    `json:"size"`
	SHA256 []byte `json:"sha256"`
}

// BlockGrant is a link that takes exactly the block that was asked for, by PUT, once or again.
type BlockGrant struct {
	// URL is a path of the portal, with a query: a connector sends blocks to no other host.
	URL string `json:"url"`
	// Headers are to be sent with it.
	Headers map[string]string `json:"headers,omitempty"`
}

// Finish says that the recording of an order is whole: all its blocks were taken.
type Finish struct {
	Order   string `json:"order"`
	Attempt int    `json:"attempt"`
	Sealed
}

// Sealed is what tells a whole recording from any other.
type Sealed = connectors.Recording

// Report tells the audit log what was changed on site.
type Report struct {
	Changes []Change `json:"changes"`
}

// Change is one change of a connector's local settings.
type Change struct {
	// ID makes a change that is reported twice one entry.
	ID string    `json:"id"`
	At time.Time `json:"at"`
	// What is enrolled, password_set, or attribute_allowed; Detail is a sentence, never with a secret.
	What   string `json:"what"`
	Detail string `json:"detail"`
}

// The kinds of Change.
const (
	ChangeEnrolled  = "enrolled"
	ChangePassword  = "password_set"
	ChangeAttribute = "attribute_allowed"
)
