package userstest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/shared/ports/users"
	"rollcall/shared/user"
)

func find(t *testing.T, s users.Store) {
	own, other := s.For("acme"), s.For("other")
	if found, err := own.Find(t.Context(), []string{"a@x.org"}); err != nil || len(found) > 0 {
		t.Errorf("an empty list gives %+v, error %v", found, err)
	}
	var want []user.User
	var keys []string
	for i := range 100 {
		u := numbered(i)
		keys = append(keys, u.Key)
		if isThere(i) {
			apply(t, own, create(u))
			want = append(want, u)
		} else {
			apply(t, other, create(u))
		}
	}
	// Some of those that are stored are not asked for.
	found, err := own.Find(t.Context(), keys[:90])
	if err != nil || !cmp.Equal(want[:45], found) {
		t.Errorf("error %v, found (-want +got):\n%s", err, cmp.Diff(want[:45], found))
	}
	if found, err := own.Find(t.Context(), nil); err != nil || len(found) > 0 {
		t.Errorf("no keys give %+v, error %v", found, err)
	}
}
