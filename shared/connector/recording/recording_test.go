package recording_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/shared/connector"
	"rollcall/shared/connector/recording"
	"rollcall/shared/directory"
	"rollcall/shared/run"
	"rollcall/shared/settings"
)

var order = connector.Order{ID: "01ORDER", Attempt: 1, Request: connector.ReadOf(
	settings.Import{Connection: settings.Connection{Host: "dc1.example.com", Port: 389}},
	directory.Query{Filter: "(mail=*)", Attributes: []string{"mail"}})}

// shelf keeps blocks.
type shelf struct {
	mu     sync.Mutex
	blocks map[int][]byte
}

func (s *shelf) put(_ context.Context, number int, block []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocks[number] = bytes.Clone(block)
	return nil
}

func (s *shelf) get(_ context.Context, number int) ([]byte, error) {
	block, there := s.blocks[number]
	if !there {
		return nil, recording.ErrMissing
	}
	return block, nil
}

func newShelf() *shelf { return &shelf{blocks: make(map[int][]byte)} }

var (
	steps = []run.Step{
		{Step: "resolve", Host: "dc1.example.com", OK: true, MS: 3, Detail: "dc1.example.com is 192.0.2.1"},
		{Step: "tls", Host: "dc1.example.com", OK: true, MS: 9, Certificate: &run.Certificate{Subject: "CN=dc1",
			Names: []string{"dc1.example.com"}, SHA256: strings.Repeat("ab", 32)}},
	}
	info = directory.Info{DirectoryID: "dc=example,dc=com", Base: "dc=example,dc=com", Filter: "(mail=*)",
		Notes: []string{"a note"}, References: []string{"ldap://other"}, Hint: "Try (mail=*).",
		Tracking: run.Tracking{Cursor: &run.Cursor{By: "uSNChanged", Server: "ab12", USN: 77}}}
)

