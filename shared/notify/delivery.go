package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Patience is how long a delivery is tried, and DeliveryLifetime how long its record is kept: an event that is told
// again meanwhile is not delivered again.
const (
	Patience         = 24 * time.Hour
	DeliveryLifetime = 72 * time.Hour
)

// FirstWait and LongestWait are the waits after the first failure and between the last ones.
const (
	FirstWait   = 5 * time.Second
	LongestWait = 4 * time.Hour
)

// Delivery is an event on its way to the webhook or to the addresses of an account.
type Delivery struct {
	ID string `json:"id"`
	// Event is what is told; empty once Done.
	Event Event `json:"event"`
	// URL is where the webhook was when the event happened; empty for mail. To are the addresses that have not got
	// their mail yet.
	URL string   `json:"url,omitempty"`
	To  []string `json:"to,omitempty"`

	CreatedAt time.Time `json:"createdAt"`
	// NextAt is when somebody should look after it, if nobody is at it; zero once Done.
	NextAt   time.Time `json:"nextAt,omitzero"`
	Attempts int       `json:"attempts"`
	Done     bool      `json:"done,omitempty"`
	// Revision is the store's, for optimistic concurrency.
	Revision int64 `json:"revision"`
}

// Wait is how long a delivery waits after a failure at now: as long as it has been on its way, so that each wait is
// about as long as all before it together.
func (d *Delivery) Wait(now time.Time) time.Duration {
	return min(max(now.Sub(d.CreatedAt), FirstWait), LongestWait)
}

// Over reports whether a delivery that waits until at comes too late.
func (d *Delivery) Over(at time.Time) bool { return at.Sub(d.CreatedAt) > Patience }

// Finish marks a delivery as done, and keeps no more of it than its name.
func (d *Delivery) Finish() {
	d.Done, d.NextAt, d.To, d.Event = true, time.Time{}, nil, Event{}
}

// Target is a hash (SHA-256, hexadecimal) of where a webhook's secret may be used, for secret.Binding.
func Target(url string) string {
	hash := sha256.Sum256([]byte("webhook\x00" + url))
	return hex.EncodeToString(hash[:])
}
