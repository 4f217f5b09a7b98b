package importer_test

import (
	"testing"

	"rollcall/shared/importer"
	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

// The reader bounds what a read takes of memory by what the import says it keeps.
func TestAReadKnowsWhatTheImportKeeps(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.directory.set(people(20)...)
	h.preview()
	if h.directory.query.Memory == nil || h.directory.query.Memory() < 1000 {
		t.Error("the import does not say what it keeps of the entries")
	}
}

// Earlier builds imported addresses with invisible characters. They stay as long as the directory has them, and an
// administrator can remove them.
func TestAnInvisibleAddressOfAnEarlierBuildCanBeRemoved(t *testing.T) {
	t.Parallel()
	const addr = "an\u200bn@example.com"
	h := newHarness(t)
	old := user.User{Key: addr, Address: addr, Kind: user.Primary, PrimaryAddress: addr, Type: user.TypeUser,
		Source: user.FromDirectory, HeldSpamReport: user.ReportOff, Version: 1}
	stored := h.store.Users().For(h.id.Account)
	if _, err := stored.Apply(t.Context(), users.Fence{}, []users.Change{{Key: old.Key, After: &old}}); err != nil {
		t.Fatal(err)
	}
	h.directory.set(append(people(20), person{id: "old", primary: addr})...)
	options := removing()
	h.sync(importer.SyncRequest{PreviewID: h.preview().ID, Options: &options})
	if _, err := stored.Get(t.Context(), addr); err != nil {
		t.Fatalf("after a sync of a directory that has it: %v", err)
	}
	if err := h.service.RemoveUser(t.Context(), h.id, addr); err != nil {
		t.Errorf("removing it: %v", err)
	}
}
