package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"rollcall/shared/adapters/aws/s3"
	"rollcall/shared/plan"
	"rollcall/shared/planfile"
	"rollcall/shared/ports/objects"
	"rollcall/shared/user"
)

// storePlan stores a plan of n rows: mostly users that stay, an alias for each, and some of everything else.
func storePlan(t testing.TB, o objects.Objects, key string, n int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	put(t, o, key, func(w io.Writer) error {
		out := planfile.NewWriter(w)
		for i := range n {
			row := row(i, random)
			if err := out.Add(&row); err != nil {
				return err
			}
		}
		return out.Close(planfile.Meta{CreatedAt: time.Unix(0, 0)})
	})
}

func row(i int, random *rand.Rand) plan.Row {
	primary := fmt.Sprintf("firstname.lastname-%07d@example.com", i/2)
	r := plan.Row{
		Change: plan.Unchanged, Key: primary, Address: primary, Kind: user.Primary, PrimaryKey: primary,
		PrimaryAddress: primary, Type: user.TypeUser,
		DN: fmt.Sprintf("CN=Firstname Lastname %07d,OU=Department %d,OU=Staff,DC=example,DC=com", i/2,
			random.IntN(500)),
	}
	if i%2 == 1 {
		r.Key += ".alias"
		r.Address, r.Kind = r.Key, user.Alias
	}
	switch n := random.IntN(1000); {
	case n < 50:
		r.Change = plan.Create
	case n < 60:
		r.Change = plan.Delete
	case n < 61:
		r.Change, r.Kind, r.Reason = plan.Skipped, "", "invalid address"
	}
	if n := random.IntN(1000); n < 30 {
		r.Type = user.Types()[1+n%6]
	}
	return r
}

// reading opens a plan and counts what is asked for meanwhile.
type reading struct {
	*planfile.Reader
	wire   *wire
	object objects.Object
}

func openPlan(t testing.TB, o objects.Objects, w *wire, key string) reading {
	t.Helper()
	w.forget()
	object, err := o.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { object.Close() })
	r, err := planfile.Open(object, object.Size())
	if err != nil {
		t.Fatal(err)
	}
	return reading{r, w, object}
}

// requests returns how many requests were sent since the last call.
func (r reading) requests() int {
	n := len(r.wire.sent(""))
	r.wire.forget()
	return n
}

// scan reads every row and returns how many there were.
func (r reading) scan(t testing.TB) (rows int) {
	t.Helper()
	for _, err := range r.Rows(t.Context(), planfile.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
	}
	return rows
}

// page reads 100 rows behind a cursor and returns the next one.
func (r reading) page(t testing.TB, f planfile.Filter, cursor string) string {
	t.Helper()
	page, err := r.Page(t.Context(), f, cursor, 100)
	if err != nil || len(page.Rows) == 0 {
		t.Fatalf("%d rows, error %v", len(page.Rows), err)
	}
	return page.Next
}

func TestReadingAPlanTakesFewRequests(t *testing.T) {
	t.Parallel()
	s, w, _ := open(t, nil)
	o := s.For("acme")
	expect := func(what string, got, most int) {
		t.Helper()
		if t.Logf("%s: %d requests", what, got); got > most {
			t.Errorf("%s took %d requests, want at most %d", what, got, most)
		}
	}
	storePlan(t, o, "plans/small", 2000)
	small := openPlan(t, o, w, "plans/small")
	small.page(t, planfile.Filter{}, "")
	small.scan(t)
	expect("all of a plan of 2,000 rows", small.requests(), 1)

	const rows = 100_000
	storePlan(t, o, "plans/large", rows)
	large := openPlan(t, o, w, "plans/large")
	expect("opening", large.requests(), 1)
	next := large.page(t, planfile.Filter{}, "")
	expect("the first page", large.requests(), 12)
	large.page(t, planfile.Filter{}, next)
	expect("the next page", large.requests(), 1)
	large.page(t, planfile.Filter{Changes: []plan.Change{plan.Delete}}, "")
	expect("the first page of the deletions", large.requests(), 6)
	large.page(t, planfile.Filter{Primary: fmt.Sprintf("firstname.lastname-%07d@example.com", rows/4)}, "")
	expect("one user and aliases", large.requests(), 3)

	again := openPlan(t, o, w, "plans/large")
	if got := again.scan(t); got != rows {
		t.Errorf("%d rows were read, want %d", got, rows)
	}
	expect("a scan", again.requests(), 1+int(again.object.Size()>>20)+30)
}

