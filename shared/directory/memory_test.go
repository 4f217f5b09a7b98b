package directory_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"rollcall/shared/directory"
	"rollcall/shared/extract"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

// peakHeap returns by how many bytes the heap grew at most while do ran, garbage included.
func peakHeap(do func()) int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64())
	}
	runtime.GC()
	before := heap()
	peak := before
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		ticks := time.NewTicker(time.Millisecond)
		defer ticks.Stop()
		for ctx.Err() == nil {
			peak = max(peak, heap())
			<-ticks.C
		}
	})
	do()
	stop()
	watching.Wait()
	return peak - before
}

// collected reads a script's directory as an import does.
func collected(t *testing.T, s *script, config directory.Config) (*extract.Collector, error) {
	t.Helper()
	host, port := s.serve(t)
	rules, err := extract.NewRules(settings.GroupWise, settings.Advanced{})
	if err != nil {
		t.Fatal(err)
	}
	c := extract.NewCollector(rules)
	to := settings.Connection{ServerType: settings.GroupWise, Host: host, Port: port, Encryption: settings.None}
	query := directory.Query{Attributes: rules.Attributes(), Memory: c.Memory}
	_, err = directory.New(config).Read(t.Context(), to, query, func(run.Step) {},
		func(e *directory.Entry) error {
			c.Add(e)
			return nil
		})
	return c, err
}

// encoded returns an entry's message, to be sent often without being made each time.
func encoded(id int64, dn string, attributes map[string][]string) []byte {
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	op.AppendChild(text(dn))
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	for name, values := range attributes {
		attribute := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
		attribute.AppendChild(text(name))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range values {
			set.AppendChild(text(v))
		}
		attribute.AppendChild(set)
		list.AppendChild(attribute)
	}
	op.AppendChild(list)
	envelope := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	envelope.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	envelope.AppendChild(op)
	return envelope.Bytes()
}

