package embedded

import (
	"fmt"

	"rollcall/shared/planfile/packed"
	"rollcall/shared/user"
)

// codecVersion is the first byte of a stored user.
const codecVersion = 1

// storedUser is how a user is stored, without its key, and first of all what conditions need.
var storedUser = packed.Layout{
	Items: []packed.Item{
		{Field: packed.Version}, {Field: packed.LastRunID}, {Field: packed.Protected},
		{Field: packed.Kind, Form: packed.FromKnown}, {Field: packed.Type, Form: packed.FromKnown},
		{Field: packed.Source, Form: packed.FromKnown}, {Field: packed.HeldSpamReport, Form: packed.FromKnown},
		{Field: packed.CreatedAt}, {Field: packed.UpdatedAt},
		{Field: packed.Address, Form: packed.UnlessKey}, {Field: packed.PrimaryAddress, Form: packed.UnlessKey},
		{Field: packed.DirectoryID}, {Field: packed.SourceID}, {Field: packed.DN},
	},
	Known: packed.UserTexts(),
}

// appendUser writes a user without its key.
func appendUser(b []byte, u *user.User) []byte {
	return storedUser.Append(append(b, codecVersion), u, nil)
}

// decodeLastWrite reads what a condition needs of a stored user: its version, and the run that wrote it last.
func decodeLastWrite(b []byte) (version int64, runID string, err error) {
	r, err := stored(b)
	version, runID = r.Varint(), r.Text()
	if err == nil {
		err = r.Err()
	}
	return version, runID, err
}

// decodeUser reads a user.
func decodeUser(key string, b []byte) (user.User, error) {
	r, err := stored(b)
	if err != nil {
		return user.User{}, fmt.Errorf("%s: %w", key, err)
	}
	u := user.User{Key: key}
	storedUser.Read(&r, &u, nil)
	if r.Err() != nil {
		return user.User{}, fmt.Errorf("%s: %w", key, r.Err())
	}
	return u, nil
}

// stored returns a reader behind the version of a stored user. It reads a copy: bbolt's memory is only lent.
func stored(b []byte) (packed.Reader, error) {
	r := packed.NewReader(string(b))
	if v := r.Byte(); r.Err() == nil && v != codecVersion {
		return r, fmt.Errorf("stored user has format %d, and this program reads %d: start a newer one", v, codecVersion)
	}
	return r, r.Err()
}
