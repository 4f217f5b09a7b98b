package dynamodb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/shared/manifest"
	"rollcall/shared/ports/runs"
	"rollcall/shared/run"
	"rollcall/shared/settings"
	"rollcall/shared/user"
)

func FuzzUser(f *testing.F) {
	f.Add("ann@example.com", "Ann@example.com", "CN=Ann", "01J", int64(1_795_000_000_000), int64(0), true)
	f.Add("k", "", "", "", int64(-1), int64(1), false)
	f.Fuzz(func(t *testing.T, key, address, dn, run string, version, at int64, protected bool) {
		want := user.User{
			Key: key, Address: address, Kind: user.Kind(dn), PrimaryAddress: run, Type: user.Type(address),
			Source: user.Source(key), DirectoryID: dn,
			SourceID: run, DN: dn, HeldSpamReport: user.HeldSpamReport(run), Protected: protected, Version: version,
			LastRunID: run,
			// RFC 3339 has years of four digits.
			CreatedAt: time.Unix(0, at).UTC(), UpdatedAt: time.Time{},
		}
		got, err := decodeUser(encodeUser("acme", &want))
		if err != nil || got != want {
			t.Errorf("error %v (-want +got):\n%s", err, cmp.Diff(want, got))
		}
	})
}

func TestUsersThatSomebodyElseWrote(t *testing.T) {
	u := user.User{Key: "ann@example.com", Version: 1, CreatedAt: time.Unix(1, 0)}
	for name, change := range map[string]func(item){
		"no version":   func(i item) { delete(i, attrVersion) },
		"a text":       func(i item) { i[attrVersion] = str("1") },
		"a fraction":   func(i item) { i[attrVersion] = &types.AttributeValueMemberN{Value: "1.5"} },
		"another time": func(i item) { i[attrCreated] = str("yesterday") },
	} {
		i := encodeUser("acme", &u)
		change(i)
		if got, err := decodeUser(i); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

func TestPartitionsOfAccountsAreApart(t *testing.T) {
	seen := make(map[string]user.Account)
	for _, account := range []user.Account{"acme", "acme#", "acme#1", "acme#1#", "acme#10", "#", "", "acme##1"} {
		for shard := range shards {
			key := partition(account, shard)
			if other, taken := seen[key]; taken {
				t.Errorf("accounts %q and %q share the partition %q", account, other, key)
			}
			seen[key] = account
		}
	}
}

func TestAStrideVisitsEachPlaceOnce(t *testing.T) {
	for n := 1; n < 1100; n++ {
		visited := make([]bool, n)
		for turn := range n {
			visited[turn*stride(n)%n] = true
		}
		for i, was := range visited {
			if !was {
				t.Fatalf("of %d places %d is never visited", n, i)
			}
		}
	}
}

func TestRecordsAreCompressedAndBounded(t *testing.T) {
	a := accountJobs{NewJobs(nil, "jobs", nil), "acme"}
	exclude := func(n, length int) settings.Saved {
		random := rand.New(rand.NewPCG(1, 1))
		var s settings.Saved
		for range n {
			var name strings.Builder
			for range length {
				name.WriteByte(byte('a' + random.IntN(26)))
			}
			s.Advanced.Exclude = append(s.Advanced.Exclude, name.String()+"@example.com")
		}
		return s
	}
	for _, test := range []struct {
		n, length int
		want      error
	}{{0, 0, nil}, {10_000, 12, nil}, {10_000, 240, runs.ErrTooLarge}} {
		t.Run(fmt.Sprintf("%d exclusions of %d", test.n, test.length), func(t *testing.T) {
			s := exclude(test.n, test.length)
			r, err := newRecord(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			r = r.after(record{})
			i, err := a.item(recordSettings, r)
			if !errors.Is(err, test.want) {
				t.Fatalf("error %v, want %v", err, test.want)
			}
			if err != nil {
				return
			}
			back, err := readRecord(i)
			if err != nil || !bytes.Equal(back.document, r.document) || back.writes != r.writes {
				t.Errorf("%d bytes come back as %d, error %v", len(r.document), len(back.document), err)
			}
			if packed, ok := i[attrPacked].(*types.AttributeValueMemberB); ok {
				t.Logf("%d KB are stored as %d KB", len(r.document)>>10, len(packed.Value)>>10)
			}
		})
	}
}

// takingAll is a table that takes every record.
type takingAll struct{ Client }

func (takingAll) PutItem(context.Context, *awsdynamodb.PutItemInput, ...options) (*awsdynamodb.PutItemOutput, error) {
	return new(awsdynamodb.PutItemOutput), nil
}

// TestWhatFitsCanBeStarted holds Fits against what TakeSlot stores: at no size do settings pass whose sync is refused
// later.
func TestWhatFitsCanBeStarted(t *testing.T) {
	jobs := NewJobs(takingAll{}, "jobs", nil)
	a := accountJobs{jobs, "acme"}
	random := rand.New(rand.NewPCG(1, 1))
	const coarse = 256
	text := make([]byte, 3<<18)
	for i := range text {
		text[i] = byte('a' + random.IntN(26))
	}
	made := func(n int) (s settings.Saved, r run.Run) {
		s.Connection.CACertificate = string(text[:n])
		s.Schedule = &settings.Schedule{IntervalHours: 24, NextRunAt: time.Now()}
		return s, run.Run{
			ID: "01J0000000000000000000RUN1", Kind: run.KindSync, State: run.Queued,
			Trigger: run.TriggerSchedule, StartedBy: "schedule", CreatedAt: time.Now(),
			Import: s.Import, SealedPassword: text[:300],
		}
	}
	largest := coarse * (sort.Search(len(text)/coarse, func(n int) bool {
		_, r := made(n * coarse)
		return a.Fits(r) != nil
	}) - 1)
	s, r := made(largest)
	r.ID, r.CreatedAt = "01JZZZZZZZZZZZZZZZZZZZRUN9", time.Now().Add(time.Hour)
	r.StartedBy = string(text[500_000:500_500])
	s.LastSyncID, s.ScheduledRunID, s.ConsecutiveFailures = r.ID, r.ID, 1_000_000
	s.Schedule.PausedReason = string(text[600_000:600_500])
	run, err := a.newRun(t.Context(), &r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.transactPut(prefixRun+r.ID, run.after(record{}), record{}); err != nil {
		t.Errorf("a run that fits is refused: %v", err)
	}
	stored, err := newRecord(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.transactPut(recordSettings, stored.after(record{}), record{}); err != nil {
		t.Errorf("settings whose run fits are refused: %v", err)
	}
	// The marks of runs fit into settings of earlier builds, too, which were as long as a new record may be.
	longest := coarse * (sort.Search(len(text)/coarse, func(n int) bool {
		s, _ := made(n * coarse)
		r, err := newRecord(s, nil)
		if err == nil {
			_, err = a.item(recordSettings, r.after(record{}))
		}
		return err != nil
	}) - 1)
	s, r = made(longest)
	if err := a.Fits(r); !errors.Is(err, runs.ErrTooLarge) {
		t.Errorf("the sync of settings of %d bytes: error %v, want %v", longest, err, runs.ErrTooLarge)
	}
	before, err := newRecord(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	before = before.after(record{})
	s.LastSyncID, s.ScheduledRunID, s.Schedule.PausedReason = r.ID, r.ID, string(text[600_000:600_500])
	after, err := newRecord(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.transactPut(recordSettings, after.after(before), before); err != nil {
		t.Errorf("settings of %d bytes cannot be marked: %v", longest, err)
	}
}

func TestRunsExpireByTheirKind(t *testing.T) {
	created := time.Unix(1_000_000, 0)
	for kind, days := range map[run.Kind]int64{run.KindExplanation: 1, run.KindPreview: 90, run.KindSync: 90} {
		record, err := accountJobs{}.runRecord(&runs.Record{Run: run.Run{
			ID: "01J", Kind: kind, State: run.Done, CreatedAt: created,
		}})
		want := number(1_000_000 + days*24*60*60)
		if got := record.index[manifest.ExpiresAt]; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, error %v; want %v", kind, got, err, want)
		}
	}
}

func TestARecordNamesItsLastWrites(t *testing.T) {
	var stored record
	var all []record
	for range 2 * keptWrites {
		stored = record{document: []byte("{}")}.after(stored)
		all = append(all, stored)
	}
	for i, r := range all {
		if got, want := stored.includes(r), i >= keptWrites; got != want {
			t.Errorf("write %d of %d is known: %t, want %t", i, len(all), got, want)
		}
	}
	if stored.includes(record{}) {
		t.Error("no write at all is known")
	}
}

func TestWhyATransactionWasCancelled(t *testing.T) {
	unknown := errors.New("unknown")
	cancelled := func(codes ...string) error {
		e := new(types.TransactionCanceledException)
		for _, code := range codes {
			e.CancellationReasons = append(e.CancellationReasons, types.CancellationReason{Code: aws.String(code)})
		}
		return fmt.Errorf("wrapped: %w", e)
	}
	for _, test := range []struct {
		name  string
		err   error
		again bool
		want  error
	}{
		{"done", nil, false, nil},
		{"another error", unknown, false, unknown},
		{"a condition", cancelled("ConditionalCheckFailed", "None"), false, runs.ErrConflict},
		{"a condition beside a conflict", cancelled("TransactionConflict", "ConditionalCheckFailed"), false,
			runs.ErrConflict},
		{"a busy table", cancelled("ThrottlingError", "None"), true, nil},
		{"another transaction", cancelled("None", "TransactionConflict"), true, nil},
		{"what no attempt fixes", cancelled("None", "ValidationError"), false, nil},
	} {
		again, err := transacted(test.err)
		if again != test.again || test.want != nil && !errors.Is(err, test.want) || (test.err == nil) != (err == nil) {
			t.Errorf("%s: again %t, error %v; want %t, %v", test.name, again, err, test.again, test.want)
		}
	}
}