func TestReadsAtAnyOffset(t *testing.T) {
	t.Parallel()
	s, _, _ := open(t, nil)
	o := s.For("acme")
	const size = 12<<20 + 5
	put(t, o, "plans/a", noise(size))
	var want bytes.Buffer
	if err := noise(size)(&want); err != nil {
		t.Fatal(err)
	}
	object, err := o.Open(t.Context(), "plans/a")
	if err != nil {
		t.Fatal(err)
	}
	if object.Size() != size {
		t.Errorf("the size is %d, want %d", object.Size(), size)
	}
	var readers sync.WaitGroup
	for seed := range uint64(4) {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(seed, 0))
			at := int64(0)
			for range 40 {
				// Jumps, steps ahead, and reads that are longer than what is fetched at a time.
				if at += random.Int64N(1 << 19); random.IntN(4) == 0 || at >= size {
					at = random.Int64N(size)
				}
				p := make([]byte, 1+random.IntN(1<<(5+random.IntN(18))))
				n, err := object.ReadAt(p, at)
				end := min(at+int64(len(p)), size)
				if !bytes.Equal(p[:n], want.Bytes()[at:end]) || (n < len(p)) != errors.Is(err, io.EOF) || err != nil &&
					!errors.Is(err, io.EOF) {
					t.Errorf("%d bytes at %d: got %d, error %v", len(p), at, n, err)
				}
			}
		})
	}
	readers.Wait()
	if n, err := object.ReadAt(make([]byte, 1), size); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %d bytes, error %v", n, err)
	}
	if _, err := object.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("a negative offset was read")
	}
	object.Close()
	if _, err := object.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closed: error %v, want %v", err, fs.ErrClosed)
	}
}

func TestAnObjectThatIsReplacedWhileItIsRead(t *testing.T) {
	t.Parallel()
	s, _, _ := open(t, nil)
	o := s.For("acme")
	put(t, o, "plans/a", noise(2<<20))
	object, err := o.Open(t.Context(), "plans/a")
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	put(t, o, "plans/a", noise(2<<20+1))
	if _, err := object.ReadAt(make([]byte, 1), 0); !errors.Is(err, s3.ErrReplaced) {
		t.Errorf("replaced: error %v, want %v", err, s3.ErrReplaced)
	}
	if err := o.Delete(t.Context(), "plans/a"); err != nil {
		t.Fatal(err)
	}
	if _, err := object.ReadAt(make([]byte, 1), 0); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("deleted: error %v, want %v", err, objects.ErrNotFound)
	}
}

// cut is a body that breaks off.
type cut struct{ io.Reader }

func (cut) Close() error { return nil }

func TestABodyThatBreaksOffIsAskedForAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		breaks int
		good   bool
	}{"twice": {2, true}, "always": {1000, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, w, _ := open(t, nil)
			o := s.For("acme")
			put(t, o, "plans/a", text("0123456789"))
			left := test.breaks
			w.intercept = func(r *http.Request) (*http.Response, error) {
				response, err := http.DefaultClient.Do(r)
				if left--; left >= 0 && err == nil {
					response.Body.Close()
					response.Body = cut{bytes.NewReader([]byte("0123"))}
				}
				return response, err
			}
			object, err := o.Open(t.Context(), "plans/a")
			if (err == nil) != test.good || !test.good && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("error %v", err)
			}
			if test.good {
				if data, err := io.ReadAll(io.NewSectionReader(object, 0, object.Size())); err != nil ||
					string(data) != "0123456789" {
					t.Errorf("read %q, error %v", data, err)
				}
			}
		})
	}
}

// BenchmarkPlan reads a plan of a million rows in the order of its keys, in that of a sync, and a page of it. It says
// how many requests each takes.
func BenchmarkPlan(b *testing.B) {
	s, w, _ := open(b, nil)
	o := s.For("acme")
	const rows = 1_000_000
	storePlan(b, o, "plans/a", rows)
	b.Run("scan", func(b *testing.B) {
		for b.Loop() {
			r := openPlan(b, o, w, "plans/a")
			r.scan(b)
			b.ReportMetric(float64(r.requests()), "requests")
			b.ReportMetric(float64(r.object.Size())/rows, "bytes/row")
		}
	})
	b.Run("batches", func(b *testing.B) {
		for b.Loop() {
			r := openPlan(b, o, w, "plans/a")
			for _, err := range r.Batches(b.Context(), []plan.Change{plan.Create, plan.Update, plan.Delete}, 0) {
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(r.requests()), "requests")
		}
	})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			r := openPlan(b, o, w, "plans/a")
			r.page(b, planfile.Filter{}, "")
			b.ReportMetric(float64(r.requests()), "requests")
		}
	})
}
