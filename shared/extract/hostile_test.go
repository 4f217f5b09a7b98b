package extract

import (
	"fmt"
	"testing"
	"time"

	"rollcall/shared/directory"
	"rollcall/shared/settings"
)

// TestOneEntryWithVeryManyValues gives one entry as many values as fit into a message that a hostile server may send.
// Nobody can cancel a run within an entry, so that its time must not grow with the square of their number, which would
// be minutes here.
func TestOneEntryWithVeryManyValues(t *testing.T) {
	t.Parallel()
	const (
		many = 200_000
		// hang is what no machine needs for so many values, and each needs for so many times themselves.
		hang = 2 * time.Minute
	)
	var values [][]byte
	for i := range many {
		values = append(values, fmt.Appendf(nil, "smtp:a%d@b.cd", i), fmt.Appendf(nil, "smtp:A%d@b.cd", i/2))
	}
	marked := append([][]byte{[]byte("SMTP:ann@b.cd")}, values...)
	var alone []directory.Attribute
	for _, v := range marked {
		alone = append(alone, directory.Attribute{Name: "proxyAddresses", Values: [][]byte{v}})
	}
	disabled := directory.Attribute{Name: "userAccountControl", Values: [][]byte{[]byte("2")}}
	for name, test := range map[string]struct {
		attributes      []directory.Attribute
		claims, skipped int
	}{
		"accepted":              {[]directory.Attribute{{Name: "proxyAddresses", Values: marked}}, many + 1, 0},
		"an attribute for each": {alone, many + 1, 0},
		"of a disabled account": {[]directory.Attribute{{Name: "proxyAddresses", Values: marked}, disabled}, 0,
			many + 1},
		"without their primary": {[]directory.Attribute{{Name: "proxyAddresses", Values: values}}, 0, many},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules, err := NewRules(settings.Exchange, settings.Advanced{SkipDisabled: true})
			if err != nil {
				t.Fatal(err)
			}
			c := NewCollector(rules)
			done := make(chan struct{})
			go func() {
				defer close(done)
				c.Add(&directory.Entry{DN: []byte("cn=ann"), Attributes: test.attributes})
			}()
			select {
			case <-done:
			case <-time.After(hang):
				t.Fatalf("the entry takes longer than %s", hang)
			}
			if c.claims.count != test.claims || len(c.skipped) != test.skipped {
				t.Errorf("%d claims and %d skipped values, want %d and %d", c.claims.count, len(c.skipped), test.claims,
					test.skipped)
			}
		})
	}
}
