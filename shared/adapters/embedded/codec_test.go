package embedded

import (
	"testing"
	"time"

	"rollcall/shared/user"
)

// FuzzDecodeUser reads users from any bytes, and holds what can be read to what it is written as.
func FuzzDecodeUser(f *testing.F) {
	u := user.User{
		Key: "a@b.example", Address: "A@b.example", Kind: user.Alias, PrimaryAddress: "c@b.example",
		Type: user.TypeShared, Source: user.Manual, DN: "CN=ä",
		HeldSpamReport: user.ReportOff, Protected: true, Version: 1_795_000_000_000, LastRunID: "01J",
		CreatedAt: time.Unix(1, 2).UTC(),
	}
	f.Add(appendUser(nil, &u))
	f.Add([]byte{codecVersion, 0xff, 0xff})
	f.Add([]byte{9})
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := decodeUser("a@b.example", data)
		if err != nil {
			return
		}
		again, err := decodeUser("a@b.example", appendUser(nil, &first))
		if err != nil || again != first {
			t.Fatalf("%+v came back as %+v, error %v", first, again, err)
		}
		version, runID, err := decodeLastWrite(data)
		if err != nil || version != first.Version || runID != first.LastRunID {
			t.Fatalf("last write %d %q, error %v; want %d %q", version, runID, err, first.Version, first.LastRunID)
		}
	})
}