// TestLongTextsCostLittleMemory reads 200 MB of entries whose every text has a megabyte.
func TestLongTextsCostLittleMemory(t *testing.T) {
	const entries, most = 50, 16 << 20
	long := strings.Repeat("x", 1<<20)
	message := encoded(1, "cn="+long, map[string][]string{
		"mail": {"ann@example.com", "a@" + long, long}, "GUID": {long}})
	s := &script{root: map[string][]string{"namingContexts": {"o=x"}},
		search: func(c *session, _ int, _ search) bool {
			for range entries {
				if _, err := c.Write(message); err != nil {
					return false
				}
			}
			c.done(0)
			return true
		}}
	var c *extract.Collector
	var err error
	peak := peakHeap(func() { c, err = collected(t, s, directory.Config{}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d KB at most, %d KB counted", peak>>10, c.Memory()>>10)
	if peak > most {
		t.Errorf("the heap grew by %d bytes, want at most %d", peak, most)
	}
	rows := 0
	next := c.Result().Skipped()
	for row := next(); row != nil; row = next() {
		rows++
		if len(row.DN) > 4096 || len(row.Address) > 2048 {
			t.Fatalf("a row has %d bytes of DN and %d of address", len(row.DN), len(row.Address))
		}
	}
	if rows != 3*entries {
		t.Errorf("%d rows are skipped, want %d", rows, 3*entries)
	}
}

// TestNoDirectoryTakesMoreMemoryThanThereIs reads directories that end only when the reader does.
func TestNoDirectoryTakesMoreMemoryThanThereIs(t *testing.T) {
	const budget, most = 32 << 20, 96 << 20
	var many []string
	for i := range 200_000 {
		many = append(many, fmt.Sprint(i))
	}
	huge := encoded(1, "cn=many,o=x", map[string][]string{"mail": many})
	for name, send := range map[string]func(c *session, n int) []byte{
		"endless addresses": func(_ *session, n int) []byte {
			return encoded(1, fmt.Sprintf("cn=p%d,o=x", n), map[string][]string{
				"mail": {fmt.Sprintf("p%d@example.com", n), fmt.Sprintf("alias%d@example.com", n)}})
		},
		"endless values that are none": func(_ *session, n int) []byte {
			return encoded(1, fmt.Sprintf("cn=p%d,o=x", n),
				map[string][]string{"mail": {"a@", "b@", fmt.Sprint("c@", n)}})
		},
		"long DNs": func(_ *session, n int) []byte {
			return encoded(1, fmt.Sprintf("cn=p%d%s,o=x", n, strings.Repeat("x", 3500)), map[string][]string{
				"mail": {fmt.Sprintf("p%d@example.com", n)}})
		},
		"one entry with very many values": func(*session, int) []byte { return huge },
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{root: map[string][]string{"namingContexts": {"o=x"}},
				search: func(c *session, _ int, _ search) bool {
					for n := 0; ; n++ {
						if _, err := c.Write(send(c, n)); err != nil {
							return false
						}
					}
				}}
			var err error
			peak := peakHeap(func() {
				_, err = collected(t, s, directory.Config{MaxMemory: budget, SearchTimeout: time.Minute})
			})
			t.Logf("%d MB at most", peak>>20)
			var e *directory.Error
			if !errors.As(err, &e) || e.Code != directory.CodeIncompleteRead || !strings.Contains(e.Message, "memory") {
				t.Errorf("error %v, want %s because of the memory", err, directory.CodeIncompleteRead)
			}
			if peak > most {
				t.Errorf("the heap grew by %d bytes, want at most %d", peak, most)
			}
		})
	}
}

// TestReadsShareTheMemory reads two endless directories at once, each of which alone would stay within its bound until
// then.
func TestReadsShareTheMemory(t *testing.T) {
	const budget, ofAll = 64 << 20, 16 << 20
	reader := directory.New(directory.Config{MaxMemory: budget, MaxMemoryOfAll: ofAll})
	kept := int64(0)
	s := &script{root: map[string][]string{"namingContexts": {"o=x"}},
		search: func(c *session, _ int, _ search) bool {
			for n := range 10 {
				c.person(fmt.Sprint(n))
			}
			c.done(0)
			return true
		}}
	host, port := s.serve(t)
	to := settings.Connection{ServerType: settings.GroupWise, Host: host, Port: port, Encryption: settings.None}
	query := directory.Query{Memory: func() int64 { return kept }}
	read := func(each int64, within func()) error {
		kept = 0
		_, err := reader.Read(t.Context(), to, query, func(run.Step) {}, func(*directory.Entry) error {
			if kept += each; within != nil {
				within()
				within = nil
			}
			return nil
		})
		return err
	}
	if err := read(1<<20, nil); err != nil {
		t.Errorf("alone: %v", err)
	}
	var e *directory.Error
	if err := read(2<<20, nil); !errors.As(err, &e) || !strings.Contains(e.Message, "other imports") {
		t.Errorf("above what all may take: %v", err)
	}
	if err := read(1<<20, nil); err != nil {
		t.Errorf("after one that failed: %v", err)
	}
}

func TestALongDirectoryIDIsRefused(t *testing.T) {
	t.Parallel()
	for length, ok := range map[int]bool{2048: true, 2049: false, 200_000: false} {
		context := "o=" + strings.Repeat("x", length-2)
		s := &script{root: map[string][]string{"namingContexts": {context}},
			search: func(c *session, _ int, _ search) bool { c.person("a"); c.done(0); return true }}
		g := read(t, s, directory.Config{}, nil)
		var e *directory.Error
		switch {
		case ok && (g.err != nil || g.info.DirectoryID != context):
			t.Errorf("%d bytes: error %v", length, g.err)
		case !ok && (!errors.As(g.err, &e) || e.Step != directory.StepBase || len(e.Message) > 1000):
			t.Errorf("%d bytes: error %v, want a short one of step %s", length, g.err, directory.StepBase)
		}
	}
}