// record records entries and returns where they are and what they were finished with.
func record(t testing.TB, entries []directory.Entry) (*shelf, connector.Sealed) {
	t.Helper()
	s := newShelf()
	r := recording.New(t.Context(), order, s.put)
	for _, step := range steps {
		r.Step(step)
	}
	for i := range entries {
		if err := r.Entry(&entries[i]); err != nil {
			t.Fatal(err)
		}
	}
	sealed, err := r.Close(info, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, sealed
}

func player(s *shelf, sealed connector.Sealed, c directory.Config) *recording.Player {
	return &recording.Player{Reader: directory.New(c), Block: s.get, Order: order, Sealed: sealed}
}

// played is all that came of a playback.
type played struct {
	steps   []run.Step
	entries []directory.Entry
	info    directory.Info
	err     error
}

func play(t testing.TB, p *recording.Player, q directory.Query) (out played) {
	t.Helper()
	out.info, out.err = p.Read(t.Context(), settings.Connection{}, q,
		func(s run.Step) { out.steps = append(out.steps, s) },
		func(e *directory.Entry) error {
			out.entries = append(out.entries, e.Clone())
			return nil
		})
	return out
}

func entry(dn string, attributes ...directory.Attribute) directory.Entry {
	return directory.Entry{DN: []byte(dn), Attributes: attributes}
}

func attribute(name string, values ...string) directory.Attribute {
	a := directory.Attribute{Name: name, Values: [][]byte{}}
	for _, v := range values {
		a.Values = append(a.Values, []byte(v))
	}
	return a
}

// odd are entries that the codec's cases meet.
func odd() []directory.Entry {
	many := make([]string, 200)
	for i := range many {
		many[i] = fmt.Sprintf("smtp:alias%d@example.com", i)
	}
	const id = "0b7a9d6e-3c1f-4b8e-9a2d-5f6e7c8b9a0d"
	return []directory.Entry{
		entry("cn=a,dc=example", attribute("mail", "a@example.com")),
		entry("cn=a,dc=example", attribute("mail", "a@example.com")),
		entry("", attribute("mail", "")),
		entry("cn=aa,dc=example", attribute("mail", "aa@example.com", "aaa@example.com")),
		entry("cn=aaa,dc=example"),
		entry("cn=b", attribute("mail", "b"), attribute("mail", "c"), attribute("MAIL", "d"), attribute("mail 2", "e")),
		entry("cn=b", attribute("mail", "x"), attribute("mail", "y"), attribute("MAIL", "z"), attribute("mail 2", "w")),
		entry("cn=many", attribute("proxyAddresses", many...)),
		entry("cn=many2", attribute("proxyAddresses", many...)),
		entry("cn=id", attribute("entryUUID", id)),
		entry("cn=id", attribute("entryUUID", strings.Replace(id, "0b7", "fff", 1))),
		entry("cn=id", attribute("entryUUID", strings.ToUpper(id))),
		entry("cn=id", attribute("entryUUID", "ffffffff-ffff-ffff-ffff-ffffffffffff")),
		entry("cn=id", attribute("entryUUID", id), attribute("objectGUID", "\x00\xff\x10")),
		entry("cn=empty", attribute("mail")),
	}
}

func TestARecordingPlaysWhatWasRead(t *testing.T) {
	t.Parallel()
	entries := odd()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 50_000 {
		e := entry(fmt.Sprintf("CN=%x,OU=%d,DC=example", random.Uint64(), i%7),
			attribute("mail", fmt.Sprintf("%x@example.com", random.Uint32())))
		for range random.IntN(3) {
			e.Attributes = append(e.Attributes, attribute("x"+fmt.Sprint(random.IntN(5)),
				strings.Repeat("v", random.IntN(300)), fmt.Sprint(random.Uint64())))
		}
		entries = append(entries, e)
	}
	s, sealed := record(t, entries)
	if sealed.Blocks < 2 {
		t.Errorf("%d blocks, want several", sealed.Blocks)
	}
	got := play(t, player(s, sealed, directory.Config{}), directory.Query{})
	if got.err != nil {
		t.Fatal(got.err)
	}
	if diff := cmp.Diff(steps, got.steps, cmpopts.IgnoreUnexported(run.Certificate{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(info, got.info); diff != "" {
		t.Error(diff)
	}
	if len(got.entries) != len(entries) {
		t.Fatalf("%d entries, want %d", len(got.entries), len(entries))
	}
	for i := range entries {
		if !cmp.Equal(entries[i], got.entries[i], sameBytes) {
			t.Fatalf("entry %d: %q, want %q", i, got.entries[i], entries[i])
		}
	}
}

// A read that failed plays its error, and one that was given up leaves no recording.
func TestARecordingOfAFailure(t *testing.T) {
	t.Parallel()
	failed := &directory.Error{Code: directory.CodeInvalidCredentials, Step: directory.StepBind, Message: "No.",
		Refused: true}
	s := newShelf()
	r := recording.New(t.Context(), order, s.put)
	r.Step(steps[0])
	sealed, err := r.Close(directory.Info{}, failed)
	if err != nil {
		t.Fatal(err)
	}
	got := play(t, player(s, sealed, directory.Config{}), directory.Query{})
	var e *directory.Error
	if !errors.As(got.err, &e) || !cmp.Equal(*e, *failed) || len(got.steps) != 1 {
		t.Errorf("got %+v", got)
	}
	r = recording.New(t.Context(), order, s.put)
	if _, err := r.Close(directory.Info{}, context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that was given up: %v", err)
	}
	broken := errors.New("the line is cut")
	r = recording.New(t.Context(), order, func(context.Context, int, []byte) error { return broken })
	if _, err := r.Close(directory.Info{}, nil); !errors.Is(err, broken) {
		t.Errorf("a block that was not taken: %v", err)
	}
}

func TestARecordingOfAnAnswer(t *testing.T) {
	t.Parallel()
	answer := directory.Answer{Info: info, More: true, Found: []directory.Found{
		{Entry: odd()[0], InBase: true, Matches: true},
		{Entry: odd()[3], InBase: true, FailedClause: "(mail=b*)"},
	}}
	s := newShelf()
	r := recording.New(t.Context(), order, s.put)
	sealed, err := r.Answer(answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := player(s, sealed, directory.Config{}).Find(t.Context(), settings.Connection{}, directory.Question{},
		func(run.Step) {})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(answer, got); diff != "" {
		t.Error(diff)
	}
	// What is recorded of a read is no answer.
	whole, sealed := record(t, odd())
	if _, err := player(whole, sealed, directory.Config{}).Find(t.Context(), settings.Connection{},
		directory.Question{}, func(run.Step) {}); err == nil {
		t.Error("a read is taken for an answer")
	}
}

// large are entries for several blocks.
func large() []directory.Entry {
	var entries []directory.Entry
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 300 {
		value := make([]byte, 64<<10)
		for n := range value {
			value[n] = byte(random.Uint32())
		}
		entries = append(entries, entry(fmt.Sprintf("cn=%d", i), attribute("photo", string(value))))
	}
	return entries
}

// Whatever is not the recording that was finished is an incomplete read.
func TestARecordingThatIsNotWhole(t *testing.T) {
	t.Parallel()
	whole, sealed := record(t, large())
	if sealed.Blocks < 4 {
		t.Fatalf("%d blocks", sealed.Blocks)
	}
	last := sealed.Blocks - 1
	others := connector.Order{ID: "01OTHER", Attempt: 1, Request: order.Request}
	for name, change := range map[string]func(s *shelf, p *recording.Player){
		"a missing block":       func(s *shelf, _ *recording.Player) { delete(s.blocks, 1) },
		"a missing last block":  func(s *shelf, _ *recording.Player) { delete(s.blocks, last) },
		"the last one left out": func(_ *shelf, p *recording.Player) { p.Sealed.Blocks-- },
		"no block at all":       func(_ *shelf, p *recording.Player) { p.Sealed.Blocks = 0 },
		"one too many":          func(_ *shelf, p *recording.Player) { p.Sealed.Blocks++ },
		"a repeated block":      func(s *shelf, _ *recording.Player) { s.blocks[2] = s.blocks[1] },
		"blocks out of order": func(s *shelf, _ *recording.Player) {
			s.blocks[1], s.blocks[2] = s.blocks[2], s.blocks[1]
		},
		"a changed block": func(s *shelf, _ *recording.Player) {
			s.blocks[1] = bytes.Clone(s.blocks[1])
			s.blocks[1][len(s.blocks[1])-5] ^= 1
		},
		"a changed last block": func(s *shelf, _ *recording.Player) {
			s.blocks[last] = bytes.Clone(s.blocks[last])
			s.blocks[last][len(s.blocks[last])-5] ^= 1
		},
		"a block cut short": func(s *shelf, _ *recording.Player) { s.blocks[2] = s.blocks[2][:100] },
		"an empty block":    func(s *shelf, _ *recording.Player) { s.blocks[2] = nil },
		"a block that is long": func(s *shelf, _ *recording.Player) {
			s.blocks[2] = make([]byte, recording.MaxBlock+1)
		},
		"another protocol": func(s *shelf, _ *recording.Player) {
			s.blocks[0] = bytes.Clone(s.blocks[0])
			s.blocks[0][4]++
		},
		"another last block":       func(_ *shelf, p *recording.Player) { p.Sealed.SHA256 = make([]byte, 32) },
		"another size":             func(_ *shelf, p *recording.Player) { p.Sealed.Bytes++ },
		"another order":            func(_ *shelf, p *recording.Player) { p.Order = others },
		"another attempt":          func(_ *shelf, p *recording.Player) { p.Order.Attempt++ },
		"another request":          func(_ *shelf, p *recording.Player) { p.Order.Request.Connection.Port++ },
		"the beginning of another": func(s *shelf, _ *recording.Player) { s.blocks[0] = otherBlock(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &shelf{blocks: maps.Clone(whole.blocks)}
			p := player(s, sealed, directory.Config{})
			change(s, p)
			got := play(t, p, directory.Query{})
			var e *directory.Error
			if !errors.As(got.err, &e) || e.Code != directory.CodeIncompleteRead {
				t.Errorf("got %d entries and %v, want an incomplete read", len(got.entries), got.err)
			}
		})
	}
	t.Run("and nothing changed", func(t *testing.T) {
		t.Parallel()
		if got := play(t, player(whole, sealed, directory.Config{}), directory.Query{}); got.err != nil {
			t.Error(got.err)
		}
	})
}

func otherBlock(t *testing.T) []byte {
	t.Helper()
	s, _ := record(t, odd())
	return s.blocks[0]
}

// A store that cannot be reached is no incomplete read: the importer waits for it.
func TestAStoreThatCannotBeReached(t *testing.T) {
	t.Parallel()
	s, sealed := record(t, odd())
	p := player(s, sealed, directory.Config{})
	away := errors.New("no way to the store")
	p.Block = func(context.Context, int) ([]byte, error) { return nil, away }
	var e *directory.Error
	if got := play(t, p, directory.Query{}); !errors.Is(got.err, away) || errors.As(got.err, &e) {
		t.Errorf("got %v", got.err)
	}
}

// A connector is held to the bounds of a hostile directory.
func TestAPlaybackIsBounded(t *testing.T) {
	t.Parallel()
	s, sealed := record(t, large())
	for name, c := range map[string]directory.Config{
		"entries": {MaxEntries: 299}, "bytes": {MaxBytes: 10 << 20}, "memory": {MaxMemory: 64 << 10},
		"memory of all": {MaxMemoryOfAll: 64 << 10}, "time": {SearchTimeout: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := play(t, player(s, sealed, c), directory.Query{Memory: func() int64 { return 2 << 20 }})
			var e *directory.Error
			if !errors.As(got.err, &e) || e.Code != directory.CodeIncompleteRead {
				t.Errorf("got %v, want an incomplete read", got.err)
			}
		})
	}
}

func nop(run.Step) {}

// sameBytes compares entries as a whole, which cmp does byte by byte. Empty and nil are the same.
var sameBytes = cmp.Comparer(func(a, b directory.Entry) bool {
	return bytes.Equal(a.DN, b.DN) && slices.EqualFunc(a.Attributes, b.Attributes, func(a, b directory.Attribute) bool {
		return a.Name == b.Name && slices.EqualFunc(a.Values, b.Values, bytes.Equal)
	})
})

// An answer may have large entries: what is said of each stays with it.
func TestAnAnswerOfSeveralBlocks(t *testing.T) {
	t.Parallel()
	var answer directory.Answer
	for i := range 20 {
		answer.Found = append(answer.Found, directory.Found{Entry: entry(fmt.Sprint("cn=", i),
			attribute("photo", strings.Repeat(fmt.Sprint(i), 1<<20))), InBase: i%2 == 0})
	}
	s := newShelf()
	sealed, err := recording.New(t.Context(), order, s.put).Answer(answer, nil)
	if err != nil || sealed.Blocks < 2 {
		t.Fatal(sealed.Blocks, err)
	}
	got, err := player(s, sealed, directory.Config{}).Find(t.Context(), settings.Connection{}, directory.Question{},
		nop)
	if diff := cmp.Diff(answer, got, sameBytes); diff != "" || err != nil {
		t.Error(err, len(diff))
	}
}

// What is more than a block can hold is refused on site, and never cut.
func TestAnEntryThatIsTooLarge(t *testing.T) {
	t.Parallel()
	wide := entry("cn=wide")
	for i := range 17 << 10 {
		wide.Attributes = append(wide.Attributes, attribute(fmt.Sprint("a", i)))
	}
	for name, e := range map[string]directory.Entry{
		"bytes":      entry("cn=long", attribute("photo", strings.Repeat("x", 13<<20))),
		"attributes": wide,
		"values":     entry("cn=many", directory.Attribute{Name: "v", Values: make([][]byte, 2<<20)}),
	} {
		s := newShelf()
		r := recording.New(t.Context(), order, s.put)
		first := odd()[0]
		err := errors.Join(r.Entry(&first), r.Entry(&e))
		sealed, closeErr := r.Close(directory.Info{}, err)
		got := play(t, player(s, sealed, directory.Config{}), directory.Query{})
		var failed *directory.Error
		if err == nil || closeErr != nil || !errors.As(got.err, &failed) ||
			failed.Code != directory.CodeIncompleteRead {
			t.Errorf("%s: %v, %v, %v", name, err, closeErr, got.err)
		}
	}
}

// staff yields entries as OpenLDAP gives them of the benchmark's directory, with nothing but mail.
func staff(n int, use func(*directory.Entry) error) error {
	random := rand.New(rand.NewPCG(5, 6))
	for i := range n {
		login := fmt.Sprintf("user%06d", i)
		a, b := random.Uint64(), random.Uint64()
		e := entry("uid="+login+",ou=people,dc=example,dc=com",
			attribute("objectClass", "inetOrgPerson", "user"), attribute("mail", login+"@example.com"),
			attribute("entryUUID", fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>52,
				b&0xffffffffffff)))
		if err := use(&e); err != nil {
			return err
		}
	}
	return nil
}

func TestAnEntryTakesFewBytes(t *testing.T) {
	t.Parallel()
	const n = 100_000
	r := recording.New(t.Context(), order, func(context.Context, int, []byte) error { return nil })
	err := staff(n, r.Entry)
	sealed, closeErr := r.Close(directory.Info{}, err)
	if err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	if each := float64(sealed.Bytes) / n; each > 30 {
		t.Errorf("%.1f bytes an entry, want at most 30", each)
	} else {
		t.Logf("%.1f bytes an entry, 16 of them an id that cannot be guessed; %d blocks", each, sealed.Blocks)
	}
}

// BenchmarkRecord records 100,000 entries; BenchmarkPlay plays them.
func BenchmarkRecord(b *testing.B) {
	entries := everybody(b)
	for b.Loop() {
		r := recording.New(b.Context(), order, func(context.Context, int, []byte) error { return nil })
		for i := range entries {
			if err := r.Entry(&entries[i]); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := r.Close(directory.Info{}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlay(b *testing.B) {
	s, sealed := record(b, everybody(b))
	p := player(s, sealed, directory.Config{})
	for b.Loop() {
		_, err := p.Read(b.Context(), settings.Connection{}, directory.Query{}, nop,
			func(*directory.Entry) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
	}
}

func everybody(b *testing.B) []directory.Entry {
	b.Helper()
	var entries []directory.Entry
	err := staff(100_000, func(e *directory.Entry) error {
		entries = append(entries, e.Clone())
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return entries
}
