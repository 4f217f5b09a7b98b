package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestErasingSaysUntilWhenTheRestStays reads the days that an operator hands on to the customer.
func TestErasingSaysUntilWhenTheRestStays(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	sayWhatStays(&out, time.Date(2026, 11, 26, 23, 0, 0, 0, time.UTC), 30)
	var days []string
	for _, m := range regexp.MustCompile(`gone by (\S+)  (\w+)`).FindAllStringSubmatch(out.String(), -1) {
		days = append(days, m[1]+" "+m[2])
	}
	want := "2026-12-11 messages, 2026-12-27 archived, 2027-01-01 backups, 2027-02-25 S3, 2026-12-30 logs"
	if got := strings.Join(days, ", "); got != want {
		t.Errorf("it says %s, want %s", got, want)
	}
}
