package embedded

import (
	"errors"
	"io"
	"testing"

	"rollcall/shared/ports/objects"
)

// TestCopyWithoutLinks copies as on a file system that cannot give a file two names.
func TestCopyWithoutLinks(t *testing.T) {
	t.Parallel()
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	o := s.objects("acme")
	if err := o.Put(t.Context(), "plans/a", func(w io.Writer) error {
		_, err := io.WriteString(w, "a plan")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := o.copyBytes(t.Context(), "plans/a", "journals/a"); err != nil {
			t.Fatal(err)
		}
	}
	object, err := o.Open(t.Context(), "journals/a")
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if text, err := io.ReadAll(io.NewSectionReader(object, 0, object.Size())); err != nil || string(text) != "a plan" {
		t.Errorf("the copy is %q, error %v", text, err)
	}
	if err := o.copyBytes(t.Context(), "plans/none", "journals/b"); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("copying nothing: error %v", err)
	}
}
